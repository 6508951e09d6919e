"""Screenshots of a report in three windows, light and dark, for people to look at.

``python -m tests.report.screenshots results/demo/report.html shots`` writes them.
"""

import argparse
from itertools import product
from pathlib import Path

from tests.report.browser import SIZES, Browser, browser


def take(opened: Browser, report: Path, folder: Path, screens: int) -> None:
    """Write the first screens of a report in each window as ``<window>-<colors>-<screen>.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    for (name, (width, height)), dark in product(SIZES.items(), (False, True)):
        opened.size(width, height, dark=dark)
        opened.open(report)
        for screen in range(screens):
            opened.run(f"window.scrollTo({{top: {screen * height}, behavior: 'instant'}})")
            colors = "dark" if dark else "light"
            opened.screenshot(folder / f"{name}-{colors}-{screen + 1}.png")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--screens", type=int, default=3, help="screens from the top; default: 3")
    arguments = parser.parse_args()
    if not arguments.report.is_file():
        parser.error(f"{arguments.report} is no file")
    with browser() as opened:
        take(opened, arguments.report, arguments.folder, arguments.screens)


if __name__ == "__main__":
    main()
