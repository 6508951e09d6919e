"""Draw a figure as PDF and PNG."""

from cactus.command import run_main, stage_arguments
from cactus.paper.figures.registry import draw
from cactus.spec.make_figure import MakeFigureSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "output")
    spec = MakeFigureSpec.parse(arguments.spec)
    stem = arguments.output.with_suffix("")
    run_folder = arguments.output.parents[1]
    draw(spec.figure, run_folder, stem, spec.settings, spec.dataset)


if __name__ == "__main__":
    run_main(main)
