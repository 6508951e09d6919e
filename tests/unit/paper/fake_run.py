"""A seeded stand-in for a finished run: every file that tables and figures read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cactus.config.sections.source import Source
from cactus.data.array_files import write_array
from cactus.data.arrays import Manifest, SplitRecord, array_record, write_labels, write_manifest
from cactus.evaluate.confusion import CONFUSION_FILE, Confusion
from cactus.evaluate.partition_quality import measure_partitions
from cactus.evaluate.statistics import SettingResult, TaskAccuracies, write_results
from cactus.files import write_json
from cactus.paper.vocabulary import method_name
from cactus.seeding import derive_seed, numpy_generator
from cactus.tasks.episodes import EpisodeBatch
from cactus.tasks.storage import Partition, read_partitions, write_partitions
from cactus.train.metrics import MetricsLog

SETTINGS = {
    "mnist": [(10, 1), (10, 5), (10, 10)],
    "omniglot": [(5, 1), (5, 5), (20, 1), (20, 5)],
    "miniimagenet": [(5, 1), (5, 5), (5, 20), (5, 50)],
    "celeba": [(2, 5)],
}
SHAPES = {
    "mnist": (28, 28, 1),
    "omniglot": (28, 28, 1),
    "miniimagenet": (84, 84, 3),
    "celeba": (84, 84, 3),
}
# A data set of one's own, whose name and title are long.
LONG = "garden_birds_of_the_northern_alps"
LONG_TITLE = "Garden birds of the Northern Alps, photographed at feeders in winter ($5 and up)"
_CUSTOM_SETTINGS = [(5, 1)]
_ALL_SHAPES = {**SHAPES, LONG: (32, 32, 3)}
QUERY = 5
BASELINES = ("knn", "linear", "mlp", "cluster_matching")
# How much better than chance a method is, so that figures look like those of a real run.
_SKILL = {"scratch": 0.15, "random": 0.1, "pixels": 0.2, "labels": 0.9}
_CLASSES, _PER_CLASS = 12, 20
_TRUE_CLASSES = np.repeat(np.arange(_CLASSES), _PER_CLASS)


@dataclass(frozen=True)
class FakeRun:
    """What the run has; `build` writes it."""

    folder: Path
    datasets: Sequence[str] = ("omniglot",)
    embeddings: Sequence[str] = ("acai",)
    learners: Sequence[str] = ("maml",)
    seeds: Sequence[int] = (0,)
    controls: Sequence[str] = ()
    scratch: bool = False
    baselines: bool = True
    tasks: int = 40
    test_classes: int = _CLASSES
    synthetic: Sequence[str] = field(default_factory=lambda: tuple(SETTINGS))

    def build(self) -> list[str]:
        """Write all files; return the cells to aggregate."""
        cells: list[str] = []
        for dataset in self.datasets:
            _write_data(
                self.folder / "data" / dataset,
                dataset,
                self.test_classes,
                synthetic=dataset in self.synthetic,
            )
            for seed in self.seeds:
                for embedding in self.embeddings:
                    if self.baselines:
                        cells.append(self._baselines(dataset, embedding, seed))
                    self._embedding_log(dataset, embedding, seed)
                for source in (*self.embeddings, *self.controls):
                    for learner in self.learners:
                        cells.append(self._evaluation(dataset, source, learner, seed))
                        self._training(dataset, source, learner, seed)
                if self.scratch:
                    cells.append(self._evaluation(dataset, "scratch", "maml", seed))
        return cells

    def _evaluation(self, dataset: str, source: str, learner: str, seed: int) -> str:
        cell = f"evaluations/{dataset}/{source}/{learner}/s{seed}"
        method = method_name(source, learner)
        way = Source.parse(source).way
        settings = [one for one in SETTINGS.get(dataset, _CUSTOM_SETTINGS) if way in (None, one[0])]
        results = [self._result(dataset, source, method, seed, one, "") for one in settings]
        write_results(self.folder / cell, results, {"dataset": dataset})
        self._confusion(dataset, results[0]).write(self.folder / cell / CONFUSION_FILE)
        return cell

    def _confusion(self, dataset: str, result: SettingResult) -> Confusion:
        """Return counts of predictions that are wrong to a neighbor in the episode."""
        labels = _test_labels(self.test_classes)
        counts = Confusion(None if dataset == "celeba" else labels)
        generator, own = numpy_generator("confusion", dataset), result.accuracies
        for accuracy in own.accuracies:
            chosen = generator.permutation(self.test_classes)[None, : own.way, None]
            places = np.tile(np.arange(len(chosen[0]))[None, :, None], (1, 1, QUERY))
            wrong = generator.random(places.shape) > accuracy
            images = chosen * _PER_CLASS
            counts.add(EpisodeBatch(images, images), (places + wrong) % len(chosen[0]))
        return counts

    def _baselines(self, dataset: str, embedding: str, seed: int) -> str:
        cell = f"baselines/{dataset}/{embedding}/s{seed}"
        results = [
            self._result(dataset, embedding, method, seed, setting, method)
            for method in BASELINES
            for setting in SETTINGS.get(dataset, _CUSTOM_SETTINGS)
        ]
        write_results(self.folder / cell, results, {"dataset": dataset})
        return cell

    def _result(
        self,
        dataset: str,
        source: str,
        method: str,
        seed: int,
        setting: tuple[int, int],
        baseline: str,
    ) -> SettingResult:
        way, shot = setting
        generator = numpy_generator("fake", dataset, source, method, seed, way, shot)
        fixed = numpy_generator("skill", dataset, source, method).uniform(0.25, 0.6)
        skill = _SKILL.get(source, fixed) + 0.08 * np.log(shot)
        mean = np.clip(1 / way + (1 - 1 / way) * skill, 0.02, 0.98)
        accuracies = generator.binomial(way * QUERY, mean, self.tasks) / (way * QUERY)
        sha = f"{derive_seed('episodes', dataset, way, shot):064x}"
        details = _details(baseline, seed)
        return SettingResult(TaskAccuracies(way, shot, accuracies, baseline), QUERY, sha, details)

    def _embedding_log(self, dataset: str, embedding: str, seed: int) -> None:
        path = self.folder / f"embeddings/{dataset}/{embedding}/s{seed}/metrics.jsonl"
        names = {
            "acai": ["autoencoder_loss", "critic_loss"],
            "deepcluster": ["loss"],
        }.get(embedding, ["encoder_generator_loss", "discriminator_loss"])
        _write_log(path, {name: 1.0 + index for index, name in enumerate(names)}, {})
        _write_vectors(path.parent)

    def _training(self, dataset: str, source: str, learner: str, seed: int) -> None:
        cell = f"{dataset}/{source}/{learner}/s{seed}"
        _write_log(
            self.folder / "models" / cell / "metrics.jsonl", {"loss": 1.5}, {"val_accuracy": 0.6}
        )
        if not (dataset == "celeba" and source == "labels"):
            _write_partitions(self.folder / "partitions" / cell, source)
        if dataset != "celeba":
            header = {"dataset": dataset, "source": source, "learner": learner, "seed": seed}
            _write_quality(
                self.folder / "partitions" / cell, self.folder / "quality" / cell, header
            )


def _details(baseline: str, seed: int) -> dict[str, Any]:
    """Return what a summary says about the choice of a baseline, if it had one."""
    match baseline:
        case "knn":
            return {"selected": {"neighbors": 1 if seed else 3}, "validation_tasks": 500}
        case "linear":
            return {"selected": {"c": 0.1}, "validation_tasks": 500}
        case "mlp":
            selected = {"hidden_units": 128, "dropout": 0.5}
            return {"selected": selected, "validation_tasks": 100}
    return {}


def _write_log(path: Path, falling: dict[str, float], rising: dict[str, float]) -> None:
    generator = numpy_generator("log", *path.parts[-5:])
    speed = generator.uniform(60, 200)
    with MetricsLog(path, "fake", 500) as log:
        for step in range(1, 501):
            decay = np.exp(-step / speed)
            values = {k: v * (0.3 + decay) + 0.1 * generator.random() for k, v in falling.items()}
            if step % 50 == 0:
                values |= {
                    k: v * (1 - decay) + 0.02 * generator.random() for k, v in rising.items()
                }
            log.write(step, **values)


def _write_vectors(folder: Path) -> None:
    """Write the vectors of the training images, and a diagnostic picture."""
    generator = numpy_generator("vectors", *folder.parts[-3:])
    centers = generator.normal(size=(_CLASSES, 16))
    vectors = centers[_TRUE_CLASSES] + 0.7 * generator.normal(size=(len(_TRUE_CLASSES), 16))
    write_array(folder / "train.npy", vectors.astype(np.float32))
    record = {"file": "train.npy", "shape": list(vectors.shape)}
    write_json(folder / "manifest.json", {"arrays": {"train": record}})
    rows, columns = (8, 12) if folder.parts[-2] == "acai" else (5, 10)
    pixels = (255 * generator.random((rows * 58, columns * 58, 3))).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "diagnostic.png")


def _write_partitions(folder: Path, source: str) -> None:
    generator = numpy_generator("partition", source)
    true = _TRUE_CLASSES
    partitions = []
    for _ in range(3):
        noisy = np.where(generator.random(len(true)) < 0.3, generator.permutation(true), true)
        partitions.append(Partition(noisy if source != "labels" else true))
    write_partitions(
        folder,
        partitions,
        count=3,
        images=len(true),
        clusters=_CLASSES,
        header={
            "kind": "labels" if source == "labels" else "kmeans",
            "source": source,
            "way": 2 if folder.parents[2].name == "celeba" else 8,
            "shot": 1,
            "query": QUERY,
        },
        report=lambda _line: None,
    )


def _write_quality(partitions: Path, folder: Path, header: Mapping[str, object]) -> None:
    folder.mkdir(parents=True)
    measure_partitions(read_partitions(partitions), _TRUE_CLASSES, folder, header)


def _test_labels(classes: int) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(classes), _PER_CLASS)


def _pixels(dataset: str, classes: int) -> npt.NDArray[np.uint8]:
    height, width, channels = _ALL_SHAPES[dataset]
    generator = numpy_generator("images", dataset)
    bumps = generator.random((classes, 4, 4, channels))
    big = np.kron(bumps, np.ones((1, height // 4, width // 4, 1)))
    images = np.repeat(big, _PER_CLASS, axis=0)
    images = np.clip(images + 0.15 * generator.normal(size=images.shape), 0, 1)
    return (255 * images).astype(np.uint8)


def _class_name(index: int, classes: int) -> str:
    """Return a long name of each third of many classes."""
    long = index % 3 == 0 and classes > _CLASSES
    return f"Early_Alphabet_of_the_North/character{index}" if long else str(index)


def _write_data(folder: Path, dataset: str, test_classes: int, *, synthetic: bool) -> None:
    splits = {}
    for split in ("train", "val", "test"):
        classes = test_classes if split == "test" else _CLASSES
        pixels, labels = _pixels(dataset, classes), _test_labels(classes)
        write_array(folder / f"{split}_images.npy", pixels)
        splits[split] = SplitRecord(
            images=array_record(folder / f"{split}_images.npy", pixels.shape, pixels.dtype),
            labels=write_labels(folder / f"{split}_labels.npy", labels),
            classes=[_class_name(index, classes) for index in range(classes)],
        )
    manifest = Manifest(
        dataset=dataset,
        synthetic=synthetic,
        image_shape=_ALL_SHAPES[dataset],
        splits=splits,
    )
    write_manifest(folder, manifest)


def edit_summary(folder: Path, **changes: object) -> None:
    """Change the first setting's entry of a cell's summary."""
    path = folder / "summary.json"
    summary = json.loads(path.read_text())
    summary["settings"][0].update(changes)
    write_json(path, summary)


def full_run(folder: Path, seeds: Iterable[int] = (0, 1, 2)) -> FakeRun:
    """Return a run of the whole grid with all kinds of controls."""
    return FakeRun(
        folder,
        datasets=tuple(SETTINGS),
        embeddings=("acai", "bigan", "deepcluster", "infogan"),
        learners=("maml", "protonets"),
        seeds=tuple(seeds),
        controls=("labels", "random", "pixels", "acai+p-1", "hyperplanes-acai"),
        scratch=True,
    )
