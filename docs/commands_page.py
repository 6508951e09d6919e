"""Write `docs/commands.md` and `docs/exit-codes.md` from the parser of `cactus` and the errors.

Run it by `make config-docs`, or by `python -m docs.commands_page`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cactus.cli.main as command
from cactus import errors
from cactus.files import write_text

FOLDER: Final = Path(__file__).parent
_COMMANDS: Final = """\
# Commands

Generated from the command's parser by `make config-docs`; do not edit it by hand.
`cactus COMMAND --help` prints the same. Commands are called in the folder that holds `results`,
with the environment of the run active.

"""
_EXIT_CODES: Final = """\
# Exit codes

Generated from `cactus.errors` by `make config-docs`; do not edit it by hand. `cactus` and each
job end with these:

| code | of | meaning |
|---|---|---|
| 0 | | Done; of `status`, `why`, `audit`, `diff`: fresh, all agrees, no difference |
| 1 | | Of `status`, `why`, `audit`, `diff`, `update`: something is not. With a traceback: a bug |
| 2 | | The command line is wrong |
"""
_SIGNALS: Final = """\
| 128 + n | | Ended by signal n: 130 by Ctrl-C, 143 by SIGTERM, 141 as a pipe was closed |
| 137 | | Killed, mostly because memory ran out |

A message goes with each error: what failed, where, what was found, and how to fix it
([troubleshooting.md](troubleshooting.md)). Snakemake itself ends with 0 or 1, whatever the code of
a job was; the log and `cactus status` have the job's message. A job that ends with 75 resumes when
the same command is run again.
"""


def commands_page() -> str:
    """Return the page of commands in Markdown."""
    (action,) = (
        one for one in command._parser()._actions if isinstance(one, argparse._SubParsersAction)
    )
    parts = [_COMMANDS]
    for name, parser in action.choices.items():
        parts += [f"## cactus {name}\n\n", f"{_sentence(parser.description or '')}\n\n"]
        rows = [*map(_row, _options(parser))]
        if rows:
            parts += ["| argument | meaning |\n|---|---|\n", *rows, "\n"]
        if parser.epilog:
            parts += [f"{parser.epilog}\n\n"]
    return "".join(parts).rstrip("\n") + "\n"


def exit_codes_page() -> str:
    """Return the page of exit codes in Markdown."""
    kinds = [
        one
        for one in vars(errors).values()
        if isinstance(one, type)
        and issubclass(one, errors.CactusError)
        and one is not errors.CactusError
    ]
    rows = []
    for one in sorted(kinds, key=lambda kind: kind.exit_code):
        meaning = (one.__doc__ or "").splitlines()[0].rstrip(".")
        rows += [f"| {one.exit_code} | `{one.__name__}` | {meaning} |\n"]
    return _EXIT_CODES + "".join(rows) + _SIGNALS


def _options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for one in parser._actions:
        if not isinstance(one, argparse._HelpAction):
            yield one


def _row(one: argparse.Action) -> str:
    shown = one.metavar if isinstance(one.metavar, str) else None
    if not one.option_strings:
        name = shown or one.dest.upper()
        name = f"[{name}]" if one.nargs in ("?", "*") else name
        name = f"{name} ..." if one.nargs in ("*", "+") else name
    else:
        choices = "|".join(map(str, one.choices)) if one.choices else None
        value = "" if one.nargs == 0 else f" {shown or choices or one.dest.upper()}"
        name = f"{', '.join(one.option_strings)}{value}"
        name = f"{name} ..." if one.nargs == "+" else name
    meaning = _sentence(one.help or "") + (
        " Required." if one.required and one.option_strings else ""
    )
    escaped = name.replace("|", r"\|")
    return f"| `{escaped}` | {meaning} |\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


if __name__ == "__main__":
    write_text(FOLDER / "commands.md", commands_page())
    write_text(FOLDER / "exit-codes.md", exit_codes_page())
