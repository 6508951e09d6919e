"""One look: colors on a terminal alone, and only if the user wants them."""

import os
import pty
import subprocess
import sys

import pytest

from cactus.cli.text import columns, size

SCRIPT = "from cactus.cli.text import columns; print(columns([('a', 'stale'), ('bc', 'x')]))"


def on_terminal(**variables: str) -> str:
    terminal, end = pty.openpty()
    environment = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-c", SCRIPT],
        stdout=end,
        env={**environment, "PYTHONPATH": "workflow/scripts", "TERM": "xterm", **variables},
        check=True,
    )
    os.close(end)
    return os.read(terminal, 1000).decode().replace("\r\n", "\n")


def test_words_for_a_state_have_a_color_on_a_terminal():
    assert on_terminal() == "a   \x1b[33mstale\x1b[0m\nbc  x\n"
    plain = "a   stale\nbc  x\n"
    assert on_terminal(NO_COLOR="1") == plain
    assert on_terminal(TERM="dumb") == plain
    assert columns([("a", "stale"), ("bc", "x")]) + "\n" == plain


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (25.3e9, "25.3 GB"),
        (3e15, "3000.0 TB"),
    ],
)
def test_sizes_have_suitable_units(number, text):
    assert size(number) == text
