"""A study chooses whether its jobs run with the locked libraries or with those of the site."""

import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from cactus.cli.provenance.why import explain
from cactus.config.load import parse_config
from cactus.errors import CodeError, ConfigError
from cactus.provenance.audit.rows import _version_notes
from cactus.provenance.execution.environment import check_libraries
from cactus.provenance.fingerprint.distributions import public_version
from cactus.provenance.records.reasons import Reason, plan_differences
from cactus.provenance.staleness.open_run import open_planner
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from tests.workflow.project import ROOT

JOB = Job("make_synthetic_data", "mnist")
PYTHON = ".".join(platform.python_version_tuple()[:2])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the project whose lock names another NumPy than the installed one."""
    for name in ("workflow", "config", "envs"):
        shutil.copytree(ROOT / name, tmp_path / name)
    lock = tmp_path / "envs/requirements.lock"
    lock.write_text(lock.read_text().replace("\nnumpy==", "\nnumpy==99."))
    return tmp_path


def planner(project: Path, **keys: object) -> Planner:
    config = parse_config({"synthetic_data": True, **keys})
    return open_planner(config, project / "results/paper", project)


def test_the_locked_versions_are_planned_unless_the_study_says_otherwise(project: Path):
    locked = planner(project).assess(JOB).plan
    assert locked.libraries["numpy"].startswith("99.")
    with pytest.raises(CodeError, match="environment: site") as refused:
        check_libraries(locked.libraries)
    assert refused.value.where == "numpy"

    site = planner(project, environment="site").assess(JOB).plan
    installed = {name: metadata.version(name) for name in site.libraries if name != "python"}
    expected = {name: public_version(version) for name, version in installed.items()}
    assert site.libraries == {**expected, "python": PYTHON}
    check_libraries(site.libraries)
    # The choice itself is no key of the job: only versions count.
    (reason,) = plan_differences(locked, site)
    assert (reason.kind, reason.name) == ("library", "numpy")


def test_cactus_why_says_where_a_version_comes_from(project: Path):
    reason = Reason("library", "numpy", "1.0", "2.0")
    for name, text in (
        ("locked", "library numpy: 1.0 -> 2.0"),
        (
            "site",
            f"library numpy: 1.0 -> 2.0 (in {sys.prefix}, as the study has `environment: site`)",
        ),
    ):
        one = planner(project, environment=name)
        assert explain(one, one.assess(JOB), reason) == text


def test_the_choice_alone_makes_nothing_stale(tmp_path: Path):
    plans = [
        open_planner(
            parse_config({"synthetic_data": True, "environment": name}), tmp_path / "results/paper"
        )
        .assess(JOB)
        .plan
        for name in ("locked", "site")
    ]
    assert plans[0] == plans[1]


def test_a_library_that_the_site_lacks_is_refused(project: Path, monkeypatch):
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    planner(project).assess(JOB)
    with pytest.raises(CodeError, match="neither locked nor installed") as refused:
        planner(project, environment="site").assess(JOB)
    assert "install it there" in refused.value.fix


def test_a_library_is_found_by_the_name_that_users_import(project: Path):
    (project / "own.py").write_text("import attr, _pytest\nfrom mpl_toolkits import mplot3d\n")
    module = {"module": str(project / "own.py"), "title": "Own"}
    job = Job("train_embedding", "mnist/own/s0")
    for environment in ("locked", "site"):
        keys = {"embeddings": {"custom": {"own": module}}, "environment": environment}
        libraries = planner(project, **keys).assess(job).plan.libraries
        for name in ("attrs", "pytest", "matplotlib"):
            assert libraries[name] == public_version(metadata.version(name))
    (project / "own.py").write_text("import no_such_library\n")
    with pytest.raises(CodeError, match="neither locked nor installed") as refused:
        planner(project, **keys).assess(job)
    assert refused.value.where == "no_such_library"
    assert "no such module" in refused.value.got


def test_a_helper_that_only_pythonpath_finds_is_told_where_it_lies(
    project: Path, monkeypatch: pytest.MonkeyPatch
):
    helper = project / "elsewhere/my_helper.py"
    helper.parent.mkdir()
    helper.write_text("")
    monkeypatch.syspath_prepend(str(helper.parent))
    (project / "own.py").write_text("import my_helper\n")
    module = {"module": str(project / "own.py"), "title": "Own"}
    keys = {"embeddings": {"custom": {"own": module}}}
    with pytest.raises(CodeError, match="neither locked nor installed") as refused:
        planner(project, **keys).assess(Job("train_embedding", "mnist/own/s0"))
    assert refused.value.got == f"{helper}, which is of no installed package"
    assert "put its file beside the code" in refused.value.fix


def test_an_unknown_environment_is_refused():
    with pytest.raises(ConfigError, match="environment"):
        parse_config({"environment": "conda"})


def test_versions_that_are_not_the_locked_ones_are_told(project: Path):
    site = planner(project, environment="site")
    numpy = metadata.version("numpy")
    (line,) = site.unlocked_versions([JOB]).splitlines()
    assert f"numpy {numpy} (locked 99.{numpy})" in line
    assert "pillow" not in line


def test_the_audit_notes_the_jobs_that_ran_with_other_versions(project: Path):
    site = planner(project, environment="site")
    plan = site.assess(JOB).plan
    names = ("mnist", "omniglot", "celeba", "miniimagenet")
    records = [
        SimpleNamespace(plan=plan, job=SimpleNamespace(name=f"make_synthetic_data/{name}"))
        for name in names
    ]
    numpy = metadata.version("numpy")
    (note,) = [one for one in _version_notes(site, records) if one.startswith("numpy")]
    assert note == (
        f"numpy {numpy}, not the locked 99.{numpy}, ran 4 jobs: make_synthetic_data/mnist, "
        "make_synthetic_data/omniglot, make_synthetic_data/celeba and 1 more"
    )
    same = plan.model_copy(update={"libraries": {**site.project.locked, "own-library": "1"}})
    assert not list(_version_notes(site, [SimpleNamespace(plan=same, job=JOB)]))


def test_another_python_than_the_locked_one_is_noted(project: Path):
    site = planner(project, environment="site")
    assert site.project.locked["python"] == "3.11"
    assert site.project.departures({"python": "3.11"}) == {}
    assert site.project.departures({"python": "3.13"}) == {"python": "3.13"}
