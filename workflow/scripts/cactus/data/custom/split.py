"""How the images of a data set of one's own are divided into train, val and test."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, combinations
from typing import NamedTuple, NoReturn, cast

from cactus.config.sections.data.custom import CustomDataset, plain_name
from cactus.errors import DataError, counted, did_you_mean, printable
from cactus.seeding import derive_seed
from cactus.splits import SPLITS, Split

_SHOWN = 3


class Item(NamedTuple):
    """An image: a name that no other has, its class, and its split if the data says it."""

    name: str
    label: str
    split: str | None = None


Division = dict[Split, dict[str, list[int]]]  # the places of images by split and class


def divide(
    dataset: str, own: CustomDataset, items: Sequence[Item], listed: Mapping[str, str] | None
) -> tuple[Division, list[str]]:
    """Divide images into splits.

    Parameters
    ----------
    dataset, own
        Name and settings of the data set.
    items
        All images.
    listed
        The split of each class, if a file of the data set says it.

    Returns
    -------
    Division
        The places in `items` by split and class.
    list of str
        Notes for the manifest.

    Raises
    ------
    DataError
        A class is in two splits, an image in none, a split has too few classes, or names of classes
        are not usable.
    """
    where = f"data.custom.{dataset}.split"
    by_class: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        by_class.setdefault(item.label, []).append(place)
    _check_names(dataset, list(by_class))
    rule, notes = own.split, list[str]()
    division: Division = {split: {} for split in SPLITS}
    if rule is None:
        division = _by_items(where, items)
    elif rule.shares and own.shared_classes:
        for label, places in by_class.items():
            names = {items[place].name: place for place in places}
            parts = _shared_out(list(names), rule.shares, rule.seed, label)
            for split, part in parts.items():
                division[split][label] = [names[name] for name in sorted(part)]
    else:
        if rule.shares:
            parts = _shared_out(list(by_class), rule.shares, rule.seed)
            listed = {label: split for split, part in parts.items() for label in part}
        elif rule.classes:
            listed = {label: split for split, names in rule.classes.named() for label in names}
        division = _by_classes(where, by_class, listed or {})
        notes = _left_out(by_class, listed or {})
    _check_classes(dataset, own, division)
    return division, notes


def _by_items(where: str, items: Sequence[Item]) -> Division:
    """Return the division that the data says."""
    division: Division = {split: {} for split in SPLITS}
    for place, item in enumerate(items):
        split = _split(where, item.split or "", item.name)
        division[split].setdefault(item.label, []).append(place)
    return division


def _split(where: str, name: str, of: str) -> Split:
    if name in SPLITS:
        return name
    named = f"the split {name!r}" if name else "no split"
    similar = did_you_mean(name, SPLITS, "the splits are train, val and test") if name else ""
    fix = f"{similar}; or set {where}, to split the classes by it".removeprefix("; or ")
    raise DataError("A data set does not say how it is split.", where=of, got=named, fix=fix)


def _shared_out(
    names: Sequence[str], shares: Sequence[float], seed: int, *of: str
) -> dict[Split, list[str]]:
    """Choose names for each split at random.

    They are ordered by a hash of seed and name. The order does not depend on the order of the files
    or the version of a library.
    """
    order = sorted(names, key=lambda name: derive_seed("custom split", seed, *of, name))
    ends = [0, *(round(share * len(names)) for share in accumulate(shares))]
    return {split: order[ends[at] : ends[at + 1]] for at, split in enumerate(SPLITS)}


def _by_classes(
    where: str, by_class: Mapping[str, list[int]], listed: Mapping[str, str]
) -> Division:
    division: Division = {split: {} for split in SPLITS}
    for label, name in listed.items():
        if label not in by_class:
            fix = did_you_mean(label, by_class, f"the data has {_few(sorted(by_class))}")
            alike = [name for name in by_class if plain_name(name) == plain_name(label)]
            if alike:
                fix = f"copy its name from the data, where it is written {alike[0]!a}"
            got = ascii(label) if alike else label
            what = "A class that a split lists has no image."
            raise DataError(what, where=where, got=got, fix=fix)
        division[_split(where, name, f"class {label}")][label] = by_class[label]
    return division


def _left_out(by_class: Mapping[str, list[int]], listed: Mapping[str, str]) -> list[str]:
    rest = sorted({*by_class} - {*listed})
    return [f"{len(rest)} classes are in no split: {_few(rest)}"] if rest else []


def _check_names(dataset: str, names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if not name.strip() or name != printable(name):
            _refuse(dataset, "A class has a name that cannot be recorded.", ascii(name))
        first = seen.setdefault(plain_name(name), name)
        if first != name:
            what = "Two classes have names that are hard to tell apart."
            _refuse(dataset, what, f"{first!a} and {name!a}")


def _refuse(dataset: str, what: str, got: str) -> NoReturn:
    raise DataError(what, where=f"data set {dataset}", got=got, fix="rename one in the raw data")


def _check_classes(dataset: str, own: CustomDataset, division: Division) -> None:
    """Check that splits share no class, or all, and have as many as the configuration says."""
    for first, second in combinations(SPLITS, 2):
        both = division[first].keys() & division[second].keys()
        single = division[first].keys() ^ division[second].keys()
        if own.shared_classes and single:
            label = min(single)
            raise DataError(
                "A class is not in all splits, which share their classes.",
                where=f"data set {dataset}, class {label}",
                got=f"it is in one of {first} and {second}",
                fix=f"complete the raw data, or set data.custom.{dataset}.shared_classes to false",
            )
        if both and not own.shared_classes:
            label = min(both)
            raise DataError(
                "A class is in two splits.",
                where=f"data set {dataset}, class {label}",
                got=f"images in {first} and {second}; {len(both)} such classes",
                fix="put each class into one split, since tasks are evaluated on new classes; or "
                f"set data.custom.{dataset}.shared_classes, for new images of the same classes",
            )
    for split, least in own.class_counts().items():
        found = len(division[cast(Split, split)])
        if found < least:
            raise DataError(
                f"A split of {dataset} has too few classes.",
                where=f"{split} split",
                got=f"{counted(found, 'class', 'classes')}, at least {least} needed",
                fix=f"complete the raw data, change data.custom.{dataset}.split; or lower "
                f"data.custom.{dataset}.min_classes.{split}, if tasks need fewer",
            )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
