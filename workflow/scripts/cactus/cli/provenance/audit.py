"""``cactus audit``: check that the files, records and printed numbers of a run agree."""

import argparse

from cactus.cli.text import print_json
from cactus.provenance.audit.report import run_audit
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE, HashCache
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.run_folders import find_run_folder


def show_audit(arguments: argparse.Namespace) -> int:
    """Print what does not agree; return 0 if everything agrees, else 1."""
    # Empty, so that every file is hashed, and saved afterwards, so that other commands gain by it.
    unread = HashCache(find_run_folder(arguments.run) / HASHES_FILE)
    planner = open_run(arguments.run, cache=None if arguments.fast else unread)
    report = run_audit(planner)
    planner.project.tree.cache.save()
    if arguments.json:
        print_json(report.as_json())
    else:
        print(report.as_text())
    return 1 if report.findings else 0
