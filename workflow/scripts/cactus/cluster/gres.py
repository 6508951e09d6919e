"""Generic resources (GPUs and their shards), parsed as sinfo prints them."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

# Slices of a GPU (MIG) are named after their compute units and memory, such as a100_3g.20gb.
_SLICE: Final = re.compile(r"(^|[_.-])(\d+g[._-]?\d+gb|mig(?![a-z]))", re.IGNORECASE)
# Names of models that Snakemake's Slurm plugin passes on.
MODEL: Final = re.compile(r"[a-zA-Z0-9_.]+")
_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}


class Gres(NamedTuple):
    """A generic resource of a node.

    Attributes
    ----------
    text
        As sinfo prints it, without sockets, such as ``gpu:a100:4``.
    name, model
        Such as ``gpu`` and ``a100``; the model is empty if Slurm does not name one.
    number
        None if Slurm does not say how many.
    """

    text: str
    name: str
    model: str
    number: int | None

    @property
    def is_slice(self) -> bool:
        """Whether this is a slice of a GPU."""
        return _SLICE.search(self.model) is not None


def parse_gres(texts: Iterable[str]) -> list[Gres]:
    """Return the generic resources that nodes have.

    Parameters
    ----------
    texts
        Lists as sinfo prints them, ``gpu:a100:4(S:0-1),shard:16`` or ``(null)``, or single items.
    """
    # Sockets stand in parentheses, such as (S:0,2); a missing model is printed as (null).
    plain = ",".join(re.sub(r"\([^()]*\)", "", text) for text in texts)
    return [_parse(item) for item in (part.strip() for part in plain.split(",")) if item]


def _parse(text: str) -> Gres:
    text = re.sub(r"^gres[/:]", "", text)  # as other commands of Slurm have it
    name, *rest = [part for part in re.split("[:=]", text) if part != "no_consume"]
    found = None
    if rest and (number := re.fullmatch(r"(\d+)([KMGTP]?)", rest[-1], re.ASCII)):
        found = int(number[1]) * _UNITS[number[2]]
        rest.pop()
    return Gres(text, name, ":".join(rest), found)


def shards_of_each_gpu(found: Iterable[Gres]) -> int:
    """Return the shards of each GPU of a node; 0 without any, or if Slurm does not count them."""
    counts = {"gpu": 0, "shard": 0}
    for one in found:
        if one.name in counts:
            if one.number is None:
                return 0
            counts[one.name] += one.number
    return counts["shard"] // counts["gpu"] if counts["gpu"] else 0
