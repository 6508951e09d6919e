"""Score the baselines on one embedding."""

from cactus.command import report, run_main, stage_job
from cactus.evaluate.run_baselines import run_baselines
from cactus.stages.run_baselines import RunBaselinesSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = RunBaselinesSpec.parse(job.spec)
        folders = (job.input_folder("data"), job.input_folder("embeddings"), job.output)
        run_baselines(spec, *folders, report)


if __name__ == "__main__":
    run_main(main)
