"""Write a small stand-in for a data set in its official raw format."""

from cactus.command import run_main, stage_arguments
from cactus.files import file_hash, write_json
from cactus.sample.write import write_sample
from cactus.spec.make_sample import MakeSampleSpec


def main() -> None:
    """Run the stage."""
    arguments = stage_arguments(__doc__, "raw-dir", "output")
    spec = MakeSampleSpec.parse(arguments.spec)
    write_sample(spec.dataset, spec.settings, arguments.raw_dir)
    folder = arguments.output.parent
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    receipt = {str(path.relative_to(folder)): file_hash(path) for path in files}
    receipt.pop(arguments.output.name, None)
    write_json(arguments.output, receipt)


if __name__ == "__main__":
    run_main(main)
