"""Audit a run: stop unless files, records and printed numbers agree."""

from cactus.command import run_main, stage_job
from cactus.files import write_json
from cactus.provenance.audit.report import run_audit
from cactus.provenance.chain.relink import relink
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.open_run import open_run
from cactus.stages.whole_run.audit_run import AUDIT


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        relink(job.run_folder, open_run(str(job.run_folder)).graph)
        planner = open_run(str(job.run_folder), cache=HashCache(None))
        planner.only = frozenset(planner.graph.ancestry(AUDIT)) - {AUDIT}
        report = run_audit(planner, running=True)
        print(report.as_text())
        if report.findings:
            raise SystemExit(1)
        write_json(job.output, report.as_json())


if __name__ == "__main__":
    run_main(main)
