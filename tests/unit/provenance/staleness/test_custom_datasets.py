"""Modules of data sets of one's own that cannot run are refused before any job."""

from pathlib import Path
from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.config.models import Config
from cactus.errors import ConfigError
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.custom_code import check_custom_code
from cactus.stages.prepare_data import STAGE as PREPARE_DATA

SCRIPTS = Path(__file__).parents[4] / "workflow/scripts"
GOOD = """
from cactus.config.sections import base

raise SystemExit("nobody runs this")


class Settings(base.Settings):
    size: int
    ink: str = "black"


def read(settings):
    return [], []
"""


def config(datasets: tuple[str, ...] = ("digits",), **own: Any) -> Config:
    keys = {"image_size": 16, "channels": 1, "module": "mine.py", "settings": {"size": 3}, **own}
    return parse_config(
        {
            "grid": {"datasets": list(datasets), "embeddings": ["acai"]},
            "data": {"custom": {"digits": keys}},
        }
    )


def refused(folder: Path, source: str | None, **own: Any) -> ConfigError:
    if source is not None:
        (folder / "mine.py").write_text(source)
    with pytest.raises(ConfigError) as error:
        check_custom_code(config(**own), tree(folder))
    return error.value


def tree(folder: Path) -> SourceTree:
    return SourceTree(SCRIPTS, HashCache(None), folder)


def test_the_example_is_accepted():
    example = "docs/examples/digits.py"
    check_custom_code(config(module=example, settings={}), tree(SCRIPTS.parents[1]))


@pytest.mark.parametrize(
    ("source", "own", "where", "told"),
    [
        (None, {}, "module", "'mine.py'"),
        (GOOD.replace("def read", "def load"), {}, "module", "no `read`"),
        (GOOD.replace("class Settings", "class Keys"), {}, "module", "no `Settings`"),
        ("def read(:", {}, "module", "mine.py"),
        (GOOD, {"settings": {}}, "module", "`size`, which has no default"),
        (GOOD, {"settings": {"size": 1, "inc": "red"}}, "settings.inc", "'inc'"),
        (GOOD, {"files": ["none.npz"]}, "", "none.npz: no such file"),
        ("from .helper import read\n" + GOOD, {}, "module", "relative import in line 1"),
    ],
)
def test_modules_that_cannot_run_are_named(tmp_path, source, own, where, told):
    error = refused(tmp_path, source, **own)
    assert told in error.got
    assert not where or error.where == f"data.custom.digits.{where}"
    assert "embedding" not in error.what


def test_an_unused_module_need_not_exist(tmp_path):
    check_custom_code(config(("omniglot",)), tree(tmp_path))


def test_its_code_and_its_files_count():
    made = config(files=["digits.npz"])
    wildcards = PREPARE_DATA.parse("digits")
    assert PREPARE_DATA.modules(made, wildcards) == ("cactus.data.custom.module", "mine.py")
    assert PREPARE_DATA.declared_files(made, wildcards) == ["digits.npz"]
    assert PREPARE_DATA.data_files(made, wildcards) == ()
