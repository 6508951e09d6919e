"""Meta-train one cell on tasks from its partitions."""

from cactus.command import run_main, stage_job
from cactus.meta.run import train_cell
from cactus.spec.meta_train import MetaTrainSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MetaTrainSpec.parse(job.spec)
        train_cell(spec, job.folder("prepare_data"), job.folder("make_partitions"), job.output)


if __name__ == "__main__":
    run_main(main)
