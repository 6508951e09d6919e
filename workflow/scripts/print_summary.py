"""Print a summary of a run: its CACTUs cells next to training from scratch and the oracle."""

import argparse
from pathlib import Path

from cactus.command import run_main
from cactus.paper.results import read_results
from cactus.paper.summary import format_summary
from cactus.provenance.staleness.open_run import open_run


def main() -> None:
    """Print the summary of a table of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a run's tables/results.csv")
    path: Path = parser.parse_args().results
    titles = open_run(str(path.parents[1])).config.custom_titles(None)
    print(format_summary(read_results(path), titles))


if __name__ == "__main__":
    run_main(main)
