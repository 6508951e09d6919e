"""Prepare class folders of one's own, or see them refused."""

from pathlib import Path
from typing import Any

import pytest

from cactus.data.arrays import Manifest, load_manifest
from cactus.data.prepare import check_raw, prepare
from cactus.errors import DataError
from tests.unit.data.custom.drawing import settings

LISTS = {"train": ["circle", "ring"], "val": ["square"], "test": ["bar"]}
BY_LISTS = {"split": {"classes": LISTS}}


def prepared(tmp_path: Path, **own: Any) -> Manifest:
    """Prepare the files below ``raw/shapes``, whose number is known before, if it is at all."""
    counted = check_raw("shapes", settings(**own), tmp_path / "raw")
    prepare("shapes", settings(**own), tmp_path / "raw", tmp_path / "out", synthetic=False)
    manifest = load_manifest(tmp_path / "out")
    assert counted in (None, manifest.splits["train"].images.shape[0])
    return manifest


def refused(tmp_path: Path, **own: Any) -> DataError:
    """Return the error, which the check before the first job raises, too."""
    with pytest.raises(DataError) as early:
        check_raw("shapes", settings(**own), tmp_path / "raw")
    with pytest.raises(DataError) as late:
        prepare("shapes", settings(**own), tmp_path / "raw", tmp_path / "out", synthetic=False)
    assert str(early.value) == str(late.value)
    return late.value
