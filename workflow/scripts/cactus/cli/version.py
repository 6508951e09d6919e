"""The version of this code: its number, and the commit where the clone knows it."""

import subprocess
from pathlib import Path

from cactus import __version__

_ROOT = Path(__file__).resolve().parents[4]


def version_text() -> str:
    """Return the version; in a git clone with the commit, and whether files differ from it."""
    top, commit = _git("rev-parse", "--show-toplevel"), _git("rev-parse", "--short=12", "HEAD")
    # The project may lie in a repository of someone else's.
    if not top or not commit or Path(top).resolve() != _ROOT:
        return f"cactus {__version__}"
    changed = ", with changes" if _git("status", "--porcelain", "--untracked-files=no") else ""
    return f"cactus {__version__} (commit {commit}{changed})"


def _git(*arguments: str) -> str:
    """Return what git says; nothing if it is missing or refuses."""
    command = ["git", "-C", str(_ROOT), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
