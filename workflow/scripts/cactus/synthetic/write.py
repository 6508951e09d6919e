"""Write the sample data of one data set in its official raw format.

Only that data set's own generator is imported.
"""

import shutil
from importlib import import_module
from pathlib import Path

from cactus.config.base import DatasetName
from cactus.config.sample import SampleSettings
from cactus.errors import DataError
from cactus.files import write_json

# Marks a folder as generated: it may be replaced, and nobody takes it for the real data.
MARKER = "generated.json"


def write_synthetic(dataset: DatasetName, settings: SampleSettings, raw_dir: Path) -> None:
    """Write a stand-in for a data set to `raw_dir/<dataset>/`.

    The same settings give the same bytes. A folder that an earlier call wrote is replaced.

    Parameters
    ----------
    dataset
        Which data set.
    settings
        Sizes and strength of the variation of all sample data sets, and their seed.
    raw_dir
        The folder of all raw data sets.

    Raises
    ------
    DataError
        The folder holds files that are no sample data: they might be the real data set.
    StorageError
        The disk is full or cannot be written.
    """
    folder = raw_dir / dataset
    check_replaceable(folder)
    shutil.rmtree(folder, ignore_errors=True)
    section = getattr(settings, dataset)
    facts = {"sample": True, "seed": settings.seed, "settings": section.model_dump()}
    # First, so that a folder left half written by an interruption can be replaced as well.
    write_json(folder / MARKER, facts)
    module = import_module(f"cactus.synthetic.{dataset}.write")
    module.write_files(section, settings.seed, folder)


def check_replaceable(folder: Path) -> None:
    """Check that a folder is absent, empty or holds generated data, so that it may be replaced.

    Raises
    ------
    DataError
        The folder holds files that are no sample data: they might be the real data set.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARKER).exists():
        raise DataError(
            "Sample data would overwrite files that are no sample data.",
            where=str(folder),
            got=f"{sum(1 for _ in folder.iterdir())} entries without {MARKER}",
            fix="write the sample data to another raw data folder, or move these files away",
        )
