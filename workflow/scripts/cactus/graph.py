"""The graph of a run: its jobs in an order in which they can run, and the inputs of each."""

from collections.abc import Iterable
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from cactus.config.models import Config
from cactus.errors import CodeError, RecordError, did_you_mean_or_known, few
from cactus.stages.base import Inputs, Job, Stage, stage_file, stage_named, stage_names
from cactus.stages.evaluate_model import STAGE as EVALUATE_MODEL
from cactus.stages.run_baselines import STAGE as RUN_BASELINES
from cactus.stages.run_baselines import baseline_cell

_SCRIPTS: Final = Path(__file__).resolve().parents[1]


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
            found = tuple(stage.inputs(self.config, stage.parse(job.cell)))
            for upstream in found:
                if upstream.job not in self._all:
                    raise self._no_such_job(job, upstream.job)
            self._inputs[job] = found
        return self._inputs[job]

    def _no_such_job(self, job: Job, upstream: Job) -> CodeError:
        known = [one.name for one in self.by_stage[upstream.stage]]
        return CodeError(
            "A stage reads from a job that the run does not have.",
            where=f"{stage_file(job.stage)}, for {job.name}",
            got=upstream.name,
            fix=did_you_mean_or_known(upstream.name, known, "correct `inputs` there"),
        )

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
    def targets(self) -> dict[str, frozenset[str]]:
        """The stages whose jobs each target of the Snakefile requests."""
        names = {stage_named(stage).target for stage in stage_names()}
        return {
            name: frozenset(one for one in stage_names() if stage_named(one).target == name)
            for name in sorted(names)
        }

    @cached_property
    def _cells(self) -> dict[str, Job]:
        """The job that scores each cell of the grid, and each baseline's cell."""
        names = (cell.name for cell in self.config.expanded_grid.cells)
        return {name: Job(EVALUATE_MODEL.name, name) for name in names} | {
            baseline_cell(job.cell, method): job
            for job in self.by_stage[RUN_BASELINES.name]
            for method in self.config.baselines.resolve(job.cell.split("/")[0]).methods
        }

    def find(self, name: str) -> list[Job]:
        """Return the jobs that a name stands for.

        Parameters
        ----------
        name
            A job, ``<stage>/<cell>``; or a cell of the grid,
            ``<dataset>/<source>/<learner>/s<seed>``, which stands for its evaluation and all
            upstream jobs. A baseline's cell has its method where a learner's name stands.

        Raises
        ------
        RecordError
            The configuration has no such job or cell.
        """
        jobs = {job.name: job for job in self.jobs}
        if name in jobs:
            return [jobs[name]]
        cells = self._cells
        if name in cells:
            return self.ancestry(cells[name])
        every = [*sorted(cells), *sorted(jobs)]
        within = [one for one in every if f"/{name.strip('/')}/" in f"/{one}/"]
        parts = few([one for one in within if one in cells] or within, 10)
        fix = f"name one of {parts}" if parts else did_you_mean_or_known(name, every, "")
        raise RecordError(
            "The run's configuration has no such cell or job.",
            where=self.config.run,
            got=name,
            fix=fix,
        )

    @cached_property
    def by_stage(self) -> dict[str, tuple[Job, ...]]:
        """The jobs of each stage."""
        return {name: tuple(stage_named(name).jobs(self.config)) for name in stage_names()}

    @cached_property
    def _all(self) -> frozenset[Job]:
        return frozenset(job for jobs in self.by_stage.values() for job in jobs)

    @cached_property
    def _depths(self) -> dict[str, int]:
        """Length of the longest chain of stages upstream of each stage."""
        before = {
            stage: {upstream.job.stage for job in jobs for upstream in self.inputs(job)}
            for stage, jobs in self.by_stage.items()
        }

        try:
            ordered = list(TopologicalSorter(before).static_order())
        except CycleError as error:
            raise CodeError(
                "Stages read from each other in a circle.",
                where=", ".join(stage_file(stage) for stage in dict.fromkeys(error.args[1])),
                got=" -> ".join(error.args[1]),
                fix="correct `inputs` of one of them",
            ) from error
        depths: dict[str, int] = {}
        for stage in ordered:
            depths[stage] = 1 + max((depths[one] for one in before[stage]), default=-1)
        return {stage: depths[stage] for stage in before}


@cache
def check_stages() -> None:
    """Check that each stage says what it has to, and that no job writes into another's folder.

    Raises
    ------
    CodeError
        A stage cannot be imported, has no script or lacks an attribute; or its folder is, contains
        or lies in that of another.
    """
    stages = [_imported(name) for name in stage_names()]
    for stage in stages:
        if not (_SCRIPTS / f"{stage.name}.py").is_file():
            raise CodeError(
                "A stage has no script.",
                where=stage_file(stage.name),
                got=f"no workflow/scripts/{stage.name}.py",
                fix="add it; move the file elsewhere if it is a copy of another stage's",
            )
        missing = [one for one in ("wildcards", "target", "results") if not hasattr(stage, one)]
        if missing or not isinstance(stage.results, tuple):
            raise CodeError(
                "A stage is not complete.",
                where=stage_file(stage.name),
                got=f"no {', '.join(missing)}" if missing else f"results = {stage.results!r}",
                fix="set `target`, the tuple `results`, and a base class or `wildcards`",
            )
    for first, second in combinations([stage for stage in stages if stage.folder], 2):
        upper, lower = sorted([f"{first.folder}/", f"{second.folder}/"], key=len)
        if lower.startswith(upper):
            raise CodeError(
                "Two stages would write into one folder.",
                where=stage_file(second.name),
                got=f"folder {second.folder!r}; {first.name} has {first.folder!r}",
                fix="give the stage a folder of its own",
            )


def check_rules(names: Iterable[str]) -> None:
    """Check that each stage has a rule in the Snakefile.

    Parameters
    ----------
    names
        Names of all rules.

    Raises
    ------
    CodeError
        A stage has none.
    """
    for name in sorted({*stage_names()} - {*names}):
        raise CodeError(
            "A stage has no rule.",
            where=stage_file(name),
            got=f"no rule {name} in rules/*.smk",
            fix=f"add `rule {name}` (docs/architecture.md shows one) and include its file in the "
            "Snakefile",
        )


def _imported(name: str) -> Stage[Any]:
    try:
        return stage_named(name)
    except (ImportError, SyntaxError, AttributeError, NameError, TypeError) as error:
        raise CodeError(
            "The file of a stage cannot be imported.",
            where=stage_file(name),
            got=f"{type(error).__name__}: {error}",
            fix="correct it, or move it elsewhere if it is no stage",
        ) from error
