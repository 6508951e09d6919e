"""Draw a figure as PDF and PNG."""

from cactus.command import run_main, stage_arguments
from cactus.config.spec import MakeFigureSpec
from cactus.paper.figures.registry import draw


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "run", "output")
    spec = MakeFigureSpec.parse(arguments.spec)
    stem = arguments.output.with_suffix("")
    draw(spec.figure, arguments.run, stem, spec.settings, spec.dataset)


if __name__ == "__main__":
    run_main(main)
