# What happens once per run, before its first job and after its last.
import sys
from pathlib import Path

from cactus.cluster.closing import closing_lines, handlers_beside
from cactus.provenance.chain.relink import accept_results
from cactus.provenance.execution.process import name_user
from cactus.provenance.staleness.status import failed_attempts

name_user()  # Snakemake and its Slurm plugin ask for it
FAILED_BEFORE = {}


onstart:
    if PLANNER:
        PLANNER.project.tree.cache.save()
        from cactus.cluster.start import before_start

        FAILED_BEFORE.update(failed_attempts(PLANNER))
        before_start(workflow, PLANNER)


onsuccess:
    if PLANNER:
        accept_results(Path(RUN), GRAPH)


onerror:
    if PLANNER:
        accept_results(Path(RUN), GRAPH)
        print(closing_lines(workflow, PLANNER, FAILED_BEFORE), file=sys.stderr)


if MODULE:  # of which Snakemake ignores them
    handlers_beside(workflow, onstart=onstart, onsuccess=onsuccess, onerror=onerror)
