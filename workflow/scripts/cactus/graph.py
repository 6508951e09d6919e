"""The graph of a run: its jobs in an order in which they can run, and the inputs of each."""

from functools import cache, cached_property
from itertools import combinations
from typing import NamedTuple

from cactus.config.models import Config
from cactus.errors import CodeError, RecordError, did_you_mean_or_known
from cactus.stages.base import Inputs, Job, stage_named, stage_names
from cactus.stages.evaluate_model import STAGE as EVALUATE_MODEL


class Wave(NamedTuple):
    """The stages whose jobs one target of the Snakefile requests."""

    target: str
    stages: frozenset[str]


class Graph:
    """The jobs of a run's configuration, and what each reads of other jobs' results."""

    def __init__(self, config: Config) -> None:
        check_stages()
        self.config = config
        self._inputs: dict[Job, tuple[Inputs, ...]] = {}

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Every job, each after those that it reads from."""
        depths = self._depths
        ordered = sorted(depths, key=lambda stage: (depths[stage], stage))
        return tuple(job for stage in ordered for job in self.by_stage[stage])

    def inputs(self, job: Job) -> tuple[Inputs, ...]:
        """Return the results of other jobs that a job reads."""
        if job not in self._inputs:
            stage = job.definition
            self._inputs[job] = tuple(stage.inputs(self.config, stage.parse(job.cell)))
        return self._inputs[job]

    def ancestry(self, job: Job) -> list[Job]:
        """Return all upstream jobs of a job, in order, and the job itself last."""
        found: dict[Job, None] = {}

        def visit(one: Job) -> None:
            for upstream in self.inputs(one):
                if upstream.job not in found:
                    visit(upstream.job)
            found[one] = None

        visit(job)
        return list(found)

    @cached_property
    def waves(self) -> tuple[Wave, ...]:
        """The targets of the Snakefile, each after the targets that its jobs read from."""
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
            ``<dataset>/<source>/<learner>/s<seed>``, which stands for its evaluation and all
            upstream jobs.

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
            "The run's configuration has no such cell or job.",
            where=self.config.run,
            got=name,
            fix=did_you_mean_or_known(name, [*cells, *jobs], "`cactus status` lists them"),
        )

    @cached_property
    def by_stage(self) -> dict[str, tuple[Job, ...]]:
        """The jobs of each stage."""
        return {name: tuple(stage_named(name).jobs(self.config)) for name in stage_names()}

    @cached_property
    def _depths(self) -> dict[str, int]:
        """Length of the longest chain of stages upstream of each stage."""
        before = {
            stage: {upstream.job.stage for job in jobs for upstream in self.inputs(job)}
            for stage, jobs in self.by_stage.items()
        }

        @cache
        def depth(stage: str) -> int:
            return 1 + max(map(depth, before[stage]), default=-1)

        return {stage: depth(stage) for stage in before}


@cache
def check_stages() -> None:
    """Check that each stage says what it has to, and that no job writes into another's folder.

    Raises
    ------
    CodeError
        A stage lacks an attribute, or its folder is, contains or lies in that of another.
    """
    stages = [stage_named(name) for name in stage_names()]
    for stage in stages:
        missing = [one for one in ("wildcards", "target", "results") if not hasattr(stage, one)]
        if missing or not isinstance(stage.results, tuple):
            raise CodeError(
                "A stage is not complete.",
                where=f"cactus/stages/{stage.name}.py",
                got=f"no {', '.join(missing)}" if missing else f"results = {stage.results!r}",
                fix="set `target`, the tuple `results`, and a base class or `wildcards`",
            )
    for first, second in combinations([stage for stage in stages if stage.folder], 2):
        upper, lower = sorted([f"{first.folder}/", f"{second.folder}/"], key=len)
        if lower.startswith(upper):
            raise CodeError(
                "Two stages would write into one folder.",
                where=f"cactus/stages/{second.name}.py",
                got=f"folder {second.folder!r}; {first.name} has {first.folder!r}",
                fix="give the stage a folder of its own",
            )
