"""Read a data set's raw files and write its splits as memory-mappable arrays."""

from pathlib import Path

from cactus.command import run_main, stage_parser
from cactus.data.prepare import prepare
from cactus.spec.prepare_data import PrepareDataSpec, RawAccess


def main() -> None:
    """Run the stage."""
    parser = stage_parser(__doc__)
    parser.add_argument("--access", required=True, help="where and how to get raw files, as JSON")
    parser.add_argument("--output", required=True, type=Path, help="the manifest to write")
    arguments = parser.parse_args()
    spec = PrepareDataSpec.parse(arguments.spec)
    access = RawAccess.parse(arguments.access)
    settings = spec.with_access(access)
    prepare(spec.dataset, settings, Path(access.raw_dir), arguments.output.parent, spec.sample)


if __name__ == "__main__":
    run_main(main)
