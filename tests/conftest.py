"""Shared by all tests: how a GPU computes, if there is one."""

import os
import sys
from collections.abc import Iterator

import pytest

# cuBLAS reads it once, at its first call in a process, and some test may be earlier than the first
# that asks for deterministic kernels.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


@pytest.fixture(autouse=True)
def _own_determinism() -> Iterator[None]:
    """Keep a test that asks for deterministic kernels from changing the next ones."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_deterministic_debug_mode("default")
        torch.utils.deterministic.fill_uninitialized_memory = True
