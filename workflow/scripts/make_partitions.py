"""Partition the training images and store the partitions."""

import sys

from cactus.command import run_main, stage_arguments
from cactus.config.source import Source
from cactus.data.arrays import load_images
from cactus.files import read_array
from cactus.spec.make_partitions import MakePartitionsSpec
from cactus.tasks.labels import task_labels
from cactus.tasks.make import PartitionJob, make_partitions, source_input
from cactus.tasks.shape import EpisodeShape


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "data", "embedding", "output")
    spec = MakePartitionsSpec.parse(arguments.spec)
    source = Source.parse(spec.source)
    match source_input(source):
        case "embeddings":
            data = read_array(arguments.embedding.parent / "train.npy")
        case "images":
            data = load_images(arguments.data.parent, "train")
        case "labels":
            data = task_labels(arguments.data.parent, "train")
    shape = EpisodeShape(spec.way, spec.shot, spec.query)
    job = PartitionJob(spec.settings, spec.learner, shape, spec.seed)
    make_partitions(source, data, arguments.output.parent, job, report)


def report(line: str) -> None:
    """Print a progress line."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_main(main)
