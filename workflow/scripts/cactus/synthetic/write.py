"""Write the synthetic version of a data set in its official raw format.

Only the generator of that data set is imported.
"""

import shutil
from importlib import import_module
from pathlib import Path

from cactus.config.sections.base import DatasetName
from cactus.config.sections.synthetic import SyntheticSettings
from cactus.errors import DataError
from cactus.files import write_json

# Marks a folder as generated: it may be replaced, and nobody mistakes it for the real data.
MARKER = "generated.json"


def write_synthetic(dataset: DatasetName, settings: SyntheticSettings, raw_dir: Path) -> None:
    """Write a synthetic data set to `raw_dir/<dataset>/`.

    The same settings give the same bytes. A folder written by an earlier call is replaced.

    Raises
    ------
    DataError
        The folder holds files that are not synthetic data: they might be the real data set.
    StorageError
        The disk is full or cannot be written.
    """
    folder = raw_dir / dataset
    check_replaceable(folder)
    shutil.rmtree(folder, ignore_errors=True)
    section = getattr(settings, dataset)
    facts = {"sample": True, "seed": settings.seed, "settings": section.model_dump()}
    # Written first, so that a folder left incomplete by an interruption can also be replaced.
    write_json(folder / MARKER, facts)
    module = import_module(f"cactus.synthetic.{dataset}.write")
    module.write_files(section, settings.seed, folder)


def check_replaceable(folder: Path) -> None:
    """Check that a folder is absent, empty or generated, so that it may be replaced.

    Raises
    ------
    DataError
        The folder holds files that are not synthetic data: they might be the real data set.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARKER).exists():
        raise DataError(
            "Synthetic data would overwrite files that are not synthetic data.",
            where=str(folder),
            got=f"{sum(1 for _ in folder.iterdir())} entries without {MARKER}",
            fix="write the synthetic data to another folder of raw data, or move these files away",
        )
