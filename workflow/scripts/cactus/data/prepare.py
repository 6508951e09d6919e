"""Preparation of a data set: raw files to memory-mappable arrays with a manifest.

Images are streamed: memory does not grow with their number, except that a pickle of miniImageNet
is read as a whole.
"""

import importlib
import sys
from pathlib import Path
from typing import cast

from cactus.config.sections.base import DatasetName, Settings
from cactus.config.sections.data.section import DataSettings
from cactus.data.arrays import (
    MANIFEST,
    Manifest,
    Sources,
    SplitRecord,
    array_record,
    image_writer,
    write_labels,
    write_manifest,
    write_sources,
)
from cactus.data.equal_pixels import EqualPixels
from cactus.data.files.fetch import Retry, download
from cactus.data.files.progress_lines import ProgressLines
from cactus.data.files.registry import (
    DatasetEntry,
    OfficialFile,
    dataset_entry,
    missing_error,
    raw_folders,
)
from cactus.data.files.tree import RawTree
from cactus.data.files.unused import unused_files
from cactus.data.names import names_path, write_names
from cactus.data.readers.base import RawDataset, RawSplit, Reader
from cactus.errors import printable
from cactus.splits import SPLITS


def prepare(
    dataset: DatasetName, settings: DataSettings, raw_dir: Path, output: Path, synthetic: bool
) -> Sources:
    """Write a data set's arrays, their sources and, last, their manifest; return the sources.

    Missing files with a stable URL are downloaded first, unless the settings forbid it or the
    data are synthetic.

    Parameters
    ----------
    dataset, settings
        The data set, and how it is read and split.
    raw_dir
        Folder with one folder of raw files per data set.
    output
        Folder for {split}_images.npy, uint8 (N, H, W, C), {split}_labels.npy, {split}_names.txt,
        sources.json and manifest.json.
    synthetic
        Whether the raw files are synthetic; recorded in the manifest.

    Raises
    ------
    DataError
        Raw files are missing, damaged, unsafe, refused or too few.
    StorageError
        The arrays cannot be written.
    """
    entry, reader = dataset_entry(dataset, settings), load_reader(dataset, settings)
    download = {"download": settings.download and not synthetic}
    folder = complete_raw(reader, entry, settings.model_copy(update=download), raw_dir)
    (output / MANIFEST).unlink(missing_ok=True)
    with RawTree(folder, entry, settings) as tree:
        raw = reader.read(tree, settings, entry)
        equal = EqualPixels()
        try:
            splits = {
                split.name: write_split(dataset, split, raw, output, equal) for split in raw.splits
            }
        except BaseException:
            for name in SPLITS:  # arrays without a manifest are of no use
                (output / f"{name}_images.npy").unlink(missing_ok=True)
                (output / f"{name}_labels.npy").unlink(missing_ok=True)
                names_path(output, name).unlink(missing_ok=True)
            raise
        sources = _sources(raw, tree, equal)
    write_sources(output, sources)
    shape = raw.image_shape
    write_manifest(
        output,
        Manifest(dataset=dataset, synthetic=synthetic, image_shape=shape, splits=splits),
    )
    return sources


def _sources(raw: RawDataset, tree: RawTree, equal: EqualPixels) -> Sources:
    records = tree.ledger.records()
    unofficial = [
        f"{record.file} is not an official file, sha256 {record.sha256}"
        for record in records
        if record.official is False
    ]
    return Sources(raw=records, notes=raw.notes + equal.notes() + unofficial)


def with_access(settings: DataSettings, access: Settings) -> DataSettings:
    """Return the settings with the keys that say where raw files are and how to get them."""
    return settings.model_copy(update=access.model_dump())


