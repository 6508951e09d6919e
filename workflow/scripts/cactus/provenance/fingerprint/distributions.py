"""Names and versions of distributions, normalized for comparison."""

import re


def normalized(distribution: str) -> str:
    """Return the name of a distribution, normalized as in PEP 503."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def public_version(version: str) -> str:
    """Return a version without its local part, which identifies a build, e.g. ``+cu130``."""
    return version.partition("+")[0]
