"""Write the paper of a run: numbers as macros, a text, and its PDF."""

from cactus.command import run_main, stage_job
from cactus.manuscript.write import PaperFiles, write_paper
from cactus.provenance.staleness.open_run import open_run
from cactus.report.finished import finished_view
from cactus.stages.whole_run.base import RunTextSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = RunTextSpec.parse(job.spec)
        planner = open_run(str(job.run_folder))
        view = finished_view(planner, spec.decimals, spec.titles)
        files = PaperFiles(*(job.run_folder / name for name in job.plan.job.files))
        write_paper(view, planner.project.root, files)


if __name__ == "__main__":
    run_main(main)
