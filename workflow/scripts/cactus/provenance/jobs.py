"""The jobs of a run: their names, and where each leaves its results."""

from typing import Final, NamedTuple

# The wildcards of each stage's rule, in the order in which they make up the name of a job.
WILDCARDS: Final[dict[str, tuple[str, ...]]] = {
    "make_sample": ("dataset",),
    "prepare_data": ("dataset",),
    "train_embedding": ("dataset", "embedding", "seed"),
    "make_partitions": ("dataset", "source", "learner", "seed"),
    "meta_train": ("dataset", "source", "learner", "seed"),
    "evaluate_model": ("dataset", "source", "learner", "seed"),
    "run_baselines": ("dataset", "embedding", "seed"),
    "aggregate_results": (),
    "make_table": ("dataset",),
    "make_document": (),
    "make_figure": ("figure",),
    "audit_run": (),
}
# Stages that own a folder per job: all that lies in it is their result.
_FOLDERS: Final = {
    "make_sample": "raw",
    "prepare_data": "data",
    "train_embedding": "embeddings",
    "make_partitions": "partitions",
    "meta_train": "models",
    "evaluate_model": "evaluations",
    "run_baselines": "baselines",
}


class Job(NamedTuple):
    """One job of a run.

    Attributes
    ----------
    stage
        Name of its rule.
    cell
        What it works on, e.g. ``omniglot/acai/maml/s0``; empty if the run has one such job.
    """

    stage: str
    cell: str

    @property
    def name(self) -> str:
        """Stage and cell in one, e.g. ``meta_train/omniglot/acai/maml/s0``."""
        return f"{self.stage}/{self.cell}" if self.cell else self.stage

    @property
    def wildcards(self) -> dict[str, str]:
        """The values of the rule's wildcards."""
        values = dict(zip(WILDCARDS[self.stage], self.cell.split("/"), strict=bool(self.cell)))
        if "seed" in values:
            values["seed"] = values["seed"].removeprefix("s")
        return values if self.cell else {}

    @property
    def folder(self) -> str | None:
        """The folder below the run's that holds all its results, if it owns one."""
        return f"{_FOLDERS[self.stage]}/{self.cell}" if self.stage in _FOLDERS else None

    @property
    def files(self) -> tuple[str, ...]:
        """The results of a job that owns no folder, below the run's folder."""
        match self.stage:
            case "aggregate_results":
                return ("tables/results.csv",)
            case "make_table":
                return (f"tables/{self.cell}.tex", f"tables/{self.cell}.tex.map.json")
            case "make_document":
                return ("tables/tables.tex",)
            case "make_figure":
                stem = f"figures/{self.cell}"
                return (f"{stem}.pdf", f"{stem}.png", f"{stem}.map.json")
            case "audit_run":
                return ("audit.json",)
        return ()


AUDIT: Final = Job("audit_run", "")


def job_of(stage: str, **wildcards: str) -> Job:
    """Return a stage's job by the values of its wildcards."""
    parts = [
        f"s{wildcards[name]}" if name == "seed" else wildcards[name] for name in WILDCARDS[stage]
    ]
    return Job(stage, "/".join(parts))
