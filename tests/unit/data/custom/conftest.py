from pathlib import Path

import pytest

from tests.unit.data.custom.drawing import write_folders


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Class folders of every kind of shape."""
    return write_folders(tmp_path / "raw/shapes")
