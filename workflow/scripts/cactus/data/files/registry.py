"""The registry of official raw files, `config/datasets.yaml`."""

from pathlib import Path
from typing import Self

import yaml
from pydantic import Field, ValidationError, model_validator

from cactus.config.base import DatasetName, Settings
from cactus.errors import ConfigError, DataError
from cactus.splits import Split

CONFIG_FOLDER = Path(__file__).resolve().parents[5] / "config"
REGISTRY = CONFIG_FOLDER / "datasets.yaml"


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
    page: str
    license: str
    manual: str
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


def load_registry(path: Path = REGISTRY) -> dict[DatasetName, DatasetEntry]:
    """Read the registry of official files.

    Raises
    ------
    ConfigError
        The file is missing or not valid.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: DatasetEntry.model_validate(entry) for name, entry in content.items()}
    except (OSError, yaml.YAMLError, ValidationError, AttributeError) as error:
        raise ConfigError(
            "The registry of data sets cannot be read.",
            where=str(path),
            got=str(error),
            fix="restore the file from the repository",
        ) from error


def raw_folder(entry: DatasetEntry, raw_dir: Path) -> Path:
    """Return the first folder of the data set that is not empty, or else the default one."""
    folders = [raw_dir / name for name in entry.folders]
    filled = (folder for folder in folders if folder.is_dir() and any(folder.iterdir()))
    return next(filled, folders[0])


def missing_error(entry: DatasetEntry, folder: Path, names: list[str]) -> DataError:
    """Return the error that says what is missing, where to get it and where to put it."""
    fix = f"get it from {entry.page} and put it into {folder}/: {entry.manual}"
    if all(entry.downloadable(name) for name in names):
        fix += "; or set data.download to true"
    return DataError(
        f"Raw files of {entry.title} are missing.",
        where=f"{folder}/",
        got=f"no {', no '.join(names)}",
        fix=f"{fix}. License: {entry.license}",
    )
