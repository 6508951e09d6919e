"""The settings of a study that are not the defaults."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from cactus.config.models import Config
from cactus.config.printed.titles import Titles
from cactus.config.printed.words import key_words
from cactus.manuscript.departures import OWN, Departure, Parts
from cactus.manuscript.values import by_name
from cactus.paper.tables.departures import shown, title_of

_OR: Final = " or "
_APART: Final = ("apart-images", "apart-partitions", "apart-baselines", "apart-evaluation")
_Values = dict[str, dict[str, None]]  # by data set; several if a key depends on the task source


def changed(config: Config, titles: Titles) -> Parts:
    """Return the settings that are not the defaults, by what has them."""
    datasets = config.expanded_grid.datasets
    ours: Mapping[tuple[str, str], _Values] = defaultdict(lambda: defaultdict(dict))
    usual: Mapping[tuple[str, str], _Values] = defaultdict(lambda: defaultdict(dict))
    for dataset in datasets:
        for name, key, here, default in config.schedule(dataset):
            ours[name, key][dataset][shown(here)] = None
            usual[name, key][dataset][shown(default)] = None
    parts: dict[str, list[Departure]] = defaultdict(list)
    for (name, key), values in ours.items():
        here, default = (
            by_name({dataset: _OR.join(texts) for dataset, texts in one.items()}, datasets, titles)
            for one in (values, usual[name, key])
        )
        point = key_words(key)
        row = Departure(point[:1].upper() + point[1:], default, here, OWN)
        title = title_of(name, titles)
        parts[title.capitalize() if name.startswith(_APART) else title].append(row)
    return list(parts.items())
