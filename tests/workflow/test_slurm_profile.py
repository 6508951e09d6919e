"""The Slurm profile in dry runs: what each job would request."""

import re
import shutil
from collections.abc import Sequence

import pytest

from cactus.cluster.profile import ProfileValue, fill_in
from cactus.config.sections.source import Source
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.workflow
SHIPPED = ROOT / "config/profiles/slurm/config.yaml"
CLUSTER = {"cpu_partition": "long", "gpu_partition": "fast", "account": "007", "gpu_minutes": 2000}
TARGETS = [
    f"results/full/{stage}/summary.json"
    for stage in ("evaluations/celeba/acai/maml/s0", "evaluations/mnist/acai/protonets/s0",
                  "baselines/mnist/acai/s0")
]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy whose dry runs show what jobs request, which a rule's message hides."""
    project = Project.create(tmp_path_factory.mktemp("profile") / "project")
    for path in (project.folder / "rules").glob("*.smk"):
        path.write_text(re.sub(r" +message:\n.*\n", "", path.read_text()))
    return project


def requests(
    project: Project, *options: str, targets: Sequence[str] = TARGETS, **keys: str | int
) -> dict[str, dict[str, str]]:
    """Return the resources of each job of the targets, with keys of the profile set."""
    values = {key: ProfileValue(value, "") for key, value in keys.items()}
    text = fill_in(SHIPPED.read_text(), values)
    profile = project.folder / "mine/config.yaml"
    profile.parent.mkdir(exist_ok=True)
    profile.write_text(text.replace("logger: cactus", ""))
    study = ("--configfile", "config/full.yaml")
    output = project.snakemake(
        "--profile", "mine", "--dry-run", *study, *options, "--", *targets, config=()
    )
    found = {}
    for block in output.split("\nrule ")[1:]:
        lines = dict(line.strip().split(": ", 1) for line in block.splitlines() if ": " in line)
        cell = "/".join(re.findall(r"=([\w+.-]+)", lines["wildcards"]))
        asked = dict(pair.split("=", 1) for pair in lines["resources"].split(", "))
        found[f"{block.split(':')[0]} {cell}"] = asked
    return found


def test_snakemake_finds_the_profile_in_a_clone(project: Project):
    output = project.snakemake("--profile", "slurm", "--dry-run", config=())
    assert "30 meta_train" in output


def test_each_job_requests_what_its_data_set_needs(project: Project):
    asked = requests(project, **CLUSTER)
    training = asked["meta_train celeba/acai/maml/0"]
    assert (training["mem_mb"], training["runtime"]) == ("24000", "1440")
    assert (training["gpu"], training["slurm_partition"]) == ("1", "fast")
    assert "gres" not in training
    assert asked["meta_train mnist/acai/protonets/0"]["runtime"] == "240"
    baselines = asked["run_baselines mnist/acai/0"]
    assert baselines["slurm_partition"] == "long"
    assert "gpu" not in baselines
    assert {one["slurm_account"] for one in asked.values()} == {"007"}


def test_a_custom_learner_has_a_row_of_its_own(project: Project):
    shutil.copy(ROOT / "docs/examples/matching_networks.py", project.folder / "matching.py")
    own = "learners={custom: {matching: {module: matching.py}}}"
    grid = "grid={datasets: [mnist], embeddings: [acai], learners: [matching, protonets]}"
    learners = ("matching", "protonets")
    targets = [f"results/full/models/mnist/acai/{one}/s0/model.json" for one in learners]
    asked = requests(project, "--config", own, grid, targets=targets)
    assert asked["meta_train mnist/acai/matching/0"]["runtime"] == "720"
    assert asked["meta_train mnist/acai/protonets/0"]["runtime"] == "240"


def test_a_data_set_of_ones_own_requests_as_much_as_any(project: Project):
    own = "data={custom: {birds: {image_size: 32, channels: 3}}}"
    asked = requests(
        project,
        "--config",
        own,
        "grid={datasets: [birds]}",
        targets=["results/full/evaluations/birds/acai/protonets/s0/summary.json"],
    )
    training = asked["meta_train birds/acai/protonets/0"]
    assert (training["mem_mb"], training["runtime"]) == ("24000", "1440")


