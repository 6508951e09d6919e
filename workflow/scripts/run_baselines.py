"""Score the baselines on one embedding."""

import sys

from cactus.command import run_main, stage_arguments
from cactus.evaluate.run_baselines import BaselineJob, run_baselines
from cactus.spec.run_baselines import RunBaselinesSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "data", "embedding", "output")
    spec = RunBaselinesSpec.parse(arguments.spec)
    job = BaselineJob(
        spec.dataset, spec.settings, spec.evaluation, spec.pool_attributes, spec.seed, spec.threads
    )
    folders = (arguments.data.parent, arguments.embedding.parent, arguments.output.parent)
    run_baselines(job, *folders, report)


def report(line: str) -> None:
    """Print a progress line."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_main(main)
