"""Raw files that are seen and not used, and why: said wherever a data set is incomplete."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable

from cactus.data.files.containers import is_archive
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import few

# What browsers and file managers append to the name of a second copy.
_COPY = re.compile(
    r"(\s*\(\d+\)|\s*-\s*(copy|kopie|copie|copia|c\u00f3pia)(\s*\(\d+\))?|\s+copy(\s+\d+)?|_copy|~\d+"
    r"|\s+\d+)(?=(\.\w+)*$)",
    re.IGNORECASE,
)
_TEXT = "a text file of another name than is read"
_PREFIX = re.compile(r"(copy of|kopie von|copie de|copia de) ", re.IGNORECASE)
_KINDS = (
    (
        r"\.(z\d\d|\d{3}|r\d\d|part\d+\.rar|7z\.\d+|zip\.\d+|part[a-z]{2})",
        "one volume of a split archive: join the volumes, unpack them here",
    ),
    (
        r"\.(rar|7z|zst|tzst|lz4|lz|lzma|br|z|iso|dmg|cab)",
        "packed in a way that is not read: unpack it here",
    ),
    (r"(?<![a-z])(list|attr|attributes|partition|train|val|test)(?![a-z]).*\.txt", _TEXT),
    (r"\.np[yz]", "NumPy arrays, which are not read"),
    (r"\.(csv|tsv|xlsx?)", "a table, which is not read"),
    (
        r"\.(pkl|pickle|pth?|mat|h5|hdf5|parquet|arrow|feather|tfrecords?(-\d+-of-\d+)?|[lm]db|arff|jsonl?|bin)",
        "data of another kit, which are not read",
    ),
    (r"\.(bz2|xz|gz)", "a compressed file that is none of the data set's"),
    (
        r"\.(png|apng|jpe?g|jpe|jfif|bmp|gif|webp|tiff?|jp2|jpx|j2k|jxl|hei[cf]s?|avifs?|p[bgpnf]m|svg"
        r"|tga|ico|psd|xcf|exr|hdr|qoi|dcm|dng|cr[23]|nef|arw|raw)",
        "images that are none of the data set's, by name or folder",
    ),
)
_PATTERNS = [(re.compile(rf".*{suffix}$", re.IGNORECASE), reason) for suffix, reason in _KINDS]
_IMAGES = _PATTERNS[-1][0]
_SIMILAR = 0.85


def unused_files(
    tree: RawTree,
    uses: Callable[[RawEntry], bool],
    official: Iterable[str],
    resumed: Collection[str] = (),
) -> list[str]:
    """Return what is seen in a raw folder and not used, a few names for each reason.

    Parameters
    ----------
    tree
        The raw files.
    uses
        Whether the data set's reader reads a file of this name.
    official
        Names of the files that belong to the data set.
    resumed
        Names of unfinished downloads that are ours and go on.
    """
    names = sorted(official)
    found: dict[str, list[str]] = {}
    for path, reason in tree.unread.items():
        if path in resumed:
            continue
        found.setdefault(reason, []).append(path)
    for name in names:
        if (tree.root / name).is_dir() and not is_archive(name):
            found.setdefault("a folder, not a file", []).append(f"{name}/")
    for entry in tree.entries:
        why = None if uses(entry) else _reason(entry, names)
        if why is not None:
            found.setdefault(why, []).append(entry.path)
    return [f"{few(paths)} ({reason})" for reason, paths in found.items()]


def without_copy_mark(name: str) -> str:
    """Return a file's name without the mark of a second copy, such as ``" (1)"``."""
    return _COPY.sub("", name)


def _reason(entry: RawEntry, official: list[str]) -> str | None:
    """Say why a file is not used; None if it does not look like data."""
    name = entry.basename
    if entry.loose and not _IMAGES.match(name):
        plain = _PREFIX.sub("", without_copy_mark(name.split("?")[0])).lower()
        for known in official:
            if plain == known.lower():
                return f"if it is {known}, rename it so"
        if similar := difflib.get_close_matches(plain, official, n=1, cutoff=_SIMILAR):
            return f"if it is {similar[0]}, rename it so"
    if is_archive(name):
        return "an archive inside an archive: unpack the outer one"
    reason = next((reason for pattern, reason in _PATTERNS if pattern.match(name)), None)
    return "an empty file" if reason and entry.size == 0 else reason
