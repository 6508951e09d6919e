"""The record of a raw file, as the manifest keeps it."""

from cactus.config.base import Settings


class RawRecord(Settings):
    """A raw file that was read.

    `official` says whether its checksum is the published one; None if none is published.
    """

    file: str
    sha256: str
    official: bool | None
