"""``cactus paper``: where the paper of a run is, made first if that is all that is left to do."""

import argparse
from typing import Final

from cactus.cli.snakemake_call import snakemake_call
from cactus.cli.text import json_alone, seen, tell
from cactus.cluster.driver import refuse_another
from cactus.errors import RecordError
from cactus.provenance.staleness.obstructions import refuse_obstructions
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.status import listed_states
from cactus.stages.whole_run.make_paper import PAPER

# Snakemake names its profile even where it is quiet.
_SILENT: Final = ("--quiet", "all", "--workflow-profile", "none")


def show_paper(arguments: argparse.Namespace) -> int:
    """Print where the paper of a finished run is; write it if it is missing or stale.

    No other job runs for it. Returns 0, or Snakemake's exit code if it fails.

    Raises
    ------
    RecordError
        Other jobs are missing or stale, or the folder is a copy that nothing can be written into.
    ClusterError
        Snakemake works on the run right now.
    """
    planner = open_run(arguments.run)
    paper = planner.assess(PAPER)
    waiting = [one for one in planner.assess_all() if one.stale and one.job != PAPER]
    planner.project.tree.cache.save()
    call = snakemake_call(planner.run_folder) if waiting or paper.stale else None
    if call:
        refuse_obstructions(planner)
        refuse_another(planner.run_folder)
    if waiting:
        states, first = listed_states(one.state for one in waiting), waiting[0].job.name
        raise RecordError(
            "The paper of a run needs the whole run.",
            where=str(planner.run_folder),
            got=f"{states}; the first is {first}",
            fix=f"run `cactus update {planner.run_folder.name}` first; `cactus plan` says what is "
            "left",
        )
    cores = str(planner.config.compute.threads)  # LaTeX needs one; fewer than these are warned of
    with json_alone(arguments.json):
        code = call.run("paper", "--cores", cores, *_SILENT) if call else 0
    path = seen(planner.run_folder / str(PAPER.definition.main_result), arguments)
    made = call is not None and code == 0
    facts = {"run": planner.run_folder.name, "paper": path, "made": made, "exit_code": code}
    if arguments.json or code == 0:
        tell(facts, path, as_json=arguments.json)
    return code
