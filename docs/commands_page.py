"""Write `docs/commands.md` from the parsers of `cactus`.

Run it by `make config-docs`, or by `python -m docs.commands_page`.
"""

import argparse
import re
from pathlib import Path
from typing import Final

from cactus.cli.parser import GROUPS, build_parser
from cactus.files import write_text

PAGE: Final = Path(__file__).parent / "commands.md"
_HEADER: Final = """\
# The command `cactus`

Generated from the parsers by `make config-docs`; do not edit it by hand.

`cactus` alone shows the runs that are here and what can be done next. Every command works from any
folder of the project: it looks for the project upward, and from there for files to read that are
not in the current folder. Without a run, the one in whose folder you are counts, else the one that
was planned last, and standard error names it if there are several; a run or study that is given
wins. All commands but those that make something also work on a run that nobody may write to.

With `--json`, a command prints the same facts as JSON on standard output; notes and errors go to
standard error. Colors appear on a terminal alone, and not if `NO_COLOR` is set. `cactus --version`
prints the version and, in a git clone, the commit. [exit-codes.md](exit-codes.md) says what each
exit code means.

"""


def page() -> str:
    """Return the page in Markdown."""
    (action,) = (
        one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction)
    )
    lines: list[str] = []
    for title, names in GROUPS.items():
        lines += [f"## {title.capitalize()}", ""]
        for name in names:
            lines += _command(action.choices[name])
    return _HEADER + "\n".join(lines)


def _command(parser: argparse.ArgumentParser) -> list[str]:
    lines = [f"### `{parser.prog}`", "", str(parser.description), ""]
    shown = [one for one in parser._actions if not isinstance(one, argparse._HelpAction)]
    if shown:
        lines += [
            "| argument | meaning |",
            "|---|---|",
            *map(_row, sorted(shown, key=_is_option)),
            "",
        ]
    return [*lines, *([parser.epilog, ""] if parser.epilog else [])]


def _is_option(action: argparse.Action) -> bool:
    return bool(action.option_strings)


def _row(action: argparse.Action) -> str:
    """Return the row of an argument; of choices, it names all."""
    choices = ", ".join(f"`{one}`" for one in action.choices or ())
    value = action.metavar or ("" if choices else action.dest.upper())
    name = ", ".join(action.option_strings)
    if not name or action.nargs != 0:
        name = f"{name} {value}".strip() or action.dest
    needed = " (required)" if action.required and action.option_strings else ""
    told = (action.help or "") % vars(action)  # as argparse does
    meaning = "; ".join(filter(None, [told + needed, choices]))
    return f"| `{name}` | {re.sub(r'[|]', '/', meaning)} |"


if __name__ == "__main__":
    write_text(PAGE, page())
