"""The page of the commands is that of today's parsers, and every exit code has its meaning."""

import re

from cactus import errors
from cactus.cli.main import FUNCTIONS, command_function
from cactus.cli.parser import GROUPS
from docs import exit_codes_page
from docs.commands_page import PAGE, page


def test_the_page_is_that_of_the_parsers():
    assert PAGE.read_text() == page(), "run `python -m docs.commands_page`"


def test_every_command_is_in_a_group_and_has_a_function():
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted({*FUNCTIONS} - {""})
    assert all(callable(command_function(name)) for name in FUNCTIONS)


def test_the_page_of_exit_codes_is_that_of_todays_errors():
    assert exit_codes_page.PAGE.read_text() == exit_codes_page.page(), "run `make config-docs`"
    kinds = [one for one in vars(errors).values() if isinstance(one, type)]
    codes = {one.exit_code for one in kinds if issubclass(one, errors.CactusError)}
    assert codes <= {*map(int, re.findall(r"^\| (\d+) \|", exit_codes_page.page(), re.M))}
