"""How an audit tells many findings."""

from cactus.provenance.audit.findings import Finding, FindingKind
from cactus.provenance.audit.report import Report
from cactus.stages.base import Job

JOB = Job("evaluate_model", "mnist/acai/maml/s0")
UPDATE = "cactus update a"


def told(*findings: tuple[FindingKind, str, str, str]) -> list[str]:
    """Return the lines about findings of a kind, a file, what was got, and a fix."""
    made = [(Finding(kind, file, got, JOB), (), fix) for kind, file, got, fix in findings]
    report = Report(tuple(made), (), "0", 1, 1, 0)
    assert report.verdict.startswith(f"{len(findings)} finding")
    return report.as_text().splitlines()[:-2]


def test_findings_in_the_same_words_are_one_block():
    lines = told(*(("output missing", f"f{n}", "no such file", UPDATE) for n in range(7)))
    assert lines == [
        "output missing: f0, f1, f2, f3, f4 and 2 more",
        "  got:     no such file",
        "  affects: no printed number",
        f"  fix:     {UPDATE}",
    ]


def test_of_many_findings_of_a_kind_the_first_are_shown_and_the_others_counted():
    many = [("number differs", f"t{n % 2}", f"value {n}", UPDATE) for n in range(300)]
    lines = told(*many, ("stale", "job", "code changed", UPDATE))
    assert sum(line.startswith("number differs: ") for line in lines) == 6
    assert "number differs: 295 more findings, in t1, t0" in lines
    assert lines[-4:-1] == ["stale: job", "  got:     code changed", "  affects: no printed number"]
    assert {line for line in lines if "  fix:" in line} == {f"  fix:     {UPDATE}"}


def test_what_mends_the_others_is_printed_if_it_is_not_long():
    strays = [("stray file", f"f{n}", f"{n}", f"rm f{n}") for n in range(40)]
    assert told(*strays[:8])[-1] == "  fix:     rm f5 && rm f6 && rm f7"
    assert told(*strays)[-1] == "  fix:     one for each, listed by `cactus audit --json`"
