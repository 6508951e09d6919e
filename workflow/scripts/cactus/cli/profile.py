"""``cactus profile``: fit the profile for Slurm to the cluster at hand."""

import argparse
from pathlib import Path

from cactus.cluster.profile import PROFILE, Wishes, choose, describe, write_profile
from cactus.cluster.slurm import partitions


def fit_profile(arguments: argparse.Namespace) -> int:
    """Ask the cluster, print what was found and chosen, and write the profile."""
    wishes = Wishes(**{name: getattr(arguments, name) for name in Wishes._fields})
    choices = choose(wishes)
    print("Partitions:")
    for partition in partitions():
        print(f"  {describe(partition)}")
    print("Chosen:")
    for key, (value, why) in choices.items():
        print(f"  {f'{key}:':16}{value if value != '' else '-':<14}{why}")
    file = PROFILE if arguments.output is None else arguments.output / "config.yaml"
    write_profile(file, choices)
    here = Path.cwd()
    print(f"Written: {file.relative_to(here) if file.is_relative_to(here) else file}")
    return 0
