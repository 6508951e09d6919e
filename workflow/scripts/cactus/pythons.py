"""The versions of Python that are supported: those that `envs/requirements.lock` was tested with.

Nothing else is imported here, so that an older Python gets to the message. `make` runs this file,
the Snakefile and the command `cactus` import it first.
"""

import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def problem(version: "tuple[int, ...]") -> str:
    """Return what to tell a user of another version of Python; empty if it is supported."""
    found = version[:2]
    if OLDEST <= found <= NEWEST:
        return ""
    oldest, newest, named = (".".join(map(str, one)) for one in (OLDEST, NEWEST, found))
    return (
        f"This version of Python is not supported.\n  where: {sys.executable}\n"
        f"  got:   Python {named}\n"
        f"  fix:   use Python {oldest} to {newest}, for example by "
        f"`make setup PYTHON=python{oldest}`, then `source .venv/bin/activate`"
    )


if text := problem(sys.version_info[:3]):
    print(text, file=sys.stderr)
    sys.exit(2)
