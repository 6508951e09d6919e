"""``cactus profile``: fit the Slurm profile to the cluster at hand."""

import argparse
from pathlib import Path

from cactus.cli.text import tell
from cactus.cluster.profile import (
    ProfileOptions,
    choose_values,
    profile_files,
    write_profile,
)
from cactus.cluster.slurm import partitions


def fit_profile(arguments: argparse.Namespace) -> int:
    """Query the cluster, print what was found and chosen, and write the profile."""
    options = ProfileOptions(**{name: getattr(arguments, name) for name in ProfileOptions._fields})
    values = choose_values(options)
    found = [str(partition) for partition in partitions()]
    own, here = arguments.output, Path.cwd()
    files = profile_files() if own is None else [own / "config.yaml"]
    for file in files:
        write_profile(file, values)
    written = [str(one.relative_to(here) if one.is_relative_to(here) else one) for one in files]
    chosen = [
        f"  {f'{key}:':16}{value if value != '' else '-':<14}{why}"
        for key, (value, why) in values.items()
    ]
    tell(
        {
            "partitions": found,
            "chosen": {key: {"value": value, "why": why} for key, (value, why) in values.items()},
            "written": written,
        },
        *("Partitions:", *(f"  {one}" for one in found), "Chosen:", *chosen),
        *(f"Written: {one}" for one in written),
        as_json=arguments.json,
    )
    return 0
