"""Draw a figure as PDF and PNG, and write the map from its numbers to the results."""

from cactus.command import run_main, stage_job
from cactus.paper.figures.registry import draw
from cactus.stages.make_figure import MakeFigureSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakeFigureSpec.parse(job.spec)
        stem = job.output.with_suffix("")
        keys = spec.settings, spec.dataset, spec.partitions, spec.titles, spec.augmented
        draw(spec.figure, job.run_folder, stem, *keys)


if __name__ == "__main__":
    run_main(main)
