"""Write the page of a run, one HTML file that needs no network."""

from cactus.command import run_main, stage_job
from cactus.provenance.staleness.open_run import open_run
from cactus.report.finished import finished_view
from cactus.report.page import write_page
from cactus.stages.whole_run.base import RunTextSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = RunTextSpec.parse(job.spec)
        planner = open_run(str(job.run_folder))
        view = finished_view(planner, spec.decimals, spec.titles)
        page, number_map = (job.run_folder / name for name in job.plan.job.files)
        write_page(view, planner.project.root, page, number_map)


if __name__ == "__main__":
    run_main(main)
