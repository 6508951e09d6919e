import json

import pytest
import torch
from safetensors.torch import load_file, save_file

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


@pytest.mark.parametrize("key", ["dataset", "source", "seed", "learner", "image_shape"])
def test_the_model_of_another_cell_is_refused(tmp_path, key):
    cell = {"dataset": "mnist", "source": "acai", "seed": 0, "learner": "maml"}
    save_model(learner("maml", shape=SHAPE), tmp_path, cell)
    assert load_model(learner("maml", shape=SHAPE), tmp_path, **cell)["dataset"] == "mnist"
    record = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**record, key: 7}))
    with pytest.raises(DataError) as caught:
        load_model(learner("maml", shape=SHAPE), tmp_path, **cell)
    assert caught.value.where == f"{tmp_path}/model.json: {key}"


@pytest.mark.parametrize("change", [torch.Tensor.half, lambda value: value * torch.inf])
def test_weights_of_another_type_and_infinite_ones_are_refused(tmp_path, change):
    save_model(learner("maml"), tmp_path, {})
    path = tmp_path / "model.safetensors"
    save_file({name: change(value) for name, value in load_file(path).items()}, path)
    record = json.loads((tmp_path / "model.json").read_text())
    record["weights"]["sha256"] = file_hash(path)
    (tmp_path / "model.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="cannot be read") as caught:
        load_model(learner("maml"), tmp_path)
    assert "torch.float16, expected torch.float32" in caught.value.got or "NaN" in caught.value.got
