"""Draw a figure as PDF and PNG, and write the map from its numbers to the results."""

from cactus.command import run_main, stage_job
from cactus.paper.draw.registry import draw_of
from cactus.stages.make_figure import MakeFigureSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        draw_of(MakeFigureSpec.parse(job.spec), job.run_folder, job.output)


if __name__ == "__main__":
    run_main(main)
