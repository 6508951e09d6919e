"""MAML and ProtoNets, trained and evaluated as in a run."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from sklearn.exceptions import NotFittedError

from cactus.api.data import Images, LabeledImages, Labels
from cactus.api.parameters import as_partitions, checked
from cactus.config.sections.evaluation import EvaluationSettings, FewShotSetting
from cactus.config.sections.learners.maml import MamlSettings, MamlSpeed
from cactus.config.sections.learners.protonets import ProtonetsSettings, ProtonetsSpeed
from cactus.config.sections.partition import PartitionSettings
from cactus.errors import DataError
from cactus.evaluate.episodes import evaluation_episodes
from cactus.evaluate.run_model import evaluate_model
from cactus.evaluate.statistics import summarize
from cactus.files import read_manifest
from cactus.meta.base import MetaLearner
from cactus.meta.registry import build
from cactus.meta.store import METRICS_FILE, RECORD_FILE, load_model, save_model
from cactus.meta.train import TaskSource, meta_train
from cactus.seeding import derive_seed
from cactus.tasks.episodes import PartitionSampler
from cactus.train.checkpoint import Checkpoints
from cactus.train.device import DeviceName, set_up_device
from cactus.train.images import resident_images
from cactus.train.stop import StopRequest


@dataclass(frozen=True)
class Scores:
    """Accuracies (T,) of episodes, their mean, and the half-width of its 95 % interval."""

    accuracies: npt.NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean accuracy."""
        return summarize(self.accuracies).mean

    @property
    def ci95(self) -> float:
        """1.96 standard deviations of the mean over episodes."""
        return summarize(self.accuracies).ci95

    def __str__(self) -> str:
        return f"{self.mean:.2%} ± {self.ci95:.2%}"


class _Learner:
    """What the learners share; see their docstrings."""

    name: ClassVar[Any]
    models: ClassVar[tuple[Any, Any]]

    def __init__(self, *, random_state: int = 0, device: DeviceName = "auto", **settings: Any):
        given = {**settings, "per_dataset": {}}
        self.settings = checked(self.models[0], type(self).__name__, given)
        self.random_state, self.device = random_state, device

    def fit(self, images: Images, labels: Labels) -> Self:
        """Meta-train from random weights on episodes of images.

        Parameters
        ----------
        images
            uint8 (N, H, W, C).
        labels
            (P, N) partitions, or (N,) classes; -1 for none.

        Returns
        -------
        Self
            With ``model_``, a PyTorch module, and ``history_``, the training curve: dicts of
            ``step``, ``loss`` and ``accuracy``.

        Raises
        ------
        DataError
            The images are of another type or number.
        EpisodeError
            Episodes cannot be drawn from the labels.
        TrainingError
            The training diverged.
        """
        _check_images(images)
        device, own = self._device(), self.settings
        sampler = PartitionSampler(as_partitions(labels), own.way, own.shot, own.query)
        height, width, channels = images.shape[1:]
        learner, label = self._build((height, width, channels), device), type(self).__name__
        with TemporaryDirectory() as folder:
            meta_train(
                learner,
                TaskSource(resident_images(images, device), sampler),
                None,
                Path(folder),
                seed=self.random_state,
                label=label,
                record={},
                checkpoints=_no_checkpoints(Path(folder), label),
            )
            lines = (Path(folder) / METRICS_FILE).read_text(encoding="utf-8").splitlines()
        self.model_, self.history_ = learner, [json.loads(line) for line in lines]
        return self

    def evaluate(
        self,
        data: LabeledImages,
        *,
        way: int = 5,
        shot: int = 1,
        query: int = 5,
        n_tasks: int = 1000,
        random_state: int = 0,
    ) -> Scores:
        """Return the accuracies on few-shot episodes of true classes.

        The episodes depend on the names of the data set and the split, on the shape and the seed.
        Those of a prepared data set are the same as in a run.

        Raises
        ------
        EpisodeError
            Such episodes cannot be drawn, or have more classes than the model.
        """
        _check_images(data.images)
        model = self._model()
        setting = checked(FewShotSetting, "evaluate", {"way": way, "shot": shot})
        chosen: dict[str, Any] = {
            "tasks": n_tasks,
            "query": query,
            "seed": random_state,
            "split": data.split,
        }
        evaluation = checked(EvaluationSettings, "evaluate", chosen, {"tasks": "n_tasks"})
        pool = PartitionSettings().pool_attributes
        episodes = evaluation_episodes(data.dataset, data.labels, setting, evaluation, pool)
        images = resident_images(data.images, self._device())
        (found,) = evaluate_model(model, images, {(way, shot): episodes}, lambda _: None)
        return Scores(found.accuracies.accuracies)

    def save(self, folder: str | Path) -> None:
        """Write the model, ``model.safetensors`` and ``model.json``, as a run does."""
        save_model(self._model(), Path(folder), {"seed": self.random_state})

    @classmethod
    def load(cls, folder: str | Path, *, device: DeviceName = "auto") -> Self:
        """Return a trained model with its settings, for example ``results/<run>/models/...``.

        Raises
        ------
        DataError
            It is missing, damaged, or of another learner.
        """
        record = read_manifest(Path(folder) / RECORD_FILE, learner=cls.name)
        own = cls(random_state=record["seed"], device=device, **record["settings"])
        own.model_ = own._build(tuple(record["image_shape"]), own._device())
        load_model(own.model_, Path(folder))
        return own

    def _model(self) -> MetaLearner:
        if not hasattr(self, "model_"):
            raise NotFittedError(f"This {type(self).__name__} is not trained; call `fit` first.")
        return self.model_

    def _device(self) -> torch.device:
        return set_up_device(self.device, torch.get_num_threads(), deterministic=True)

    def _build(self, image_shape: tuple[int, int, int], device: torch.device) -> MetaLearner:
        seed = derive_seed("weights", self.random_state)
        speed = self.models[1]()
        return build(self.name, self.settings, speed, image_shape, seed=seed, device=device)


class Maml(_Learner):
    """Model-agnostic meta-learning (Finn et al. 2017), as in CACTUs-MAML.

    Parameters
    ----------
    random_state
        Seed of the weights and the episodes.
    device
        ``auto``, ``cpu`` or ``cuda``.
    **settings
        Keys of `cactus.config.sections.learners.maml.MamlSettings`, such as ``way``, ``shot``,
        ``query``, ``iterations``, ``inner_lr`` and ``inner_steps``. Defaults are the pipeline's
        for Omniglot. ``way`` bounds the classes of later episodes.
    """

    name = "maml"
    models = MamlSettings, MamlSpeed


class ProtoNets(_Learner):
    """Prototypical networks (Snell et al. 2017), as in CACTUs-ProtoNets.

    Parameters
    ----------
    random_state
        Seed of the weights and the episodes.
    device
        ``auto``, ``cpu`` or ``cuda``.
    **settings
        Keys of `cactus.config.sections.learners.protonets.ProtonetsSettings`, such as ``way``,
        ``shot``, ``query``, ``iterations`` and ``filters``. Defaults are those for Omniglot.
    """

    name = "protonets"
    models = ProtonetsSettings, ProtonetsSpeed


def _no_checkpoints(folder: Path, label: str) -> Checkpoints:
    return Checkpoints(folder, "", seconds=None, steps=None, stop=StopRequest(label))


def _check_images(images: Images) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
        raise DataError(
            "Images are of another type or shape.",
            where="the argument `images`",
            got=f"{images.dtype} of shape {images.shape}",
            fix="pass uint8 images (N, H, W, C), gray ones with C = 1",
        )
