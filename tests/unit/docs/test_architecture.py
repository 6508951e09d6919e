"""The picture of the packages is that of today's imports."""

import importlib.util

from tests.workflow.project import ROOT


def test_the_picture_is_that_of_the_imports():
    spec = importlib.util.spec_from_file_location("drawing", ROOT / "docs/draw_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    drawn = drawing.draw(drawing.read_imports())
    assert drawing.PICTURE.read_text() == drawn, "run `python docs/draw_architecture.py`"
