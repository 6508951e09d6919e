"""Custom embeddings that cannot run are refused before any job, without running their code."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.errors import ConfigError
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.custom_code import check_custom_code
from tests.workflow.project import ROOT

SCRIPTS = ROOT / "workflow/scripts"
GOOD = """
raise SystemExit("the planner ran the module")

from cactus.config.sections import base
from cactus.config.sections.base import setting


class Settings(base.Settings):
    dims: base.Count = setting(3, "Dimensions.")
    limit: float


class Method:
    def __init__(self, settings, shape, seed, device): ...
    def total_steps(self, count): return 1
    def fit(self, images, log, checkpoints): ...
    def encode(self, images): return images
    def diagnose(self, images, path): ...
    def state_dict(self): return {}
    def load_state_dict(self, state): ...
"""
TRAINED = """
import torch
from torch import nn
from cactus.config.sections.embeddings.base import MethodSettings
from cactus.embed.base import TrainedEmbedding


class Settings(MethodSettings):
    limit: float = 0.0


class Method(TrainedEmbedding[Settings]):
    def total_steps(self, count): return 1
    def train_step(self, images, indices): ...
    @torch.no_grad()
    def encode_batch(self, images): ...
    def diagnose(self, images, path): ...
"""
MODULE = GOOD.replace("class Method:", "class Method(nn.Module):").replace(
    "    def state_dict(self): return {}\n    def load_state_dict(self, state): ...\n", ""
)


def check(folder: Path, text: str = GOOD, **changes: Any) -> None:
    (folder / "mine.py").write_text(text)
    entry = {"module": "mine.py", "settings": {"limit": 1.5}, **changes}
    grid = {"datasets": ["mnist", "omniglot"], "embeddings": ["mine"], "controls": {}}
    config = parse_config({"grid": grid, "embeddings": {"custom": {"mine": entry}}})
    check_custom_code(config, SourceTree(SCRIPTS, HashCache(None), folder))


def without(line: str) -> str:
    changed = "\n".join(one for one in GOOD.splitlines() if not one.strip().startswith(line))
    assert changed != GOOD
    return changed


def changed(old: str, new: str, text: str = GOOD) -> str:
    assert old in text
    return text.replace(old, new)


ACCEPTED = {
    "the contract": GOOD,
    "networks trained step by step": TRAINED,
    "a PyTorch module": MODULE,
    "a mark of bytes": "\ufeff" + GOOD,
    "a default in an annotation": changed(
        "limit: float", "limit: Annotated[float, Field(default=3)]"
    ),
    "any arguments": changed("(self, images, log, checkpoints)", "(self, *arguments)"),
    "further ones with defaults": changed("(self, images, path)", "(self, images, path, size=3)"),
    "a decorated method": changed("    def encode", "    @my.wrapper\n    def encode"),
    "a name for a class": changed("class Method:", "class Mine:") + "\nMethod = Mine\n",
    "a function": changed("class Method:", "class Mine:") + "\ndef Method(*a): return Mine(*a)\n",
    "a base that is not read": changed("class Method:", "class Method(other.Base):"),
    "another module's class": "from cactus.embed.acai import Acai as Method\nfrom x import *\n",
    "methods given as values": changed("def encode(self, images): return images", "encode = other"),
    "a class of its base's name": GOOD + "\nfrom other import Method as Method\n"
    "class Method(Method): ...\n",
    "a base beside it": "from cactus.config.sections.base import Settings as Base\n"
    "from parts import Half\nclass Settings(Base):\n  limit: float\n"
    "class Method(Half):\n  def encode(self, images): ...\n",
}  # fmt: skip


@pytest.mark.parametrize("what", ACCEPTED)
def test_modules_that_can_run_are_accepted(tmp_path: Path, what: str):
    (tmp_path / "parts.py").write_text(
        changed("class Method:", "class Half:", without("def encode"))
    )
    check(tmp_path, ACCEPTED[what])


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no such file": (GOOD, {"module": "mien.py"}, "did you mean 'mine.py'?"),
    "no such module": (GOOD, {"module": "nowhere.mine"}, "'nowhere.mine'"),
    "a forgotten suffix": (GOOD, {"module": "mine"}, "did you mean 'mine.py'?"),
    "a misspelled file in a folder": (
        GOOD, {"module": "own/parts.py"}, "did you mean 'own/part.py'?",
    ),
    "a library": (GOOD, {"module": "torch"}, "is a library's, not your own"),
    "a library's file": (GOOD, {"module": json.__file__}, "is a library's, not your own"),
    "a package as a folder": (GOOD, {"module": "package"}, "did you mean 'package/__init__.py'?"),
    "a module of one": (GOOD, {"module": "package.sub"}, "did you mean 'package/sub.py'?"),
    "a folder": (GOOD, {"module": "own"}, "'own', which is a folder"),
    "a device": (GOOD, {"module": "/dev/null"}, "'/dev/null', which is a device"),
    "a path without suffix": (GOOD, {"module": "./mine"}, "did you mean './mine.py'?"),
    "a relative name": (GOOD, {"module": ".mine"}, "'.mine'"),
    "too long a name": (GOOD, {"module": "x" * 5000}, "a name that a file can have"),
    "too long a file": (GOOD, {"files": ["x" * 5000]}, "too long"),
    "no name": (GOOD, {"files": [""]}, "the name ''"),
    "a zero": (GOOD, {"files": ["a\0b"]}, "null byte"),
    "broken source": ("def f(:", {}, "mine.py: invalid syntax"),
    "not a source": ("x = '\0'", {}, "null bytes"),
    "no method class": (changed("class Method", "class Mehtod"), {}, "no class `Method`"),
    "no settings": (changed("class Settings", "class Setings"), {}, "no class `Settings`"),
    "no encode": (without("def encode"), {}, "no encode"),
    "a typo": (changed("def diagnose", "def diagnoze"), {}, "no diagnose"),
    "no constructor": (without("def __init__"), {}, "no __init__"),
    "an abstract step": (changed("def train_step", "def step", TRAINED), {}, "no train_step"),
    "a module without encode": (changed("def encode", "def forward", MODULE), {}, "no encode"),
    "half a base": (
        "from cactus.config.sections.base import Settings\nfrom parts import Half\n"
        "class Method(Half): ...\n", {}, "no encode",
    ),
    "too few arguments": (changed("shape, seed, device", "shape"), {}, "`__init__` in line 14"),
    "too many arguments": (changed("(self, images):", "(self, images, labels):"), {}, "`encode`"),
    "named arguments": (changed("(self, count)", "(self, *, count)"), {}, "`total_steps` in"),
    "no self": (changed("def state_dict(self)", "def state_dict()"), {}, "`state_dict` in"),
    "a generator": (changed("return images", "yield images[0]"), {}, "`encode` in line 17"),
    "a coroutine": (changed("def encode", "async def encode"), {}, "coroutine"),
    "a relative import": ("from .parts import x\n" + GOOD, {}, "a relative import in line 1"),
    "an unknown key": (GOOD, {"settings": {"limit": 1.5, "dim": 2}}, "did you mean 'dims'?"),
    "a key for one data set": (
        GOOD, {"per_dataset": {"omniglot": {"settings": {"dimz": 2}}}}, "settings.dimz",
    ),
    "a key of a base class": (TRAINED, {"settings": {"batch_sizes": 2}}, "mean 'batch_size'?"),
    "no value": (GOOD, {"settings": {}}, "`limit`, which has no default"),
    "a missing file": (GOOD, {"files": ["weights.pt"]}, "weights.pt: no such file"),
    "an empty pattern": (GOOD, {"files": ["*.npz"]}, "*.npz: no such file"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_modules_that_cannot_run_are_refused(tmp_path: Path, what: str):
    (tmp_path / "parts.py").write_text(
        changed("class Method:", "class Half:", without("def encode"))
    )
    (tmp_path / "own").mkdir()
    (tmp_path / "own/part.py").touch()
    (tmp_path / "package").mkdir()
    for name in ("__init__", "sub"):
        (tmp_path / f"package/{name}.py").touch()
    text, changes, expected = REFUSED[what]
    with pytest.raises(ConfigError) as caught:
        check(tmp_path, text, **changes)
    assert expected in str(caught.value)
    assert "embeddings.custom" in caught.value.where
    assert caught.value.got
    assert caught.value.fix


def test_an_embedding_that_the_grid_leaves_out_is_not_checked(tmp_path: Path):
    custom = {"mine": {"module": "nowhere.py"}}
    config = parse_config({"embeddings": {"custom": custom}})
    check_custom_code(config, SourceTree(SCRIPTS, HashCache(None), tmp_path))


@pytest.mark.parametrize("module", ["docs/examples/pca.py", "tests/cluster/patient.py"])
def test_the_examples_of_the_project_pass_without_pytorch(module: str):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cactus.config.load import parse_config\n"
        "from cactus.provenance.fingerprint.closure import SourceTree\n"
        "from cactus.provenance.fingerprint.hash_cache import HashCache\n"
        "from cactus.provenance.staleness.custom_code import check_custom_code\n"
        "grid = {'datasets': ['mnist'], 'embeddings': ['mine'], 'controls': {}}\n"
        f"custom = {{'mine': {{'module': {module!r}}}}}\n"
        "config = parse_config({'grid': grid, 'embeddings': {'custom': custom}})\n"
        f"tree = SourceTree(Path({str(SCRIPTS)!r}), HashCache(None), Path({str(ROOT)!r}))\n"
        "check_custom_code(config, tree)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