def check_raw(dataset: DatasetName, settings: DataSettings, raw_dir: Path) -> int | None:
    """Check in seconds, without decoding, that raw files are present or can be downloaded.

    Returns
    -------
    int or None
        Images of the training split, if files of one's own show them.

    Raises
    ------
    DataError
        Files are missing, an archive is truncated or unsafe, or a file is a web page.
    """
    entry, reader = dataset_entry(dataset, settings), load_reader(dataset, settings)
    _missing_files(reader, entry, settings, raw_dir, thorough=False)
    found: int | None = getattr(reader, "train_images", None)
    return found


def complete_raw(
    reader: Reader, entry: DatasetEntry, settings: DataSettings, raw_dir: Path
) -> Path:
    """Download what is missing and return the raw folder of the data set.

    Raises
    ------
    DataError
        Files are missing that cannot be downloaded.
    """
    folder, files = _missing_files(reader, entry, settings, raw_dir, thorough=True)
    for file in files:
        download(file, folder, Retry(settings.download_timeout, settings.download_attempts))
    return folder


def _missing_files(
    reader: Reader, entry: DatasetEntry, settings: DataSettings, raw_dir: Path, *, thorough: bool
) -> tuple[Path, list[OfficialFile]]:
    """Return the raw folder and the needed files that are missing in it.

    Of several folders, the first complete one is taken. Without `thorough`, tar archives are not
    listed and are assumed to hold what is missing.

    Raises
    ------
    DataError
        Missing files cannot or may not be downloaded.
    """
    folders = raw_folders(raw_dir, entry.folders) or [raw_dir / entry.folders[0]]
    official = [file.name for file in entry.files]
    looks = []
    for folder in folders:
        with RawTree(folder, entry, settings, list_tars=thorough) as tree:
            names = [] if tree.unlisted else reader.missing(tree)
            if not names:
                return folder, []
            parts = [f"{name}.part" for name in names if settings.download]
            unused = unused_files(tree, reader.uses, {*official, *names}, parts)
        looks.append((folder, names, unused))
    folder, names, unused = looks[0]
    unused += [f"{other}/ (lacks {', '.join(lacks)})" for other, lacks, _ in looks[1:]]
    files = [file for name in names if (file := entry.file(name)) and file.urls]
    if len(files) < len(names) or not settings.download:
        raise missing_error(entry, folder, names, unused)
    if unused:
        note = (
            f"note: {entry.title}: seen in {folder}/ and not used: {'; '.join(unused)}. "
            f"Missing files are downloaded: {', '.join(names)}"
        )
        print(printable(note), file=sys.stderr)
    return folder, files


def load_reader(dataset: DatasetName, settings: DataSettings) -> Reader:
    """Return the module `cactus.data.readers.<dataset>`, or the reader of a data set of one's own.

    Only the code of this data set is imported.
    """
    own = settings.custom.get(dataset)
    if own is None:
        return cast(Reader, importlib.import_module(f"cactus.data.readers.{dataset}"))
    form = importlib.import_module(f"cactus.data.custom.{own.form}")
    return cast(Reader, form.CustomReader(dataset, own))


def write_split(
    dataset: DatasetName, split: RawSplit, raw: RawDataset, output: Path, equal: EqualPixels
) -> SplitRecord:
    """Write the arrays of a split and return their record; collect its images in `equal`."""
    height, width, channels = raw.image_shape
    shape = (len(split.labels), height, width, channels)
    path = output / f"{split.name}_images.npy"
    progress = ProgressLines(f"preparing {dataset} {split.name}", shape[0], "images")
    with image_writer(path, shape) as write_row:
        for row, image in split.images:
            write_row(row, image)
            equal.add(split.name, row, image)
            progress.advance()
    progress.finish()
    write_names(output, split.name, split.names)
    print(f"prepared {dataset} {split.name}: {shape[0]} images", file=sys.stderr, flush=True)
    return SplitRecord(
        images=array_record(path, shape, "uint8"),
        labels=write_labels(output / f"{split.name}_labels.npy", split.labels),
        classes=split.classes,
        attributes=split.attributes,
    )
