"""All images of a data set that cannot be used, in one error."""

from pathlib import Path

from cactus.data.files.containers import is_archive
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import DataError

_SHOWN = 10
_MAX_REASON = 200


class Failures:
    """Collector of the errors of single images; it keeps their texts, not the images."""

    def __init__(self, tree: RawTree) -> None:
        self.count = 0
        self._root = tree.root
        self._first: list[DataError] = []
        self._copy = ""

    def add(self, entry: RawEntry, error: DataError) -> None:
        """Add the error of an image."""
        self.count += 1
        if len(self._first) < _SHOWN:
            where = str(self._root / entry.path)
            self._first.append(DataError(error.what, where=where, got=error.got, fix=error.fix))
        if not entry.loose and not self._copy:
            self._copy = f"put a good copy at {self._loose_path(entry)}, which then counts"

    def error(self) -> DataError:
        """Return the error of the only image, or one that names the first and counts all."""
        one = self._first[0]
        fixes = dict.fromkeys([self._copy, *(each.fix for each in self._first)])
        fix = "; or ".join(filter(None, fixes))
        if self.count == 1:
            return DataError(one.what, where=one.where, got=one.got, fix=fix)
        lines = [
            f"{each.where}: {each.what} {each.got[:_MAX_REASON]}".replace("\n", " ")
            for each in self._first
        ]
        if self.count > len(lines):
            lines.append(f"and {self.count - len(lines)} more")
        return DataError(
            f"{self.count} images cannot be used.",
            where=str(self._root),
            got="\n         ".join(lines),
            fix=fix,
        )

    def _loose_path(self, entry: RawEntry) -> Path:
        """Return where a loose file counts instead of an archive's member."""
        parts = entry.path.split("/")
        archive = next(place for place, part in enumerate(parts) if is_archive(part))
        return self._root.joinpath(*parts[:archive], *parts[archive + 1 :])
