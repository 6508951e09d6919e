"""Compare the partitions of one cell with the true classes, for the report only."""

from cactus.command import run_main, stage_job
from cactus.evaluate.partition_quality import measure_partitions
from cactus.stages.measure_partitions import MeasurePartitionsSpec
from cactus.tasks.labels import task_labels
from cactus.tasks.storage import read_partitions


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        cell = MeasurePartitionsSpec.parse(job.spec)
        classes = task_labels(job.input_folder("data"), "train")
        partitions = read_partitions(job.input_folder("partitions"))
        measure_partitions(partitions, classes, job.output, cell.model_dump())


if __name__ == "__main__":
    run_main(main)
