"""All images of a data set that cannot be used, in one error."""

from cactus.data.files.containers import is_archive
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import DataError

_SHOWN = 10
_MAX_REASON = 200


class Failures:
    """Collector of the errors of single images; it keeps their texts, not the images."""

    def __init__(self, tree: RawTree) -> None:
        self.count = 0
        self._tree = tree
        self._first: list[DataError] = []

    def add(self, entry: RawEntry, error: DataError) -> None:
        """Add the error of an image."""
        self.count += 1
        if len(self._first) < _SHOWN:
            fix = self._copy_fix(entry) if self._tree.in_archive(entry) else error.fix
            where = self._tree.where(entry)
            self._first.append(DataError(error.what, where=where, got=error.got, fix=fix))

    def error(self) -> DataError:
        """Return the error of the only image, or one that names the first and counts all."""
        if self.count == 1:
            return self._first[0]
        lines = [
            f"{one.where}: {one.what} {one.got[:_MAX_REASON]}".replace("\n", " ")
            for one in self._first
        ]
        if self.count > len(lines):
            lines.append(f"and {self.count - len(lines)} more")
        return DataError(
            f"{self.count} images cannot be used.",
            where=str(self._tree.root),
            got="\n         ".join(lines),
            fix="; or, ".join(dict.fromkeys(one.fix for one in self._first[:3])),
        )

    def _copy_fix(self, entry: RawEntry) -> str:
        """Say where a good copy of an archive's member is used instead of it."""
        folders = entry.path.split("/")
        inner = next(n for n, part in enumerate(folders, 1) if is_archive(part))
        above, inside = folders[: inner - 1], folders[inner:]
        copy = self._tree.root.joinpath(*above, *inside)
        return f"put a good copy at {copy}: it is used instead of the one in the archive"
