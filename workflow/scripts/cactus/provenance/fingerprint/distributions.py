"""Names and versions of installed distributions, as they are compared."""

import re


def normalized(distribution: str) -> str:
    """Return the name of a distribution as package indices compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def public_version(version: str) -> str:
    """Return a version without its local part, which names a build, e.g. ``+cu130``."""
    return version.partition("+")[0]
