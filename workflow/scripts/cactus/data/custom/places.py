"""Where files of a data set of one's own lie, as if archives were unpacked beside themselves."""

from collections.abc import Collection
from pathlib import Path, PurePosixPath

from cactus.data.files.containers import path_parts
from cactus.data.files.tree import RawEntry, RawTree
from cactus.errors import DataError, few, printable


def unusable(dataset: str, where: str, got: str, fix: str) -> DataError:
    """Return the error for raw data that cannot be used."""
    return DataError(f"The raw data of {dataset} cannot be used.", where=where, got=got, fix=fix)


def files_by_path(tree: RawTree, dataset: str) -> dict[str, RawEntry]:
    """Return all files by their paths below the data set's folder, in this order.

    Those in archives have the paths that they would have if the archives were unpacked in the
    folders in which they are.

    Raises
    ------
    DataError
        A name is not printable, or two files have one path.
    """
    found: dict[str, RawEntry] = {}
    for entry in tree.entries:
        path = _path(tree, entry)
        if path is None:
            got = "bytes that are not UTF-8, control characters or a backslash in its name"
            where = str(tree.root / printable(entry.name)) if entry.loose else tree.where(entry)
            raise unusable(dataset, where, got, "rename the file or its folder")
        other = found.setdefault(path, entry)
        if other is not entry:
            got = f"the same file as {other.path}"
            fix = "keep one of them: an archive or what was unpacked from it"
            if not (entry.loose or other.loose) and entry.container is not other.container:
                fix += "; or put each archive into a folder of its class, if they have other images"
            raise unusable(dataset, tree.where(entry), got, fix)
    return dict(sorted(found.items()))


def _path(tree: RawTree, entry: RawEntry) -> str | None:
    """Return the path of a file; None if it is not printable."""
    if entry.loose:
        return entry.path if entry.path == entry.name else None
    archive = entry.container.path.relative_to(tree.root)
    inside = path_parts(entry.name)
    whole = "/".join([archive.as_posix(), *inside])
    return "/".join([*archive.parts[:-1], *inside]) if entry.path == whole else None


def refuse_several_tops(
    tree: RawTree, dataset: str, files: dict[str, RawEntry], images: Collection[str], folders: int
) -> None:
    """Raise an error if several archives have each a folder of its own around what is in it.

    These folders may be the classes, or the folders in them. Parameters as in `without_top_folder`.
    """
    tops: dict[Path, set[str]] = {}
    for path in images:
        archive, parts = files[path].container.path, path.split("/")
        if archive.parent != tree.root or len(parts) <= folders + 1:
            return
        tops.setdefault(archive, set()).add(parts[0])
    alone = {archive: next(iter(names)) for archive, names in tops.items() if len(names) == 1}
    if len(alone) < len(tops) or len({*alone.values()}) < 2:
        return
    first, second, *_ = sorted({*alone.values()})
    raise unusable(
        dataset,
        str(tree.root),
        f"archives with a folder around all that is in them: {first}/ in one, {second}/ in another",
        "unpack them and move the archives away, so that the classes are the "
        + ("folders below those of the splits" if folders > 1 else f"folders in {tree.root}"),
    )


def without_top_folder(
    files: dict[str, RawEntry], images: Collection[str], folders: int, table: str | None
) -> dict[str, RawEntry]:
    """Return files without the folder that an archive has around all of them, if it has one.

    Parameters
    ----------
    files
        All files by path.
    images
        The paths of the images.
    folders
        In how many folders an image has to be at least.
    table
        The table that lists images, if one does: it then has to be in the folder.
    """
    while any(not files[path].loose for path in images):
        tops = {path.split("/")[0] for path in images}
        depth = min(path.count("/") for path in images)
        top = tops.pop()
        around = f"{top}/{table}" in files and table not in files if table else depth > folders
        if tops or not around:
            break
        files = {_below(path, top): entry for path, entry in files.items()}
        images = [_below(path, top) for path in images]
    return files


def folders_without_images(root: Path, images: Collection[str], above: int) -> list[str]:
    """Return a note of folders that would be classes if there were images in them.

    Parameters
    ----------
    root
        The data set's folder.
    images
        The paths of the images in it.
    above
        Folders above those of the classes.
    """
    classes = {path.split("/")[above] for path in images}
    visible = (path for path in root.glob("/".join("*" * (above + 1))) if path.name[0] != ".")
    empty = sorted({path.name for path in visible if path.is_dir()} - classes)
    if not empty:
        return []
    return [f"folders without an image, which are no classes: {printable(few(empty, 5))}"]


def _below(path: str, top: str) -> str:
    parts = PurePosixPath(path).parts
    return "/".join(parts[1:]) if parts[0] == top and len(parts) > 1 else path
