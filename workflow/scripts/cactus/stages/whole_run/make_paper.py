"""Write the paper of a run: numbers as macros, a text, and its PDF."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.stages.base import DataFile, Inputs, RunWildcards, stage_named
from cactus.stages.whole_run.base import RunText

if TYPE_CHECKING:
    from cactus.config.models import Config

_SECTIONS: Final = (
    "1-data",
    "2-celeba-tasks",
    "3-embeddings",
    "4-partitions",
    "5-maml",
    "6-protonets",
    "7-evaluation",
    "8-own-keys",
)
PROTOCOL: Final = tuple(f"config/protocol/{name}.yaml" for name in _SECTIONS)
_FILES: Final = (
    "workflow/scripts/cactus/manuscript/templates/paper.tex.jinja",
    *PROTOCOL,
)


class MakePaper(RunText):
    """One job per run, after the audit, if it is asked for: it needs LaTeX."""

    target = "paper"
    results = ("paper/numbers.tex", "paper/numbers.tex.map.json", "paper/paper.tex", "paper.pdf")
    main_result = "paper.pdf"
    on_request = True

    def inputs(self, config: "Config", wildcards: RunWildcards) -> Iterator[Inputs]:
        """Yield the audit, the numbers, the tables and the figures."""
        yield from super().inputs(config, wildcards)
        for job in stage_named("make_table").jobs(config):
            yield Inputs(job, job.files[:1])
        for job in stage_named("make_figure").jobs(config):
            shown = (name for name in job.files if name.endswith((".pdf", ".map.json")))
            yield Inputs(job, tuple(shown))

    def data_files(self, config: "Config", wildcards: RunWildcards) -> tuple[DataFile, ...]:
        """Return the template and the protocol."""
        return tuple(map(DataFile, _FILES))


STAGE: Final = MakePaper()
PAPER: Final = STAGE.job()
