"""The registry of official raw files, `config/datasets.yaml`."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from cactus.config.sections.base import DatasetName, Settings
from cactus.config.sections.data.section import DataSettings
from cactus.data.files.containers import is_hidden
from cactus.data.files.damage import damage_reported
from cactus.errors import ConfigError, DataError
from cactus.splits import Split

CONFIG_FOLDER = Path(__file__).resolve().parents[5] / "config"
REGISTRY = CONFIG_FOLDER / "datasets.yaml"
# By the C library, where PyYAML has it: its own loader takes ten times as long.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class OfficialFile(Settings):
    """A published file: its name, checksum, size in bytes and addresses."""

    name: str
    md5: str | None = Field(default=None, pattern="^[0-9a-f]{32}$")
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    bytes: int | None = None
    urls: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _has_checksum(self) -> Self:
        if self.md5 is None and self.sha256 is None:
            raise ValueError(f"{self.name} has neither md5 nor sha256")
        if not all(url.startswith(("https://", "http://")) for url in self.urls):
            raise ValueError(f"{self.name} has an address that is not http(s)")
        return self


class DatasetEntry(Settings):
    """What is published about a data set; see the comments in `config/datasets.yaml`."""

    title: str
    folders: list[str] = Field(min_length=1)
    page: str = ""
    license: str = ""
    manual: str = ""
    checksum_published: bool
    classes: int | None = None
    images: dict[Split, int] = Field(default_factory=dict)
    files: list[OfficialFile]

    def file(self, name: str) -> OfficialFile | None:
        """Return the official file with this name, if any."""
        return next((file for file in self.files if file.name == name), None)

    def downloadable(self, name: str) -> bool:
        """Return whether the file has a stable URL."""
        file = self.file(name)
        return file is not None and bool(file.urls)


def load_yaml(text: str) -> Any:
    """Return the content of a YAML file of the project.

    Raises
    ------
    yaml.YAMLError
        It is not YAML.
    """
    return yaml.load(text, Loader=_LOADER)


def load_registry(path: Path = REGISTRY) -> dict[DatasetName, DatasetEntry]:
    """Read the registry of official files.

    Raises
    ------
    ConfigError
        The file is missing or not valid.
    """
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
        return {name: DatasetEntry.model_validate(entry) for name, entry in content.items()}
    except (OSError, yaml.YAMLError, ValidationError, AttributeError) as error:
        raise ConfigError(
            "The registry of data sets cannot be read.",
            where=str(path),
            got=str(error),
            fix="restore the file from the repository",
        ) from error


def dataset_entry(dataset: DatasetName, settings: DataSettings) -> DatasetEntry:
    """Return the registry's entry of a data set; of one's own, an entry that names no file.

    A variant has the entry of the data set that it varies.
    """
    own = settings.custom.get(dataset)
    if own is not None and own.variant_of is not None:
        return load_registry()[own.variant_of]
    if own is not None:
        return DatasetEntry(title=dataset, folders=[dataset], checksum_published=False, files=[])
    return load_registry()[dataset]


def raw_folders(raw_dir: Path, names: Iterable[str]) -> list[Path]:
    """Return the folders of a data set that hold anything, in the order of preference.

    Parameters
    ----------
    raw_dir
        Folder of all raw data.
    names
        Names that the data set's folder may have there; names that differ only in case come last.
    """
    known = list(names)
    with damage_reported(raw_dir):
        exact = [raw_dir / name for name in known]
        others = [folder for name in known for folder in _in_any_case(raw_dir, name)]
        return [folder for folder in dict.fromkeys(exact + others) if _is_filled(folder)]


def _in_any_case(folder: Path, name: str) -> list[Path]:
    found = [folder] if folder.is_dir() else []
    for part in PurePosixPath(name).parts:
        children = [child for parent in found for child in sorted(parent.iterdir())]
        found = [child for child in children if child.name.lower() == part.lower()]
        found = [child for child in found if child.is_dir()]
    return found


def _is_filled(folder: Path) -> bool:
    if folder.is_dir():
        return any(not is_hidden(child.name) for child in folder.iterdir())
    return folder.exists()  # a file in its place, which must not pass for nothing


def missing_error(
    entry: DatasetEntry, folder: Path, names: list[str], unused: Iterable[str] = ()
) -> DataError:
    """Return the error that says what is missing, where to get it and where to put it.

    Parameters
    ----------
    entry, folder
        The data set and its raw folder.
    names
        The missing files.
    unused
        What is there and not used, with reasons.
    """
    fix = f"get it from {entry.page} and put it into {folder}/: {entry.manual}"
    if all(entry.downloadable(name) for name in names):
        fix += "; or set data.download to true"
    seen = "; ".join(unused)
    return DataError(
        f"Raw files of {entry.title} are missing.",
        where=f"{folder}/",
        got=f"no {', no '.join(names)}" + (f"; seen there and not used: {seen}" if seen else ""),
        fix=f"{fix}. License: {entry.license}",
    )
