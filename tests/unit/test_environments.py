import re
from pathlib import Path

import pytest
import yaml

import cactus

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"


def locked_versions() -> dict[str, str]:
    lock = (ENVS / "requirements.lock").read_text()
    return dict(re.findall(r"^([\w.-]+)==([^ \\]+)", lock, re.M))


@pytest.mark.parametrize("name", ["requirements", "crate-tools", "docs"])
def test_every_requirement_is_locked_with_hashes(name: str):
    names = [
        re.split(r"[=<>]", line)[0]
        for line in (ENVS / f"{name}.in").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    lock = (ENVS / f"{name}.lock").read_text()
    locked = re.findall(r"^([\w.-]+)==", lock, re.M)
    assert set(names) <= set(locked)
    assert lock.count("--hash=sha256:") >= len(locked)
    # No host of a registry, and no path of the computer that resolved it.
    assert "://" not in lock
    assert not re.search(r"(?<![\w.-])/\w", lock)


def test_the_conda_environment_has_the_locked_versions():
    environment = yaml.safe_load((ENVS / "cactus.yaml").read_text())
    pins = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert len(pins) > 8
    for pin in pins:
        name, version = pin.split("==")
        assert locked_versions()[name] == version


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == cactus.__version__
    changes = (ROOT / "CHANGELOG.md").read_text()
    newest = re.search(r"^## \[(\d[\d.]*)\] - (.+)$", changes, re.M)
    assert newest
    assert newest[1] == cactus.__version__
    assert newest[2] in ("unreleased", str(citation["date-released"]))
