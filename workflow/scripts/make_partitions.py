"""Partition the training images and store the partitions."""

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from cactus.command import report, run_main, stage_job
from cactus.config.source import Source
from cactus.data.arrays import load_images
from cactus.files import read_array
from cactus.spec.make_partitions import MakePartitionsSpec
from cactus.tasks.labels import task_labels
from cactus.tasks.make import PartitionJob, make_partitions
from cactus.tasks.placement import placement
from cactus.tasks.shape import EpisodeShape


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakePartitionsSpec.parse(job.spec)
        source, images = Source.parse(spec.source), job.folder("prepare_data")
        match source.input:
            case "embeddings":
                name = str(source.embedding)
                data = read_array(job.folder("train_embedding", embedding=name) / "train.npy")
            case "images":
                data = load_images(images, "train")
            case "labels":
                data = task_labels(images, "train")
        shape = EpisodeShape(spec.way, spec.shot, spec.query)
        place = placement(source, spec.compute)
        partitions = PartitionJob(spec.settings, spec.learner, shape, spec.seed, place)
        with threadpool_limits(spec.compute.threads):
            make_partitions(source, data, job.output, partitions, report)


if __name__ == "__main__":
    run_main(main)
