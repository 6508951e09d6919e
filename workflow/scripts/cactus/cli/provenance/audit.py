"""``cactus audit``: check that the files, records and printed numbers of a run agree."""

import argparse

from cactus.cli.text import print_json, tell
from cactus.provenance.audit.report import passing_audit, run_audit
from cactus.provenance.chain.seal import write_seal
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.run_folders import find_run_folder


def write_signature(arguments: argparse.Namespace) -> int:
    """Sign the digest of a run that passes its audit."""
    planner = open_run(arguments.run, cache=HashCache(None))
    report = passing_audit(planner, "cannot be signed", replaced="seal broken")
    path = write_seal(planner.run_folder, report.digest, arguments.key.expanduser())
    facts = {"run": planner.run_folder.name, "seal": str(path), "digest": report.digest}
    tell(facts, f"wrote {path}, a signature of {report.digest}", as_json=arguments.json)
    return 0


def show_audit(arguments: argparse.Namespace) -> int:
    """Print what does not agree; return 0 if everything agrees, else 1."""
    # Empty, so that every file is hashed, and saved afterwards, so that other commands gain by it.
    unread = HashCache(find_run_folder(arguments.run) / HASHES_FILE)
    planner = open_run(arguments.run, cache=None if arguments.fast else unread)
    report = run_audit(
        planner, expected=arguments.expect or "", figures=arguments.figures, apart=True
    )
    planner.project.tree.cache.save()
    if arguments.json:
        print_json(report.as_json())
    else:
        print(report.as_text())
    return 1 if report.findings else 0
