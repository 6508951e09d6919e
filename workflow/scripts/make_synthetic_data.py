"""Write a small stand-in for a data set in its official raw format."""

from cactus.command import run_main, stage_job
from cactus.files import file_hash, write_json
from cactus.stages.make_synthetic_data import MakeSyntheticDataSpec
from cactus.synthetic.write import check_replaceable, write_synthetic


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakeSyntheticDataSpec.parse(job.spec)
        check_replaceable(job.run_folder / "raw" / spec.dataset)
        write_synthetic(spec.dataset, spec.settings, job.output.parent)
        files = sorted(path for path in job.output.rglob("*") if path.is_file())
        hashes = {str(path.relative_to(job.output)): file_hash(path) for path in files}
        write_json(job.output / "synthetic.json", hashes)


if __name__ == "__main__":
    run_main(main)
