"""Everything that needs a GPU in one run: the tests marked `gpu`, then the benchmarks.

``python -m bench.gpu_check`` writes ``bench/results/gpu/*.json``. With ``--device cpu`` it runs the
same at tiny sizes, on stand-ins where only a GPU would do, to test itself. It exits with 0 if all
passed, 1 if something failed, 3 if a library is missing, and 77 if there is no GPU.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

ROOT: Final = Path(__file__).resolve().parents[1]
NEEDED: Final = ("torch", "numpy", "pydantic", "safetensors", "sklearn", "pytest", "hypothesis",
                 "threadpoolctl", "PIL")  # fmt: skip
BENCHMARKS: Final = (
    *("maml_step", "maml_evaluation", "protonets_step", "embedding_step", "kmeans", "gpu_options"),
)
# Where the tests of a GPU are: others import what a site's environment may lack.
BOTH_DEVICES: Final = "tests/gpu"
TESTS: Final = (
    *(BOTH_DEVICES, "tests/unit/embed", "tests/unit/meta", "tests/unit/tasks", "tests/unit/train"),
    "tests/unit/test_precision.py",
)
FAILED, MISSING, NO_GPU = 1, 3, 77


def main() -> int:
    """Check what is there, run the parts, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--results", type=Path, help="folder of the results", metavar="FOLDER")
    given = parser.parse_args()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"gpu-check: this Python lacks {', '.join(missing)}: {sys.executable}", file=sys.stderr
        )
        return MISSING
    from bench.gpu import absent_gpu

    if given.device == "cuda" and (absent := absent_gpu()):
        print(f"gpu-check: {absent}", file=sys.stderr)
        return NO_GPU
    tiny = given.device == "cpu"
    results = given.results or (
        Path(tempfile.mkdtemp(prefix="gpu-check-")) if tiny else ROOT / "bench/results"
    )
    parts = {"tests": run_tests(given.device, results)}
    for name in BENCHMARKS:
        parts[name] = run_benchmark(name, given.device, results)
    report(parts, given.device, results)
    return FAILED if any(part["exit_code"] for part in parts.values()) else 0


def run_tests(device: str, results: Path) -> dict[str, Any]:
    """Run the tests of a GPU; on a CPU, those that also run on one."""
    marks = [*TESTS, "-m", "gpu"] if device == "cuda" else [BOTH_DEVICES, "-m", "not gpu"]
    results.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "tests.xml"
        part = run("-m", "pytest", "-q", *marks, f"--junitxml={listing}")
        outcomes = outcomes_of(listing) if listing.exists() else {}
    counts = dict(Counter(outcome for outcome in outcomes.values()))
    if device == "cuda" and counts.get("skipped"):
        part["exit_code"] = part["exit_code"] or FAILED  # a skipped test has shown nothing
    return {**part, "outcomes": counts, "not passed": {
        name: outcome for name, outcome in outcomes.items() if outcome != "passed"
    }}  # fmt: skip


def outcomes_of(listing: Path) -> dict[str, str]:
    """Return the outcome of each test of a listing in JUnit's form."""
    found = {}
    for case in ElementTree.parse(listing).iter("testcase"):
        failed = next(
            (child.tag for child in case if child.tag in ("failure", "error", "skipped")), ""
        )
        found[f"{case.get('classname')}::{case.get('name')}"] = failed or "passed"
    return found


def run_benchmark(name: str, device: str, results: Path) -> dict[str, Any]:
    """Run a benchmark; on a CPU a tiny one."""
    small = ["2", "--tiny"] if device == "cpu" else []
    return run("-m", f"bench.{name}", *small, "--device", device, "--results", str(results))


def run(*command: str) -> dict[str, Any]:
    """Run Python in the project, in a process of its own; return its exit code and seconds."""
    print(f"gpu-check: python {' '.join(command)}", file=sys.stderr, flush=True)
    paths = [str(ROOT / "workflow/scripts"), str(ROOT)]
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=sys.stderr,
        check=False,
    )
    return {"exit_code": done.returncode, "seconds": round(time.monotonic() - start, 1)}


def report(parts: dict[str, dict[str, Any]], device: str, results: Path) -> None:
    """Write what ran into ``check.json``, and print a line for each part."""
    from bench.harness import Bench, write_result

    bench = Bench(1, "cuda" if device == "cuda" else "cpu", results=results)
    write_result("check", {"what": "parts of gpu-check", "parts": parts}, bench)
    for name, part in parts.items():
        said = "passed" if part["exit_code"] == 0 else f"FAILED with {part['exit_code']}"
        counts = ", ".join(f"{n} {what}" for what, n in part.get("outcomes", {}).items())
        print(f"gpu-check: {name}: {said}{f' ({counts})' if counts else ''}", file=sys.stderr)
    print(f"gpu-check: the results are in {results}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
