"""Jobs run the first `python` on PATH, which must belong to this environment."""

import getpass
import os
import pwd
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest

from cactus.errors import CodeError
from cactus.provenance.execution.environment import (
    check_interpreter,
    check_libraries,
    collect_environment,
    log_header,
)
from cactus.provenance.execution.process import name_user
from cactus.provenance.records.objects import object_path
from cactus.provenance.records.plan import Plan
from tests.unit.provenance.samples import PLAN
from tests.workflow.project import ROOT


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


def test_a_library_on_pythonpath_is_named_with_its_folder(tmp_path, monkeypatch):
    (tmp_path / "torch-2.0.0.dist-info").mkdir()
    facts = "Metadata-Version: 2.1\nName: torch\nVersion: 2.0.0\n"
    (tmp_path / "torch-2.0.0.dist-info/METADATA").write_text(facts)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CodeError) as refused:
        check_libraries({"torch": metadata.version("torch"), "numpy": "1.0"})
    assert refused.value.where == "numpy"
    assert "make setup" in refused.value.fix
    with pytest.raises(CodeError) as refused:
        check_libraries({"torch": "2.14.1"})
    assert (refused.value.where, refused.value.got) == (
        f"torch in {tmp_path}",
        "2.0.0, planned 2.14.1",
    )
    assert f"remove {tmp_path} from PYTHONPATH" in refused.value.fix


def test_a_user_id_without_a_name_gets_one(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    name_user()
    named = "LOGNAME" in os.environ
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: {}[uid])
    name_user()
    assert not named
    assert getpass.getuser() == os.environ["LOGNAME"] == f"uid-{os.getuid()}"
    monkeypatch.delenv("LOGNAME")


@pytest.mark.parametrize(
    ("spec", "named"),
    [({"compute": {"device": "cpu"}}, 0), ({}, 0), ({"compute": {"device": "auto"}}, 1)],
)
def test_the_log_names_a_gpu_that_the_job_may_use(spec, named, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    header = log_header(Plan.model_validate({**PLAN, "spec": spec}), datetime.now(UTC), 1)
    assert header.count("GPU 0") == named


def test_packages_and_libraries_are_those_that_python_finds(monkeypatch, tmp_path: Path):
    own = tmp_path / "own"
    for name, text in (
        ("mine-1.5.dist-info", "Name: Mine\nVersion: 1.5\n\nVersion: 2\n"),
        ("numpy-0.1.dist-info", "Name: numpy\nVersion: 0.1\n"),  # not the first on the path
        ("~one-1.0.dist-info", ""),
    ):
        (own / name).mkdir(parents=True)
        if text:
            (own / name / "METADATA").write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path, str(own)])
    agent = collect_environment(tmp_path, ROOT, ["python", "numpy", "PyYAML"])
    assert agent.libraries == {name: metadata.version(name) for name in ("numpy", "PyYAML")}
    packages = object_path(tmp_path, agent.packages).read_text().splitlines()
    assert {"Mine==1.5", "numpy==0.1"} <= {*packages}
    named = [one for one in metadata.distributions() if one.read_text("METADATA")]
    assert packages == sorted(f"{one.name}=={one.version}" for one in named)
