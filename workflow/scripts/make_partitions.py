"""Partition the training images and store the partitions."""

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from cactus.command import report, run_main, stage_job
from cactus.config.sections.source import Source
from cactus.data.arrays import load_images
from cactus.evaluate.embeddings import load_embeddings
from cactus.stages.make_partitions import MakePartitionsSpec
from cactus.tasks.kmeans.loader import kmeans_of, points_loader
from cactus.tasks.labels import task_labels
from cactus.tasks.make import PartitionJob, make_partitions
from cactus.tasks.shape import EpisodeShape


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakePartitionsSpec.parse(job.spec)
        source = Source.parse(spec.source)
        data: npt.NDArray[np.generic]
        match source.input:
            case "embeddings":
                folder = job.input_folder("embeddings")
                data = load_embeddings(folder, "train", embedding=source.embedding)
            case "images":
                data = load_images(job.input_folder("data"), "train")
            case "labels":
                data = task_labels(job.input_folder("data"), "train")
        settings, shape = spec.settings, EpisodeShape(spec.way, spec.shot, spec.query)
        how = shape, spec.seed, points_loader(source, spec.compute, settings), kmeans_of(settings)
        partitions = PartitionJob(settings, spec.learner, spec.acceptance, *how)
        with threadpool_limits(spec.compute.threads):
            make_partitions(source, data, job.output, partitions, report)


if __name__ == "__main__":
    run_main(main)
