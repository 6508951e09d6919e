"""Write a small stand-in for a data set in its official raw format."""

from cactus.command import run_main, stage_job
from cactus.files import file_hash, write_json
from cactus.sample.write import check_replaceable, write_sample
from cactus.stages.make_sample import MakeSampleSpec


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        spec = MakeSampleSpec.parse(job.spec)
        check_replaceable(job.run_folder / "raw" / spec.dataset)
        write_sample(spec.dataset, spec.settings, job.output.parent)
        files = sorted(path for path in job.output.rglob("*") if path.is_file())
        receipt = {str(path.relative_to(job.output)): file_hash(path) for path in files}
        write_json(job.output / "sample.json", receipt)


if __name__ == "__main__":
    run_main(main)
