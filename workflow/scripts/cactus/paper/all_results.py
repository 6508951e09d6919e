"""The files of numbers of a run, and the description of their columns."""

from pathlib import Path

from cactus.paper.aggregate import aggregate
from cactus.paper.partition_quality import QUALITY_TABLE, aggregate_quality
from cactus.paper.schema.package import write_package
from cactus.stages.aggregate_results import AggregateResultsSpec


def write_all_results(
    spec: AggregateResultsSpec, run_folder: Path, published: Path, output: Path
) -> None:
    """Write all files of numbers of a run.

    Parameters
    ----------
    spec
        What the job that does it reads of the configuration.
    published
        The paper's numbers.
    output
        The table of results; the other files lie beside it.

    Raises
    ------
    DataError
        A cell is missing or damaged, see `cactus.paper.aggregate.aggregate`.
    """
    aggregate(run_folder, spec.run, spec.cells, spec.splits, published, output)
    quality = output.with_name(QUALITY_TABLE)
    aggregate_quality(run_folder, spec.run, spec.qualities, quality)
    write_package(output.parent)
