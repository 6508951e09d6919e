"""``cactus profile``: fit the Slurm profile to the cluster at hand."""

import argparse
from pathlib import Path

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
    print("Partitions:")
    for partition in partitions():
        print(f"  {partition}")
    print("Chosen:")
    for key, (value, why) in values.items():
        print(f"  {f'{key}:':16}{value if value != '' else '-':<14}{why}")
    own = arguments.output
    here = Path.cwd()
    for file in profile_files() if own is None else [own / "config.yaml"]:
        write_profile(file, values)
        print(f"Written: {file.relative_to(here) if file.is_relative_to(here) else file}")
    return 0
