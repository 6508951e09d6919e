"""Checks before a run starts its first job, so that problems show up within seconds."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cactus.cluster.clients import has_slurm
from cactus.cluster.closing import coming_jobs, say_what_is_reused
from cactus.cluster.driver import become_driver, record_job_name
from cactus.cluster.environment import clean_environment
from cactus.cluster.local_gpu import check_gpu, limit_gpus
from cactus.cluster.queued import refuse_orphans
from cactus.cluster.requests import (
    check_plugin,
    check_requests,
    check_sharing,
    request_options,
)
from cactus.cluster.submit import Submission
from cactus.config.resolved import check_training_images
from cactus.config.sections.base import DatasetName
from cactus.cores import usable_cores
from cactus.data.arrays import MANIFEST, load_manifest
from cactus.data.files.registry import dataset_entry
from cactus.data.prepare import check_raw, complete_raw, load_reader, with_access
from cactus.errors import counted
from cactus.exits import message_alone
from cactus.manuscript.latex import check_latex
from cactus.provenance.execution.environment import check_interpreter, check_libraries
from cactus.provenance.execution.storage import check_storage
from cactus.provenance.staleness.obstructions import refuse_obstructions
from cactus.provenance.staleness.planned_config import read_planned_config
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import DatasetWildcards, Job
from cactus.stages.prepare_data import STAGE as PREPARE_DATA
from cactus.stages.prepare_data import raw_access
from cactus.stages.whole_run.make_paper import PAPER
from preloaded.protocol import DRIVER


@message_alone()
def before_start(workflow: Any, planner: Planner) -> None:
    """Check what the jobs of a run need, and make this process the driver of the run.

    Parameters
    ----------
    workflow
        Snakemake's workflow, with its graph and executor.
    planner
        The run's planner.

    Raises
    ------
    ConfigError
        Jobs on this machine need a GPU that cannot be used, or the configuration asks for more
        than a data set of one's own has.
    CodeError
        Jobs would run the Python of another environment, or a library is not the locked version.
    DataError
        Raw files are missing and cannot be downloaded.
    StorageError
        The run's folder cannot be written, or its file system lacks hard links.
    ResourceError
        The paper is asked for, and LaTeX is missing.
    RecordError
        Something keeps the jobs from their files.
    ClusterError
        Another process or its jobs are working on the run, or Slurm would refuse a job.
    """
    coming = coming_jobs(workflow)
    jobs = [*coming.values()]
    refuse_obstructions(planner, jobs)
    check_storage(planner.run_folder)
    submits = hasattr(workflow.scheduler._executor, "run_uuid")
    if not workflow.deployment_settings.deployment_method and (workflow.local_exec or submits):
        check_interpreter()
    _check_software(planner, jobs)
    say_what_is_reused(workflow, planner)
    if not submits:
        for line in core_warnings(
            usable_cores(), workflow.resource_settings.cores or 1, planner.config.compute.threads
        ):
            print(f"warning: {line}", file=sys.stderr)
    if PAPER in jobs:
        check_latex()
    if not planner.config.synthetic_data:
        prepared = [job.cell for job in jobs if job.stage == PREPARE_DATA.name]
        fetch = not workflow.local_exec
        _check_sizes(planner, {name: _check_data(planner, name, fetch=fetch) for name in prepared})
    if workflow.local_exec and any(job.resources.get("gpu") for job in coming):
        check_gpu(planner.config.compute.device)
        limit_gpus(workflow, planner.config.gpus.jobs_per_gpu)
    become_driver(planner.run_folder)
    shares = workflow.local_exec and not workflow.deployment_settings.deployment_method
    if shares and os.environ.get(DRIVER) != "off":
        os.environ[DRIVER] = str(os.getpid())
    if submits:
        clean_environment(workflow.scheduler._executor, planner.run_folder / "work/snakemake/bin")
    if has_slurm():
        refuse_orphans(planner.config, planner.run_folder)
    if submits:
        sent = [job for job in coming if not job.is_local]
        check_plugin(sent, getattr(workflow.executor_settings, "array_jobs", None))
        requests = [(job.rule.name, request_options(job.resources, job.threads)) for job in sent]
        check_sharing(planner.config.gpus.jobs_per_gpu, requests)
        check_requests(requests)
        record_job_name(planner.run_folder, workflow.scheduler._executor.run_uuid)
        Submission(workflow.scheduler._executor, planner.run_folder).install()


def core_warnings(usable: int, cores: int, threads: int) -> Iterator[str]:
    """Yield what slows jobs down: more cores or threads than there are to use.

    Parameters
    ----------
    usable
        Cores that this process may use.
    cores, threads
        Snakemake's option ``--cores``, and the configuration's ``compute.threads``.
    """
    if cores > usable:
        yield (
            f"--cores is {cores}, but this process may use {usable} (of this machine or its "
            f"container): jobs would slow each other down; use --cores {usable}"
        )
    if threads > min(cores, usable):
        most = min(cores, usable)
        yield (
            f"compute.threads is {threads}, but a job may use {counted(most, 'core')}: its threads "
            f"would wait for each other; use --config 'compute={{threads: {most}}}' (another "
            "number gives other bits)"
        )


def _check_software(planner: Planner, jobs: list[Job]) -> None:
    needed: dict[str, str] = {}
    for job in jobs:
        needed |= planner.assess(job).plan.libraries
    check_libraries(needed)
    if text := planner.unlocked_versions(jobs):
        print(f"note: {text}", file=sys.stderr)


def _check_data(planner: Planner, dataset: DatasetName, *, fetch: bool) -> int | None:
    """Check a data set's raw files; fetch missing ones here, as nodes may be offline.

    Return how many images its training split will have, if that is known. The files of a variant
    are fetched here anyway, or two jobs might fetch the same file at once.
    """
    spec = PREPARE_DATA.spec(planner.config, DatasetWildcards(dataset))
    access = raw_access(planner.config)
    settings, folder = with_access(spec.settings, access), Path(access.raw_dir)
    images = check_raw(dataset, settings, folder)
    own = settings.custom.get(dataset)
    if fetch or (own and own.variant_of):
        entry, reader = dataset_entry(dataset, settings), load_reader(dataset, settings)
        complete_raw(reader, entry, settings, folder)
    return images


def _check_sizes(planner: Planner, found: dict[DatasetName, int | None]) -> None:
    """Check what the configuration asks of data sets of one's own, whose images are counted now.

    `found` are the counts of those that will be prepared; the others are counted in their arrays.
    """
    config, run = planner.config, planner.run_folder
    planned = read_planned_config(run)
    for dataset in filter(config.data.custom.__contains__, config.expanded_grid.datasets):
        folder = run / str(PREPARE_DATA.job(dataset=dataset).folder)
        if dataset not in found and (folder / MANIFEST).is_file():
            found[dataset] = load_manifest(folder).splits["train"].images.shape[0]
        images = found.get(dataset)
        if images is not None:
            check_training_images(config, planned.layers(planned.base(run)), dataset, images)
