"""Write the page of a run, one HTML file that needs no network."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import DataFile, Inputs, RunWildcards, inputs_from, stage_named
from cactus.stages.whole_run.base import RunText

if TYPE_CHECKING:
    from cactus.config.models import Config

_TEMPLATES: Final = "workflow/scripts/cactus/report/templates"
_FILES: Final = (
    *(f"{_TEMPLATES}/{name}" for name in ("page.html.jinja", "parts.html.jinja")),
    *(f"{_TEMPLATES}/{name}" for name in ("style.css", "script.js")),
    "workflow/report/table.rst",
)


class MakeReport(RunText):
    """One job per run, after the audit, whose verdict it states."""

    target = "report"
    results = ("report.html", "report.map.json")

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield the audit, the numbers, the figures, the curves and the embeddings' pictures."""
        yield from super().inputs(config, wildcards)
        for job in stage_named("make_figure").jobs(config):
            shown = (name for name in job.files if name.endswith((".png", ".map.json")))
            yield Inputs(job, tuple(shown))
        for job in stage_named("meta_train").jobs(config):
            yield inputs_from(job.stage, job.cell, "metrics.jsonl")
        for job in stage_named("train_embedding").jobs(config):
            yield inputs_from(job.stage, job.cell, "metrics.jsonl", "diagnostic.png")

    def data_files(self, config: "Config", wildcards: RunWildcards) -> tuple[DataFile, ...]:
        """Return the templates and the captions."""
        return tuple(map(DataFile, _FILES))


STAGE: Final = MakeReport()
REPORT: Final = STAGE.job()
