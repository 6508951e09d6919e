"""Jobs run the first `python` on PATH, which must belong to this environment."""

import sys
from pathlib import Path

import pytest

from cactus.errors import CodeError
from cactus.provenance.execution.environment import check_interpreter


def put(folder: Path, text: str) -> None:
    """Write a program named python."""
    (folder / "python").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "python").chmod(0o755)


def test_the_python_of_this_environment_is_accepted_under_any_name(tmp_path, monkeypatch):
    put(tmp_path, f'exec {sys.executable} "$@"')
    monkeypatch.setenv("PATH", str(tmp_path))
    check_interpreter()


@pytest.mark.parametrize(
    ("program", "got"),
    [
        ("echo /usr", f"/python in /usr; Snakemake runs in {sys.prefix}"),
        ("exit 1", f"/python in no environment; Snakemake runs in {sys.prefix}"),
        (None, f"no such program; Snakemake runs in {sys.prefix}"),
    ],
)
def test_any_other_python_is_rejected_with_advice(program, got, tmp_path, monkeypatch):
    if program:
        put(tmp_path, program)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CodeError) as refused:
        check_interpreter()
    assert refused.value.got.endswith(got)
    assert f"source {sys.prefix}/bin/activate" in refused.value.fix