def test_empty_keys_are_left_to_the_cluster(project: Project):
    for asked in requests(project).values():
        assert not {"slurm_account", "slurm_partition", "qos", "constraint", "gres"} & {*asked}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, {"gpu": "1"}),
        ({"gpu_model": "a100"}, {"gpu": "1", "gpu_model": "a100"}),
        ({"gpu_request": "gres"}, {"gpu": "0", "gres": "gpu:1"}),
        ({"gpu_request": "gres", "gpu_model": "a100"}, {"gpu": "0", "gres": "gpu:a100:1"}),
        ({"gpu_request": "none"}, {"gpu": "0"}),
    ],
)
def test_a_gpu_is_requested_in_the_form_that_the_cluster_accepts(project, keys, expected):
    training = requests(project, **keys)["train_embedding mnist/acai/0"]
    assert {key: training[key] for key in ("gpu", "gres", "gpu_model") if key in training} == (
        expected
    )


@pytest.mark.parametrize("jobs", [1, 2, 3, 8])
@pytest.mark.parametrize("form", ["gpus", "gres"])
def test_jobs_that_share_a_gpu_request_their_part_of_its_shards(project, form: str, jobs: int):
    keys = {"gpu_request": form, "gpu_model": "a100", "gpu_shards": 4}
    found = requests(project, "--config", f"gpus={{jobs_per_gpu: {jobs}}}", **keys)
    training = found["meta_train mnist/acai/protonets/0"]
    asked = [training.get(key) or "" for key in ("gpu", "gres", "gpu_model")]
    whole = ["1", "", "a100"] if form == "gpus" else ["0", "gpu:a100:1", ""]
    parts = {2: "shard:2", 3: "shard:2", 8: "shard:1"}
    assert asked == (whole if jobs == 1 else ["0", parts[jobs], ""])
    assert "gpu" not in found["run_baselines mnist/acai/0"]


def test_partitions_request_a_gpu_only_for_k_means(project: Project):
    sources = ("acai", "acai+p-1", "hyperplanes-acai", "hyperplanes-acai+margin-0", "labels",
               "pixels", "random+20-way", "random+5-way")  # fmt: skip
    targets = [f"results/full/partitions/omniglot/{one}/maml/s0/summary.json" for one in sources]
    asked = requests(project, targets=targets, **CLUSTER)
    for source in sources:
        job = asked[f"make_partitions omniglot/{source}/maml/0"]
        place = ("1", "fast") if Source.parse(source).by_kmeans else ("0", "long")
        assert (job["gpu"], job["slurm_partition"]) == place


def test_an_unknown_form_is_rejected(project: Project):
    with pytest.raises(AssertionError, match="gpu_request is 'gpu', but has to be gpus, gres or"):
        requests(project, gpu_request="gpu")


@pytest.mark.parametrize("form", ["gpus", "gres"])
def test_a_study_on_cpus_requests_no_gpu(project: Project, form: str):
    keys = {**CLUSTER, "gpu_request": form, "gpu_model": "a100"}
    asked = requests(project, "--config", "compute={device: cpu}", **keys)
    training = asked["evaluate_model celeba/acai/maml/0"]
    assert training["gpu"] == "0"
    assert training["slurm_partition"] == "long"
    assert not training.get("gres")
    assert not training.get("gpu_model")


def test_no_job_requests_more_than_the_partition_allows(project: Project):
    for name, asked in requests(project, gpu_minutes=60, cpu_memory=3000).items():
        if not name.startswith(("prepare_data", "run_baselines")):
            assert int(asked.get("runtime", 0)) <= 60
        elif "runtime" in asked:
            assert int(asked["mem_mb"]) <= 3000


@pytest.mark.parametrize(("jobs", "admitted"), [(1, 2), (3, 6)])
def test_without_slurm_a_gpu_admits_the_jobs_that_may_share_it(project, jobs: int, admitted: int):
    output = project.snakemake(
        f"results/local-{jobs}/raw/mnist/synthetic.json", "--cores", "1", "--resources", "gpu=2",
        "--config", f"run=local-{jobs}", "synthetic_data=true", f"gpus={{jobs_per_gpu: {jobs}}}",
        "grid={datasets: [mnist]}", "synthetic={mnist: {train_images: 120, test_images: 60}}",
        config=(),
    )  # fmt: skip
    assert f'Provided resources: gpu=Resource("gpu", {admitted})' in output


def test_rules_pass_signals_to_python_and_append_to_the_log():
    texts = [path.read_text() for path in (ROOT / "rules").glob("*.smk")]
    commands = [text.split("\n\n")[0] for text in "\n".join(texts).split("shell:")[1:]]
    assert len(commands) == 15
    for command in commands:
        assert command.strip().startswith("'exec python \"$SCRIPTS/")
        assert command.strip().endswith(" >> {log:q} 2>&1'")
