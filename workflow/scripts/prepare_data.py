"""Read a data set's raw files and write its splits as memory-mappable arrays."""

from pathlib import Path

from cactus.command import run_main, stage_parser
from cactus.data.files.registry import load_registry
from cactus.data.prepare import prepare, with_access
from cactus.provenance.execution.run_job import running_job
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.raw_files import raw_hashes
from cactus.stages.prepare_data import PrepareDataSpec, RawAccess


def main() -> None:
    """Run the stage."""
    parser = stage_parser(__doc__)
    parser.add_argument("--access", required=True, help="where and how to get raw files, as JSON")
    arguments = parser.parse_args()
    with running_job(arguments.plan) as job:
        spec, access = PrepareDataSpec.parse(job.spec), RawAccess.parse(arguments.access)
        settings, raw_dir = with_access(spec.settings, access), Path(access.raw_dir)
        manifest = prepare(spec.dataset, settings, raw_dir, job.output, spec.synthetic)
        names = [record.file for record in manifest.raw]
        folders = load_registry()[spec.dataset].folders
        job.raw = raw_hashes(raw_dir, folders, names, HashCache(None))


if __name__ == "__main__":
    run_main(main)
