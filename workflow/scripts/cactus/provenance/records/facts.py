"""What notes and leases say about a process, checked when they are read."""

from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from cactus.files import parse_json
from cactus.provenance.records.values import Amount, Moment, checked

_Time = Moment | Literal[""]


class _Facts(TypedDict, total=False):
    """Who runs or ran a job, where, since when, and how far it is."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]
    host: str
    boot: str | None
    pid: Annotated[int, Field(gt=0, lt=1 << 31)]
    process: str | None
    slurm: str
    state: Literal["failed"]
    error: str
    started: _Time
    ended: _Time
    attempt: Annotated[int, Field(ge=0, lt=1 << 31)]
    step: Amount
    steps: Amount
    seconds_left: Annotated[float, Field(allow_inf_nan=False)] | None


_FACTS: Final = TypeAdapter(_Facts)


def parse_facts(text: str) -> dict[str, Any]:
    """Return what a note or a lease says.

    Raises
    ------
    ValueError
        It is damaged.
    """
    facts: dict[str, Any] = checked(_FACTS, parse_json(text))
    return facts
