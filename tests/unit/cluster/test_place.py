"""A clone lies where Snakemake can work."""

from pathlib import Path

import pytest

from cactus.cluster.environment import check_place
from cactus.errors import ConfigError


@pytest.mark.parametrize("name", ["a{b}c", "{", "a}"])
def test_braces_in_the_path_of_a_clone_are_refused(name: str):
    check_place(Path("/a (b) [c]/clone"))
    with pytest.raises(ConfigError, match="braces") as refused:
        check_place(Path("/", name, "clone"))
    assert refused.value.got == f"/{name}/clone"
