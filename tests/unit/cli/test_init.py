"""`cactus init` writes a study that can be planned at once, and never overwrites anything."""

import pytest

from cactus.config.load import load_config
from cactus.errors import ConfigError, StorageError


@pytest.mark.parametrize("name", [None, "second", "123", "null", "1e5", "a.b-c_d"])
def test_a_new_study_can_be_planned_at_once(cactus, tmp_path, name):
    done = cactus("init", *([name] if name else []))
    assert (done.returncode, done.stderr) == (0, "")
    name = name or "my-study"
    path = tmp_path / f"config/{name}.yaml"
    assert f"cactus plan --configfile config/{name}.yaml" in done.stdout
    assert "There is no Snakefile here" in done.stdout
    assert "#" in path.read_text()
    plan = cactus("plan", "--configfile", str(path))
    assert (plan.returncode, plan.stderr) == (0, ""), plan.stderr
    assert f"{name}: " in plan.stdout
    assert list((tmp_path / "config").iterdir()) == [path]


def test_the_curves_of_a_new_study_have_ten_points(cactus, tmp_path):
    assert cactus("init").returncode == 0
    config = load_config([tmp_path / "config/my-study.yaml"], {})
    for one in (config.embeddings.acai, config.learners.protonets):
        assert one.iterations == 10 * one.log_every


def test_the_name_may_be_that_of_the_file(cactus, tmp_path):
    assert cactus("init", "mine.yaml").returncode == 0
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["mine.yaml"]
    assert "run: mine\n" in (tmp_path / "config/mine.yaml").read_text()


def test_from_a_folder_below_it_says_where_its_commands_work(cactus, tmp_path):
    (tmp_path / "Snakefile").touch()
    (tmp_path / "docs").mkdir()
    done = cactus("init", folder=tmp_path / "docs")
    assert f"edit it, then, in {tmp_path}:" in done.stdout
    assert "no Snakefile" not in done.stdout
    assert (tmp_path / "config/my-study.yaml").is_file()


def test_an_existing_file_is_kept(cactus, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/mine.yaml").write_text("run: other\n")
    (tmp_path / "config/gone.yaml").symlink_to("nowhere")
    for name in ("mine", "gone"):
        done = cactus("init", name)
        assert (done.returncode, "nothing is overwritten" in done.stderr) == (
            StorageError.exit_code,
            True,
        )
    assert (tmp_path / "config/mine.yaml").read_text() == "run: other\n"
    assert not (tmp_path / "config/nowhere").exists()


@pytest.mark.parametrize("name", ["with space", "../out", "", "Ä", "x" * 200, "a/b"])
def test_a_name_that_no_run_can_have_is_refused(cactus, tmp_path, name):
    done = cactus("init", name)
    assert done.returncode == ConfigError.exit_code, done.stderr
    assert "A study cannot have this name." in done.stderr
    assert "^[a-z" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_like_the_refused_one_is_proposed(cactus):
    assert "`cactus init grosse-2`" in cactus("init", "Größe 2").stderr
    assert "`cactus init first`" in cactus("init", "研究").stderr


def test_the_name_of_a_run_is_taken(cactus, tmp_path):
    (tmp_path / "results/old/plans").mkdir(parents=True)
    (tmp_path / "results/old/plans/config.json").write_text("{}")
    done = cactus("init", "old")
    assert done.returncode == StorageError.exit_code
    assert "There is a run of this name" in done.stderr
