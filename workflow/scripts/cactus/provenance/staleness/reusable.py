"""Which of a run's stale jobs will take their results from another run, as far as can be told."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Final, NamedTuple

from cactus.errors import counted
from cactus.provenance.fingerprint.other_runs import Donor, find_donors
from cactus.provenance.records.plan import PENDING, Plan
from cactus.provenance.records.readers import Readers
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Assessment, Planner
from cactus.stages.base import Job

_SHOWN: Final = 5


class Reusable(NamedTuple):
    """What a run can take from others.

    Attributes
    ----------
    donors
        The run that each job will take its results from.
    refused
        Jobs that another run has done, but whose results cannot be taken, and why.
    """

    donors: dict[Job, Donor]
    refused: list[str]

    @property
    def lines(self) -> list[str]:
        """Both as text, a line per run, and the first refusals; a job's log has its own."""
        runs = [donor.run for donor in self.donors.values()]
        counts = {run: counted(runs.count(run), "job") for run in dict.fromkeys(runs)}
        taken = [f"{count}: reused from {run}" for run, count in counts.items()]
        more = len(self.refused) - _SHOWN
        rest = [f"and {counted(more, 'more job')} that cannot be reused"] if more > 0 else []
        return [*taken, *self.refused[:_SHOWN], *rest]


def reusable(planner: Planner, stale: Collection[Assessment]) -> Reusable:
    """Find the jobs that will take their results from other runs, given in the graph's order.

    A job that reads from one that has to run is not among them, although it may take results in the
    end: if its inputs come out the same.
    """
    found, readers = Reusable({}, []), Readers()
    for one in stale if planner.config.reuse else ():
        plan = _expected(planner, one.plan, found.donors)
        if not one.job.definition.reads_run and PENDING not in plan.inputs.values():
            refused: list[str] = []
            cache, raw = planner.project.tree.cache, partial(_raw_hashes, planner)
            donors = find_donors(planner.run_folder, plan, cache, raw, refused.append, readers)
            if donor := next(donors, None):
                found.donors[one.job] = donor
            found.refused.extend(f"{one.job.name}: not reused from {why}" for why in refused)
    return found


def _raw_hashes(planner: Planner, record: Record) -> Mapping[str, str]:
    """Return the hashes of raw files; synthetic ones are results that may not be there yet."""
    return record.plan.raw if planner.config.synthetic_data else planner.raw_hashes(record)


def _expected(planner: Planner, plan: Plan, donors: dict[Job, Donor]) -> Plan:
    """Return a job's plan with the inputs that its upstream jobs will take from other runs."""
    inputs = dict(plan.inputs)
    for upstream in planner.graph.inputs(plan.job):
        if upstream.job in donors:
            made = donors[upstream.job].record.entities
            for name in upstream.files:
                inputs.pop(name, None)
                inputs |= {name: made[name].sha256} if name in made else {}
    return plan.model_copy(update={"inputs": inputs})
