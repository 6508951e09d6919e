"""Read a data set's raw files and write its splits as memory-mappable arrays."""

from contextlib import nullcontext
from pathlib import Path

from cactus.command import run_main, stage_parser
from cactus.data.files.registry import dataset_entry
from cactus.data.prepare import prepare, with_access
from cactus.provenance.execution.run_job import SCRIPTS, running_job
from cactus.provenance.execution.watch.opened_files import declared_files_only
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.raw_files import custom_raw_hashes, read_raw_hashes
from cactus.stages.prepare_data import PrepareDataSpec, RawAccess


def main() -> None:
    """Run the stage."""
    parser = stage_parser(__doc__)
    parser.add_argument("--access", required=True, help="where and how to get raw files, as JSON")
    arguments = parser.parse_args()
    with running_job(arguments.plan) as job:
        spec, access = PrepareDataSpec.parse(job.spec), RawAccess.parse(arguments.access)
        settings, raw_dir = with_access(spec.settings, access), Path(access.raw_dir)
        own = spec.settings.custom.get(spec.dataset)
        key = f"data.custom.{spec.dataset}.files"
        with declared_files_only(job, key, SCRIPTS) if own and own.module else nullcontext():
            sources = prepare(spec.dataset, settings, raw_dir, job.output, spec.synthetic)
        job.raw = _raw(spec, raw_dir, [record.file for record in sources.raw])


def _raw(spec: PrepareDataSpec, raw_dir: Path, names: list[str]) -> dict[str, str]:
    """Return the sha256 of the raw files; none for a module, whose files are declared."""
    if (own := spec.settings.custom.get(spec.dataset)) and not own.variant_of:
        return {} if own.module else custom_raw_hashes(raw_dir, spec.dataset, HashCache(None))
    folders = dataset_entry(spec.dataset, spec.settings).folders
    return read_raw_hashes(raw_dir, folders, names, HashCache(None))


if __name__ == "__main__":
    run_main(main)
