"""Write `docs/exit-codes.md` from the errors of the package.

Run it by `make config-docs`, or by `python -m docs.exit_codes_page`.
"""

from pathlib import Path
from typing import Final

from cactus import errors
from cactus.files import write_text

PAGE: Final = Path(__file__).parent / "exit-codes.md"
_EXIT_CODES: Final = """\
# Exit codes

Generated from `cactus.errors` by `make config-docs`; do not edit it by hand. `cactus` and each
job end with these:

| code | of | meaning |
|---|---|---|
| 0 | | Done, and all is well |
| 1 | | Done, and something is not: a cell is not fresh (`status`, `why`, `update`, \
`report`), the audit found something, two runs or results differ, or no job has run in both \
runs (`diff`, `replay`), something blocks a run (`doctor`, `data` of a named study), a run is left \
alone (`clean`). With a traceback: a bug |
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


def page() -> str:
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


if __name__ == "__main__":
    write_text(PAGE, page())
