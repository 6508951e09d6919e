"""Shared by all unit tests."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _own_module_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep folders that a custom embedding adds to the path of modules from the next tests."""
    monkeypatch.setattr(sys, "path", [*sys.path])
