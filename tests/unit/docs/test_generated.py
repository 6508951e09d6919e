"""The generated pages of commands and exit codes are in step with the code."""

import re

from cactus.cli.main import COMMANDS
from docs.commands_page import FOLDER, commands_page, exit_codes_page


def test_the_pages_are_in_step_with_the_code():
    message = "run `make config-docs`"
    assert (FOLDER / "commands.md").read_text(encoding="utf-8") == commands_page(), message
    assert (FOLDER / "exit-codes.md").read_text(encoding="utf-8") == exit_codes_page(), message


def test_every_command_and_its_options_are_there():
    page = commands_page()
    assert re.findall(r"^## cactus (\w+)$", page, re.M) == [*COMMANDS]
    assert "| `--reason REASON` | Why it cannot change the results. Required. |" in page
    assert r"gpus\|gres\|none" in page
