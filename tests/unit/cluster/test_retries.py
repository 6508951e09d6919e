"""What the Slurm profile requests for a retry, by its expressions as Snakemake evaluates them."""

from pathlib import Path
from string import Template
from types import SimpleNamespace

import pytest
import yte

from cactus.cluster.profile import ProfileValue, fill_in

SHIPPED = Path(__file__).parents[3] / "config/profiles/slurm/config.yaml"
CELL = SimpleNamespace(dataset="mnist", embedding="acai", seed="0")


def requested(attempt, jobs_per_gpu, **keys):
    """Return the GPU, the gres and the model that a training requests."""
    values = {key: ProfileValue(value, "") for key, value in keys.items()}
    profile = yte.process_yaml(fill_in(SHIPPED.read_text(), values))
    resources = profile["set-resources"]["train_embedding"]
    variables = {"CACTUS_GPUS": "1", "CACTUS_JOBS_PER_GPU": str(jobs_per_gpu)}
    found = []
    for name in ("gpu", "gres", "gpu_model"):
        text = Template(str(resources.get(name, "''"))).substitute(variables)
        found.append(str(eval(text, {"attempt": attempt, "wildcards": CELL})))
    return found


@pytest.mark.parametrize("form", ["gpus", "gres"])
def test_the_retry_of_a_job_that_shares_a_gpu_requests_a_whole_one(form):
    keys = {"gpu_request": form, "gpu_model": "a100", "gpu_shards": 4}
    whole = ["1", "", "a100"] if form == "gpus" else ["0", "gpu:a100:1", ""]
    assert requested(1, 2, **keys) == ["0", "shard:2", ""]
    for attempt in (2, 3):
        assert requested(attempt, 2, **keys) == whole
    assert requested(1, 1, **keys) == whole
