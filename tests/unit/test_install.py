"""`pip install .` gives a working package, with its dependencies declared."""

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Names of packages that are imported by another name.
NAMES = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
# Those that come with Snakemake and pydantic, which are declared.
PARTS = {"snakemake-interface-common", "snakemake-interface-executor-plugins",
         "snakemake-interface-logger-plugins", "typing-extensions"}  # fmt: skip
BUILD = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
USE = """
import numpy as np
from cactus.api import KMeansPartitions, ProtoNets, sample_episodes
import cactus
images = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 1), dtype=np.uint8)
labels = KMeansPartitions(3, 2, min_size=4).fit(images.reshape(60, -1)).labels_
ProtoNets(way=3, query=2, iterations=2, filters=4, device="cpu").fit(images, labels)
print(cactus.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel from a copy of the project, as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    shutil.copy(ROOT / "pyproject.toml", source)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "workflow", source / "workflow", ignore=ignored)
    command = [sys.executable, "-c", BUILD, str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    return folder / done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_an_installed_package_trains_away_from_its_source(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as archive:
        assert "cactus/py.typed" in archive.namelist()
        archive.extractall(tmp_path / "site")
    environment = {"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "site") in done.stdout


def declared() -> set[str]:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {re.match(r"[\w-]+", one)[0] for one in content["project"]["dependencies"]}


def test_the_wheel_has_the_templates_of_the_report(wheel: Path):
    folder = ROOT / "workflow/scripts/cactus/report/templates"
    with zipfile.ZipFile(wheel) as content:
        names = {Path(name).name for name in content.namelist() if "report/templates/" in name}
    assert names == {path.name for path in folder.iterdir()}


def test_everything_that_is_imported_is_declared():
    wanted = set()
    for path in (ROOT / "workflow/scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                wanted |= {one.name.split(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                wanted.add(node.module.split(".")[0])
    own = {path.stem for path in (ROOT / "workflow/scripts").iterdir()}
    others = {name for name in wanted if name not in sys.stdlib_module_names} - own
    packages = {NAMES.get(name, name).replace("_", "-").lower() for name in others}
    assert packages - declared() <= PARTS
    for name in declared() & packages:
        assert importlib.metadata.version(name)


def test_what_is_declared_is_locked():
    lock = (ROOT / "envs/requirements.in").read_text()
    names = set(re.findall(r"^([\w-]+)", lock, re.M))
    assert declared() <= names
