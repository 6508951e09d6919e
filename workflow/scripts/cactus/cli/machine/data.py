"""``cactus data``: which raw data sets are there, their terms, and where to get the others."""

import argparse
import io
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from cactus.cli.text import columns, print_json, size
from cactus.config.models import Config
from cactus.config.sections.base import BUILT_IN, DatasetName
from cactus.data.files.registry import DatasetEntry, dataset_entry, raw_folders
from cactus.data.prepare import check_raw
from cactus.errors import DataError, printable
from cactus.provenance.staleness.planned_config import ROOT, PlannedConfig

State = Literal["found", "missing", "incomplete"]


@dataclass(frozen=True)
class RawData:
    """The raw files of a data set.

    Attributes
    ----------
    state
        ``incomplete`` if something is there, but it cannot be read as it is.
    bytes
        Size of all files in its folders.
    downloaded
        Whether a run would download what is missing.
    looked
        Folders that were searched.
    got
        What is missing or wrong; empty if it was found.
    fix
        What to do about it; empty if it was found.
    used
        Whether the study uses it.
    """

    name: str
    title: str
    state: State
    bytes: int
    terms: str
    source: str
    downloaded: bool
    looked: tuple[str, ...]
    got: str
    fix: str
    used: bool

    @property
    def blocks(self) -> bool:
        """Whether the study needs it and cannot get it."""
        return self.used and self.state != "found" and not self.downloaded


def show_data(arguments: argparse.Namespace) -> int:
    """Print the state of each data set; return 1 if a named study cannot get one."""
    config = read_study(arguments)
    found = list(raw_data(config))
    named = bool(arguments.configfile or arguments.config)
    lacking = named and any(one.blocks for one in found)
    if arguments.json:
        print_json({"study": config.run, "data_sets": [asdict(one) for one in found]})
        return int(lacking)
    rows = [
        (one.name, one.state, size(one.bytes) if one.bytes else "-", one.terms) for one in found
    ]
    print(columns([("data set", "state", "size", "terms"), *rows]))
    for one in found:
        if one.state != "found":
            print("\n" + "\n".join(map(printable, _advice(one))))
    drawn = "; it draws its own data" if config.synthetic_data else ""
    used = ", ".join(one.name for one in found if one.used) or "none of them"
    print(f"\nthe study {config.run} uses {used}{drawn}")
    return int(lacking)


def read_study(arguments: argparse.Namespace) -> Config:
    """Return the study that is named, or the paper's.

    Raises
    ------
    ConfigError
        It is not valid.
    """
    return PlannedConfig.read(arguments.configfile, arguments.config, ROOT).load(Path())


def raw_data(config: Config) -> Iterator[RawData]:
    """Yield the built-in data sets and those of the study's own."""
    used = () if config.synthetic_data else config.expanded_grid.datasets
    for name in (*BUILT_IN, *config.data.custom):
        yield _look(name, config, used=name in used)


def _look(name: DatasetName, config: Config, *, used: bool) -> RawData:
    settings, raw_dir = config.data, Path(config.data.raw_dir)
    entry = dataset_entry(name, settings)
    folders = raw_folders(raw_dir, entry.folders) if raw_dir.is_dir() else []
    state: State = "found"
    got = fix = ""
    downloaded = False
    try:
        check_raw(name, settings.model_copy(update={"download": False}), raw_dir)
    except DataError as error:
        state = "incomplete" if folders else "missing"
        got, fix = f"{error.what} {error.got}", error.fix
        downloaded = settings.download and _downloads(name, config)
    return RawData(
        name=name,
        title=entry.title,
        state=state,
        bytes=sum(_sizes(folders)),
        terms=entry.license or "your own",
        source=_source(entry),
        downloaded=downloaded,
        looked=tuple(str(raw_dir / one) for one in entry.folders),
        got=got,
        fix=fix,
        used=used,
    )


def _downloads(name: DatasetName, config: Config) -> bool:
    """Return whether a run would download what is missing."""
    try:
        with redirect_stderr(io.StringIO()):  # a note on what would be downloaded
            check_raw(name, config.data, Path(config.data.raw_dir))
    except DataError:
        return False
    return True


def _source(entry: DatasetEntry) -> str:
    return "; ".join(filter(None, (entry.page, entry.manual)))


def _sizes(folders: Iterable[Path]) -> Iterator[int]:
    for folder in folders:
        for path in [folder] if folder.is_file() else folder.rglob("*"):
            if path.is_file():
                yield path.stat().st_size


def _advice(one: RawData) -> Iterator[str]:
    """Yield what is missing of a data set, where it was looked for, and what to do."""
    yield f"{one.title} is {one.state}: {one.got}"
    yield f"  looked in: {', '.join(one.looked)}"
    if one.downloaded:
        yield "  to do: nothing, a run that uses it downloads it"
    else:
        yield f"  to do: {one.fix}"
