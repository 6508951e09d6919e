import json

import pytest
import torch

from cactus.errors import DataError
from cactus.files import file_hash
from cactus.meta.store import load_model, save_model
from tests.unit.meta.tiny import episodes, learner, task_source

SHAPE = (16, 16, 1)


@pytest.mark.parametrize("name", ["maml", "protonets"])
def test_a_stored_model_comes_back(tmp_path, name):
    source = task_source(shape=SHAPE)
    model = learner(name, shape=SHAPE, seed=1)
    model.accumulate_gradients(source.images, episodes(source, 2))
    save_model(model, tmp_path, {"source": "acai"})
    other = learner(name, shape=SHAPE, seed=2)
    assert load_model(other, tmp_path)["source"] == "acai"
    for key, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[key], value)
    batch = episodes(source, 3)
    logits = [each.query_logits(source.images, batch) for each in (model, other)]
    assert torch.equal(*logits)


def test_nothing_but_the_two_files_is_left(tmp_path):
    save_model(learner("maml"), tmp_path, {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.json", "model.safetensors"]


def test_damage_is_noticed(tmp_path):
    save_model(learner("maml"), tmp_path, {})
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"\0\0\0\1")
    with pytest.raises(DataError, match="sha256"):
        load_model(learner("maml"), tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        load_model(learner("maml"), tmp_path)


def test_a_truncated_file_with_a_fitting_record_is_noticed(tmp_path):
    save_model(learner("maml"), tmp_path, {})
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    record = json.loads((tmp_path / "model.json").read_text())
    record["weights"]["sha256"] = file_hash(path)
    (tmp_path / "model.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="cannot be read"):
        load_model(learner("maml"), tmp_path)


def test_a_model_of_other_kind_or_size_is_refused(tmp_path):
    save_model(learner("maml", shape=SHAPE), tmp_path, {})
    with pytest.raises(DataError, match="not protonets"):
        load_model(learner("protonets", shape=SHAPE), tmp_path)
    with pytest.raises(DataError, match="size mismatch"):
        load_model(learner("maml", shape=SHAPE, filters=5), tmp_path)


def test_without_a_record_there_is_no_model(tmp_path):
    save_model(learner("maml"), tmp_path, {})
    (tmp_path / "model.json").unlink()
    with pytest.raises(DataError):
        load_model(learner("maml"), tmp_path)
