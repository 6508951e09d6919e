"""Whatever is done to the files of a finished run, reading it back ends in a report or an error."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.cli.provenance.why import explain
from cactus.cli.text import columns
from cactus.errors import CactusError
from cactus.provenance.audit.diff import as_json
from cactus.provenance.audit.printed import PrintedNumber
from cactus.provenance.audit.report import Report, run_audit
from cactus.provenance.audit.trace import raw_files, trace
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.objects import json_hash
from cactus.provenance.staleness.open_run import open_run
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.status import job_status, list_failures
from tests.fuzz import examples
from tests.workflow.project import CONFIG, Project
from tests.workflow.tamper import MAML

pytestmark = pytest.mark.workflow
CACHE = HashCache(None)
PLANNED = "plans/config.json"


Draw = Callable[[st.SearchStrategy[Any]], Any]


class Damaged:
    """A copy of a finished run in which one file at a time is damaged."""

    def __init__(self, run: Path) -> None:
        self.run = run
        (run / "accepted.jsonl").write_text(json.dumps(WAIVER) + "\n")
        write(run / f"states/meta_train/{MAML}.json", NOTE)
        write(run / f"work/evaluate_model/{MAML}/lease.json", LEASE)
        files = [path for path in run.rglob("*") if path.is_file() and path.suffix != ".log"]
        self.names: dict[str, list[str]] = {}  # by folder, so that each is drawn as often
        for name in sorted(path.relative_to(run).as_posix() for path in files):
            self.names.setdefault(name.partition("/")[0], []).append(name)
        self.opened = open_run(str(run), cache=CACHE)
        self.results = {name for record in self.opened.records() for name in record.entities}

    def open(self, name: str) -> Planner:
        """Open the run again; what does not depend on the named file is read only once."""
        if name == PLANNED:
            return open_run(str(self.run), cache=CACHE)
        one = self.opened
        return Planner(one.config, one.run_folder, one.project, one.raw_dir)

    def restore(self, name: str, content: bytes) -> None:
        path = self.run / name
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        path.write_bytes(content)


WAIVER = {
    "stage": "meta_train", "cell": MAML, "kind": "library", "name": "numpy", "old": "1", "new": "2",
    "who": "me@here", "when": "2026-01-01T00:00:00+00:00", "why": "a reason",
}  # fmt: skip
NOTE = {
    "host": "n1", "boot": "b", "pid": 9, "process": "1", "state": "failed", "error": "It failed.",
    "started": "2026-01-01T00:00:00+00:00", "ended": "2026-01-01T00:00:00+00:00", "attempt": 2,
}  # fmt: skip
LEASE = {
    **{key: NOTE[key] for key in ("host", "boot", "pid", "process", "started", "attempt")},
    "token": "t", "beat": 3, "step": 30, "steps": 40, "seconds_left": 65.0,
}  # fmt: skip


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


# One job of each kind: a reading takes a third of the time that it takes in the finished run.
FEW = (
    "grid={datasets: [omniglot], embeddings: [acai], learners: [maml], seeds: [0],"
    " controls: {omniglot: []}, exclude: []}",
    "outputs={figures: [shots, training_curves]}",
)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    project = Project.create(tmp_path_factory.mktemp("damaged") / "project")
    project.snakemake("--cores", "2", config=(*CONFIG, "--config", *FEW))
    return Damaged(project.run)


def read_back(planner: Planner) -> Report:
    """Do what the commands do that read a run, and return the audit's report."""
    report = run_audit(planner)
    json.dumps(report.as_json())
    report.as_text().encode()
    for one in planner.assess_all():
        status = job_status(planner, one)
        columns([(status.job.name, status.state, status.ended, status.note)]).encode()
        for reason in one.reasons:
            explain(planner, one, reason)
    list_failures(planner)
    return report


