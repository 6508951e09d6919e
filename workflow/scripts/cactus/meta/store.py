"""Trained models as files: the weights, and a record written last that marks them complete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import safetensors
from safetensors.torch import load_file, save_file
from torch import Tensor

from cactus.errors import DataError
from cactus.files import atomic_path, file_hash, read_manifest, write_json
from cactus.meta.base import MetaLearner

WEIGHTS_FILE: Final = "model.safetensors"
METRICS_FILE: Final = "metrics.jsonl"
RECORD_FILE: Final = "model.json"


def save_model(learner: MetaLearner, folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``model.safetensors`` and, last, ``model.json``, each atomically.

    Parameters
    ----------
    learner
        The model, of which parameters and buffers are written.
    folder
        Folder of the cell.
    record
        Further JSON values for ``model.json``.

    Raises
    ------
    StorageError
        The files cannot be written.
    """
    state = {name: value.cpu().contiguous() for name, value in learner.state_dict().items()}
    with atomic_path(folder / WEIGHTS_FILE) as temporary:
        save_file(state, temporary)
    weights = {
        "file": WEIGHTS_FILE,
        "sha256": file_hash(folder / WEIGHTS_FILE),
        "parameters": sum(parameter.numel() for parameter in learner.parameters()),
    }
    content = {
        **record,
        "learner": learner.name,
        "image_shape": list(learner.image_shape),
        "settings": learner.settings.model_dump(mode="json", exclude={"per_dataset"}),
        "speed": learner.speed and learner.speed.model_dump(mode="json", exclude={"per_dataset"}),
        "weights": weights,
    }
    write_json(folder / RECORD_FILE, content)


def load_model(learner: MetaLearner, folder: Path, /, **expected: Any) -> dict[str, Any]:
    """Load stored weights into a learner built with the same settings; return the record.

    Parameters
    ----------
    learner
        The model to fill.
    folder
        Folder of the cell.
    **expected
        Entries that ``model.json`` must have.

    Raises
    ------
    DataError
        The folder is incomplete or damaged, a weight is not finite, or the model is of another
        learner, shape or type, or another one than expected.
    """
    shape = list(learner.image_shape)
    record = read_manifest(folder / RECORD_FILE, image_shape=shape, **expected)
    path = folder / WEIGHTS_FILE
    try:
        if record["learner"] != learner.name:
            raise ValueError(f"a {record['learner']} model, not {learner.name}")
        if file_hash(path) != record["weights"]["sha256"]:
            raise ValueError("its sha256 differs from the record")
        weights = load_file(path)
        _check_weights(learner.state_dict(), weights)
        learner.load_state_dict(weights)
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        safetensors.SafetensorError,
    ) as error:
        raise DataError(
            "A trained model cannot be read.",
            where=str(path),
            got=" ".join(str(error).split()),
            fix="delete the folder and run the same command to train it again",
        ) from error
    return record


def _check_weights(own: Mapping[str, Tensor], stored: Mapping[str, Tensor]) -> None:
    """Check what loading does not: it converts types, and takes any number."""
    for name, value in stored.items():
        if name in own and value.dtype != own[name].dtype:
            raise ValueError(f"{name} is {value.dtype}, expected {own[name].dtype}")
        if not value.isfinite().all():
            raise ValueError(f"NaN or infinity in {name}")
