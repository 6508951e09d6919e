"""Print how the CACTUs cells of a run do against training from scratch and the oracle."""

import argparse
from pathlib import Path

from cactus.command import run_main
from cactus.paper.results import read_results
from cactus.paper.summary import describe


def main() -> None:
    """Print the digest of a table of results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="a run's tables/results.csv")
    print(describe(read_results(parser.parse_args().results)))


if __name__ == "__main__":
    run_main(main)
