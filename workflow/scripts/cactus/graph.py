"""The graph of a run: its jobs, in an order in which they can run, and what each reads."""

from functools import cache, cached_property
from typing import NamedTuple

from cactus.config.models import Config
from cactus.errors import RecordError, did_you_mean_or_known
from cactus.stages.base import Job, Reads, stage_named, stage_names
from cactus.stages.evaluate_model import STAGE as EVALUATE_MODEL


class Wave(NamedTuple):
    """Stages whose jobs one target of the Snakefile asks for."""

    target: str
    stages: frozenset[str]


class Graph:
    """The jobs of a configuration, and what each reads of the others' results.

    Parameters
    ----------
    config
        The configuration of a run.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._reads: dict[Job, tuple[Reads, ...]] = {}

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Every job, each after those that it reads from."""
        depths = self._depths
        ordered = sorted(depths, key=lambda stage: (depths[stage], stage))
        return tuple(job for stage in ordered for job in self._by_stage[stage])

    def jobs_of(self, stage: str) -> tuple[Job, ...]:
        """Return the jobs of one stage."""
        return self._by_stage[stage]

    def reads(self, job: Job) -> tuple[Reads, ...]:
        """Return what a job reads of the results of others."""
        if job not in self._reads:
            stage = job.definition
            self._reads[job] = tuple(stage.reads(self.config, stage.parse(job.cell)))
        return self._reads[job]

    def ancestry(self, job: Job) -> list[Job]:
        """Return all jobs that a job's results come from, and last the job itself."""
        found: dict[Job, None] = {}

        def visit(one: Job) -> None:
            for read in self.reads(one):
                if read.job not in found:
                    visit(read.job)
            found[one] = None

        visit(job)
        return list(found)

    @cached_property
    def waves(self) -> tuple[Wave, ...]:
        """The targets of the Snakefile, each after those whose jobs its own read from."""
        stages: dict[str, set[str]] = {}
        for stage in self._depths:
            stages.setdefault(stage_named(stage).target, set()).add(stage)
        waves = [Wave(target, frozenset(members)) for target, members in stages.items()]
        return tuple(sorted(waves, key=lambda wave: max(self._depths[one] for one in wave.stages)))

    def find(self, name: str) -> list[Job]:
        """Return the jobs that a name stands for.

        Parameters
        ----------
        name
            A job, ``<stage>/<cell>``; or a cell of the grid,
            ``<dataset>/<source>/<learner>/s<seed>``, which stands for its evaluation and all that
            leads to it.

        Raises
        ------
        RecordError
            The configuration has no such job or cell.
        """
        jobs = {job.name: job for job in self.jobs}
        if name in jobs:
            return [jobs[name]]
        cells = {cell.name: cell for cell in self.config.expanded_grid.cells}
        if name in cells:
            return self.ancestry(Job(EVALUATE_MODEL.name, name))
        raise RecordError(
            "There is no such cell or job in the run's configuration.",
            where=self.config.run,
            got=name,
            fix=did_you_mean_or_known(name, [*cells, *jobs], "`cactus status` lists them"),
        )

    @cached_property
    def _by_stage(self) -> dict[str, tuple[Job, ...]]:
        return {name: tuple(stage_named(name).jobs(self.config)) for name in stage_names()}

    @cached_property
    def _depths(self) -> dict[str, int]:
        """The length of the longest chain of stages that leads to each."""
        before = {
            stage: {read.job.stage for job in jobs for read in self.reads(job)}
            for stage, jobs in self._by_stage.items()
        }

        @cache
        def depth(stage: str) -> int:
            return 1 + max(map(depth, before[stage]), default=-1)

        return {stage: depth(stage) for stage in before}
