"""Write a standalone LaTeX document that shows all tables of a run."""

import argparse
from pathlib import Path

from cactus.command import run_main
from cactus.paper.tables import write_document


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", required=True, nargs="+", type=Path)
    parser.add_argument("--output", required=True, type=Path)
    arguments = parser.parse_args()
    write_document(arguments.tables, arguments.output)


if __name__ == "__main__":
    run_main(main)