def show_a_number(planner: Planner) -> None:
    file = planner.run_folder / "tables/omniglot.tex"
    found = trace(planner, file, "ACAI CACTUs-MAML", "5w1s")
    PrintedNumber(found.chain[-1][0], str(file), found.entry).title.encode()
    list(raw_files(planner, found.chain))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from([10**39, 10**400, "", "\x1b[2J", "../../x", "\ud800", "0" * 64, -1]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)  # fmt: skip


@st.composite
def damaged_json(draw: st.DrawFn, content: bytes) -> bytes:
    """Replace, remove or add one value somewhere in JSON, or in a line of it."""
    lines = content.decode().splitlines() if content.count(b"\n{") else [content.decode()]
    at = draw(st.integers(0, len(lines) - 1))
    try:
        value = json.loads(lines[at])
    except ValueError:
        return content[: len(content) // 2]
    box = [value]
    holder: Any = box
    key: Any = 0
    while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 5)):
        holder = holder[key]
        key = draw(
            st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
        )
    match draw(st.integers(0, 4)):
        case 0 if holder is not box:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[draw(st.text(max_size=5))] = draw(JSON)
        case _:
            holder[key] = draw(JSON)
    lines[at] = json.dumps(box[0])
    return "\n".join(lines).encode()


def signed(content: bytes) -> bytes:
    """Give a forged record the checksum that fits it."""
    record = json.loads(content)
    if isinstance(record, dict) and record.pop("checksum", None):
        record["checksum"] = json_hash(record)
    return json.dumps(record).encode()


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Flip, cut, double or replace bytes."""
    at = draw(st.integers(0, len(content)))
    some = draw(
        st.binary(max_size=8) | st.sampled_from([b"\n", b",", b"nan", b"1e999", b"\0", b'"'])
    )
    match draw(st.integers(0, 4)):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + some + content[at:]
        case 2:
            return content[:at] + some + content[at + len(some) :]
        case 3:
            return content[:at] + content[max(0, at - 40) :]
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return some
    index = draw(st.integers(0, len(lines) - 1))
    again = draw(st.integers(0, 2))
    return b"".join([*lines[:index], *[lines[index]] * again, *lines[index + 1 :]])


def damage(draw: Draw, place: Damaged, name: str, content: bytes) -> bool:
    """Damage a file; return whether it is one with other bytes, or none, now."""
    path = place.run / name
    kind = draw(st.sampled_from(["bytes"] * 5 + ["json"] * 7 + ["other", "type"]))
    if kind == "json" and path.suffix in (".json", ".jsonl"):
        changed = draw(damaged_json(content))
        if name.startswith("records/") and draw(st.booleans()):
            changed = signed(changed)
    elif kind == "other":
        changed = (
            place.run
            / draw(st.sampled_from([one for names in place.names.values() for one in names]))
        ).read_bytes()
    elif kind == "type":
        path.unlink()
        match draw(st.integers(0, 4)):
            case 0:
                path.mkdir()
            case 1:
                os.mkfifo(path)
            case 2:
                path.symlink_to(path)
            case 3:
                path.symlink_to("/dev/zero")
        return True
    else:
        changed = draw(damaged_bytes(content))
    path.write_bytes(changed)
    return changed != content


@pytest.mark.fuzz
@examples(100)
@given(data=st.data())
def test_any_damage_to_a_run_ends_in_findings_or_an_error(damaged: Damaged, data: st.DataObject):
    names = damaged.names[data.draw(st.sampled_from(sorted(damaged.names)))]
    name = data.draw(st.sampled_from(names))
    content = (damaged.run / name).read_bytes()
    try:
        changed = damage(data.draw, damaged, name, content)
        try:
            report = read_back(damaged.open(name))
        except CactusError:
            assert name == PLANNED
        else:
            found = {finding.file for finding, _, _ in report.findings}
            assert name in found or not changed or name not in damaged.results
        if data.draw(st.booleans()):
            with suppress(CactusError):
                show_a_number(damaged.open(name))
            with suppress(CactusError):
                as_json(damaged.open(name), damaged.open(name))
    finally:
        damaged.restore(name, content)
