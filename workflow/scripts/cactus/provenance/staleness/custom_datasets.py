"""Checks of data sets of one's own before any job: their modules, keys and declared files."""

from cactus.config.models import Config
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.staleness.own_modules import OwnModule


def check_custom_datasets(config: Config, tree: SourceTree) -> None:
    """Check the modules of the data sets that the grid uses; raw files are checked at the start.

    Raises
    ------
    ConfigError
        A module or declared file does not exist, a module lacks `read` or `Settings`, or a key is
        unknown or missing.
    """
    for name in config.expanded_grid.datasets:
        own = config.data.custom.get(name)
        if own is None or own.module is None:
            continue
        where, guide = f"data.custom.{name}", "docs/adding-a-dataset.md"
        module = OwnModule(tree, own.module, where, "custom data set", guide)
        found = module.find("read", "Settings")
        module.check_keys(found["Settings"], own.settings)
        module.check_files(own.files)
