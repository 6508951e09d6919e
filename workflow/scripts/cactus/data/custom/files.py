"""Images of a data set of one's own that are files, in class folders or listed in a table."""

import re
from typing import Literal

from cactus.config.sections.data.custom import CustomDataset
from cactus.config.sections.data.section import DataSettings
from cactus.data.custom.places import (
    files_by_path,
    folders_without_images,
    refuse_several_tops,
    unusable,
    without_top_folder,
)
from cactus.data.custom.rotations import with_rotations
from cactus.data.custom.split import Item, divide
from cactus.data.custom.table import Row, TableError, read_rows
from cactus.data.files.containers import path_parts
from cactus.data.files.registry import DatasetEntry
from cactus.data.files.tree import RawEntry, RawTree
from cactus.data.files.unused import unused_files
from cactus.data.readers.base import Layout, RawDataset, decoded_splits, lay_out
from cactus.data.readers.image_fitter import ImageFitter
from cactus.errors import DataError, did_you_mean
from cactus.splits import Split

_IMAGE = re.compile(r"\.(png|jpe?g|jpe|jfif|bmp|gif|webp)$", re.IGNORECASE)


class CustomReader:
    """Reads image files; see `cactus.data.readers.base.Reader`.

    Parameters
    ----------
    dataset, own
        Name and settings of the data set.

    Attributes
    ----------
    train_images
        Prepared images of the training split; None before they are found.
    """

    train_images: int | None = None

    def __init__(self, dataset: str, own: CustomDataset) -> None:
        self._dataset, self._own = dataset, own

    def uses(self, entry: RawEntry) -> bool:
        """Return whether a file has a name by which it is read."""
        return _is_image(entry) or entry.path in self._tables

    def missing(self, tree: RawTree) -> list[str]:
        """Check folders and tables, without decoding an image; nothing can be downloaded."""
        self._layouts(tree)
        return []

    def read(self, tree: RawTree, settings: DataSettings, entry: DatasetEntry) -> RawDataset:
        """Read the images and divide them into splits.

        Raises
        ------
        DataError
            There is no image, a table is not valid, a file cannot be used, a class is in two
            splits, or there are too few classes or images.
        """
        del settings, entry
        own, side = self._own, self._own.image_size
        layouts, notes = self._layouts(tree)
        mode: Literal["L", "RGB"] = "L" if own.channels == 1 else "RGB"
        fitter = ImageFitter(mode, side, own.resize, tree.max_image_bytes)
        splits = decoded_splits(tree, layouts, fitter, notes)
        return with_rotations(own, RawDataset((side, side, own.channels), splits, notes))

    @property
    def _tables(self) -> list[str]:
        rule = self._own.split
        named = (self._own.table, rule.file if rule else None)
        return ["/".join(path_parts(name)) for name in named if name]

    @property
    def _above(self) -> int:
        """Folders above those of the classes."""
        return 1 if self._own.split is None else 0

    def _layouts(self, tree: RawTree) -> tuple[dict[Split, Layout], list[str]]:
        """Return the layout of each split, and notes."""
        files = self._files(tree)
        find = self._listed if self._own.table else self._in_folders
        items, entries = find(tree, files)
        if not items:
            fix = "put a folder of images for each class there; it is in data.raw_dir"
            raise self._unusable(f"{tree.root}/", "no image", fix)
        rule = self._own.split
        classes = None
        if rule and rule.file:
            rows = self._rows(tree, files, rule.file, ("class", "split"))
            classes = {row["class"]: row["split"] for _, row in rows}
            if len(classes) < len(rows):
                fix = "list each class once"
                raise self._unusable(str(tree.root / rule.file), "a class in two rows", fix)
        division, notes = divide(self._dataset, self._own, items, classes)
        if not self._own.table:
            notes += folders_without_images(tree.root, [item.name for item in items], self._above)
        images = {
            split: {label: [entries[place] for place in places] for label, places in found.items()}
            for split, found in division.items()
        }
        least = self._own.min_images_per_class
        name = f"custom.{self._dataset}"
        path_of = {entry: path for path, entry in files.items()}
        layouts = lay_out(name, images, least, lambda _, entry: path_of[entry])
        self.train_images = self._own.turns * len(layouts["train"].entries)
        return layouts, notes

    def _files(self, tree: RawTree) -> dict[str, RawEntry]:
        """Return the files by path; those in archives as if these were unpacked."""
        files = files_by_path(tree, self._dataset)
        images = [path for path, entry in files.items() if _is_image(entry)]
        packed = [files[path] for path in images if not files[path].loose]
        if packed and len(packed) < len(images):
            loose = next(path for path in images if files[path].loose)
            got = f"images in an archive, and others that are in none, e.g. {loose}"
            fix = "keep all images in archives, or unpack all and move the archives away"
            raise self._unusable(str(packed[0].container.path), got, fix)
        folders = self._above + 1
        table = "/".join(path_parts(self._own.table)) if self._own.table else None
        if packed and table is None:
            refuse_several_tops(tree, self._dataset, files, images, folders)
        return without_top_folder(files, images, folders, table)

    def _in_folders(
        self, tree: RawTree, files: dict[str, RawEntry]
    ) -> tuple[list[Item], list[RawEntry]]:
        """Return the images in class folders, which are in folders of splits if no rule splits."""
        tables = {files.get(path) for path in self._tables}
        if strange := unused_files(tree, lambda one: _is_image(one) or one in tables, ()):
            fix = "save images as PNG or JPEG, and move other data out of the folder"
            raise self._unusable(f"{tree.root}/", "; ".join(strange), fix)
        above = self._above
        images = {path: entry for path, entry in files.items() if _is_image(entry)}
        items = []
        for path, entry in images.items():
            *folders, _ = path.split("/")
            if len(folders) <= above:
                wanted = "<split>/<class>/" if above else "<class>/"
                fix = f"put it into {tree.root}/{wanted}"
                if above:
                    fix += f"; or set data.custom.{self._dataset}.split, if folders are classes"
                raise self._unusable(tree.where(entry), "an image outside a class folder", fix)
            items.append(Item(path, folders[above], folders[0] if above else None))
        return items, list(images.values())

    def _listed(
        self, tree: RawTree, files: dict[str, RawEntry]
    ) -> tuple[list[Item], list[RawEntry]]:
        """Return the images that a table lists."""
        table = str(self._own.table)
        columns = ("file", "class", *(("split",) if self._own.split is None else ()))
        items: list[Item] = []
        entries: dict[str, RawEntry] = {}
        for line, row in self._rows(tree, files, table, columns):
            path, place = "/".join(path_parts(row["file"])), f"{tree.root / table}, line {line}"
            if path not in files:
                raise self._unusable(
                    place,
                    f"{row['file']}, and no such file",
                    did_you_mean(
                        path, files, f"paths start in {tree.root}/; hidden files are not read"
                    ),
                )
            if path in entries:
                raise self._unusable(place, f"{row['file']} again", "list each file once")
            entries[path] = files[path]
            items.append(Item(path, row["class"], row.get("split")))
        # In the order of the files, whatever the order of the rows.
        order = sorted(range(len(items)), key=lambda place: items[place].name)
        return [items[place] for place in order], [entries[items[at].name] for at in order]

    def _rows(
        self, tree: RawTree, files: dict[str, RawEntry], table: str, columns: tuple[str, ...]
    ) -> list[Row]:
        """Return the rows of a csv file; see `read_rows`."""
        entry = files.get("/".join(path_parts(table)))
        where = tree.where(entry) if entry else str(tree.root / table)
        if entry is None:
            raise self._unusable(where, "no such file", "put the table there, or correct its name")
        try:
            return read_rows(tree.read(entry).decode("utf-8-sig"), columns)
        except UnicodeDecodeError as error:
            raise self._unusable(where, str(error), "save it as csv in UTF-8") from error
        except TableError as error:
            fix = f"it needs the columns {', '.join(columns)}, with commas between them"
            raise self._unusable(where, str(error), fix) from error

    def _unusable(self, where: str, got: str, fix: str) -> DataError:
        return unusable(self._dataset, where, got, fix)


def _is_image(entry: RawEntry) -> bool:
    return _IMAGE.search(entry.path) is not None
