"""Score the baselines on the embeddings of one data set."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from cactus.config.sections.evaluation import BaselineName, FewShotSetting, Parameters
from cactus.errors import ConfigError, DataError, EpisodeError
from cactus.evaluate.baselines.base import Baseline
from cactus.evaluate.baselines.cluster_matching import fit_centroids
from cactus.evaluate.baselines.registry import build
from cactus.evaluate.embeddings import load_embeddings
from cactus.evaluate.episodes import episodes_sha256, evaluation_episodes
from cactus.evaluate.statistics import (
    SUMMARY_FILE,
    Accuracies,
    SettingResult,
    TaskAccuracies,
    check_results,
    summarize,
    write_results,
)
from cactus.seeding import derive_seed
from cactus.splits import Split
from cactus.stages.run_baselines import RunBaselinesSpec
from cactus.tasks.episodes import EpisodeBatch
from cactus.tasks.labels import task_labels

_PROGRESS_SECONDS = 30.0

Report = Callable[[str], None]
Embeddings = npt.NDArray[np.float32]
Centroids = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Trial:
    """One method on one way and shot, with the parameters it selects from and its episodes.

    If there are several, the validation episodes select; otherwise there are none.
    """

    method: BaselineName
    setting: FewShotSetting
    choices: list[Parameters]
    episodes: list[EpisodeBatch]
    validation: list[EpisodeBatch]

    @property
    def name(self) -> str:
        return f"{self.method} {self.setting.way}-way {self.setting.shot}-shot"


def run_baselines(
    spec: RunBaselinesSpec, data_folder: Path, embedding_folder: Path, output: Path, report: Report
) -> None:
    """Score every baseline on every way and shot; write the accuracies, then the summary.

    Training labels are never read; validation labels only if a method selects among several sets
    of parameters. It takes the one with the most right labels on the validation episodes, the first
    in the order of the configuration on a tie.

    Parameters
    ----------
    spec
        The baselines and the episodes. Its seed is that of the embedding and of the MLP; the last
        bits of the linear algebra may depend on its threads.
    data_folder, embedding_folder
        The prepared data set and its embeddings.
    output
        Folder of ``accuracies.csv`` and ``summary.json``.
    report
        Receives progress lines.

    Raises
    ------
    EpisodeError
        A split has too few classes, or a class too few images, for a setting.
    ConfigError
        There are more clusters than training images, or more neighbors than support points.
    DataError
        Data or embeddings are missing or do not match.
    TrainingError
        A logistic regression did not converge, or a perceptron diverged.
    """
    (output / SUMMARY_FILE).unlink(missing_ok=True)
    trials = _plan(spec, data_folder)
    embeddings = {
        split: _matching_embeddings(spec, embedding_folder, data_folder, split)
        for split in _splits(spec, trials)
    }
    centroids = _centroids(spec, embedding_folder, report)
    with threadpool_limits(spec.threads):
        results = [
            _run(trial, spec, embeddings, centroids, report, f"({index} of {len(trials)})")
            for index, trial in enumerate(trials, start=1)
        ]
    check_results(results, spec.evaluation, spec.settings.methods)
    write_results(output, results, _header(spec, embeddings))


def _plan(spec: RunBaselinesSpec, data_folder: Path) -> list[_Trial]:
    """Draw all episodes first, so that an impossible setting stops the job before any work."""
    evaluation, baselines = spec.evaluation, spec.settings
    trials = []
    for setting in evaluation.settings:
        episodes = _episodes(spec, data_folder, evaluation.split, setting, evaluation.tasks)
        for method in baselines.methods:
            choices = baselines.choices(method, setting)
            if not choices:
                raise _too_many_neighbors(setting, baselines.knn.neighbors)
            tasks = baselines.selection_tasks(method)
            validation = (
                _validation_episodes(spec, data_folder, setting, method, tasks)
                if len(choices) > 1
                else []
            )
            trials.append(_Trial(method, setting, choices, episodes, validation))
    return trials


def _too_many_neighbors(setting: FewShotSetting, neighbors: list[int]) -> ConfigError:
    points = setting.way * setting.shot
    return ConfigError(
        "There are more neighbors than support points.",
        where=f"baselines.knn.neighbors, {setting.way}-way {setting.shot}-shot",
        got=f"{neighbors} neighbors, {points} support points",
        fix=f"list a number of neighbors up to {points}",
    )


def _validation_episodes(
    spec: RunBaselinesSpec,
    data_folder: Path,
    setting: FewShotSetting,
    method: BaselineName,
    tasks: int,
) -> list[EpisodeBatch]:
    try:
        return _episodes(spec, data_folder, "val", setting, tasks)
    except EpisodeError as error:
        error.fix += f"; or give baselines.{method} a single value, which needs no such episodes"
        raise


def _episodes(
    spec: RunBaselinesSpec, data_folder: Path, split: Split, setting: FewShotSetting, tasks: int
) -> list[EpisodeBatch]:
    evaluation = spec.evaluation.model_copy(update={"split": split, "tasks": tasks})
    return evaluation_episodes(
        spec.dataset, task_labels(data_folder, split), setting, evaluation, spec.pool_attributes
    )


def _splits(spec: RunBaselinesSpec, trials: list[_Trial]) -> set[Split]:
    chosen: set[Split] = {"val"} if any(trial.validation for trial in trials) else set()
    return chosen | {spec.evaluation.split}


def _matching_embeddings(
    spec: RunBaselinesSpec, embedding_folder: Path, data_folder: Path, split: Split
) -> Embeddings:
    embeddings = load_embeddings(embedding_folder, split, embedding=spec.embedding)
    images = len(task_labels(data_folder, split))
    if len(embeddings) != images:
        raise DataError(
            "The embeddings do not match the prepared data set.",
            where=f"{embedding_folder}, split {split}",
            got=f"{len(embeddings)} embeddings, {images} images",
            fix="delete the folder of the embedding and run the same command again",
        )
    return embeddings


def _centroids(spec: RunBaselinesSpec, embedding_folder: Path, report: Report) -> Centroids | None:
    if "cluster_matching" not in spec.settings.methods:
        return None
    start = time.monotonic()
    train = load_embeddings(embedding_folder, "train", embedding=spec.embedding)
    settings = spec.settings.cluster_matching
    report(f"k-means with {settings.clusters} clusters on {len(train)} training embeddings")
    centroids = fit_centroids(train, settings, spec.threads)
    report(f"k-means done, {time.monotonic() - start:.1f} s")
    return centroids


def _run(
    trial: _Trial,
    spec: RunBaselinesSpec,
    embeddings: dict[Split, Embeddings],
    centroids: Centroids | None,
    report: Report,
    progress: str,
) -> SettingResult:
    setting, start = trial.setting, time.monotonic()
    seed = derive_seed(
        "baselines", trial.method, spec.dataset, setting.way, setting.shot, spec.seed
    )

    def scored(choices: list[Parameters], split: Split, episodes: list[EpisodeBatch]) -> Accuracies:
        baseline = build(trial.method, choices, seed, centroids)
        points = embeddings[split]
        return score(baseline, points, episodes, lambda line: report(f"{trial.name}: {line}"))

    details: dict[str, Any] = {"parameters": trial.choices[0]}
    if trial.validation:
        report(f"{trial.name}: selects among {len(trial.choices)} sets of parameters")
        details = _selection(trial, scored(trial.choices, "val", trial.validation))
    (accuracies,) = scored([details["parameters"]], spec.evaluation.split, trial.episodes)
    percent, margin = 100 * np.mean(accuracies), 100 * summarize(accuracies).ci95
    seconds = time.monotonic() - start
    report(f"{trial.name}: {percent:.2f} ± {margin:.2f} %, {seconds:.1f} s {progress}")
    return SettingResult(
        TaskAccuracies(setting.way, setting.shot, accuracies, trial.method),
        spec.evaluation.query,
        episodes_sha256(trial.episodes),
        details,
    )


def _selection(trial: _Trial, accuracies: Accuracies) -> dict[str, Any]:
    """Select the parameters with the highest accuracies (V, T); return what the summary says."""
    # Counts, because the rounding of means could part equal ones.
    right = np.rint(accuracies * trial.validation[0].query[0].size).sum(axis=1)
    first, best = trial.choices[0], trial.choices[int(right.argmax())]
    varied = [key for key in first if any(one[key] != first[key] for one in trial.choices)]
    return {
        "parameters": best,
        "selected": {key: best[key] for key in varied},
        "validation_tasks": accuracies.shape[1],
        "validation": [
            {"parameters": {key: one[key] for key in varied}, "mean": float(mean)}
            for one, mean in zip(trial.choices, accuracies.mean(axis=1), strict=True)
        ],
    }


def score(
    baseline: Baseline, embeddings: Embeddings, episodes: list[EpisodeBatch], report: Report
) -> Accuracies:
    """Return the accuracies (V, T) of a baseline on each episode, by set of parameters.

    Parameters
    ----------
    embeddings
        (N, d) embeddings of the split.
    episodes
        Batches of image indices, T episodes in total.
    report
        Receives a progress line every half minute.
    """
    total, done, last = sum(len(batch.query) for batch in episodes), 0, time.monotonic()
    parts = []
    for batch in episodes:
        labels = baseline.predict(embeddings[batch.support], embeddings[batch.query])
        right = labels == np.arange(labels.shape[2])[:, None]
        parts.append(right.mean(axis=(2, 3)))
        done += len(batch.query)
        if time.monotonic() - last > _PROGRESS_SECONDS:
            last = time.monotonic()
            report(f"{done} of {total} episodes")
    return np.concatenate(parts, axis=1)


def _header(spec: RunBaselinesSpec, embeddings: dict[Split, Embeddings]) -> dict[str, Any]:
    return {
        "dataset": spec.dataset,
        "split": spec.evaluation.split,
        "episode_seed": spec.evaluation.seed,
        "seed": spec.seed,
        "dims": embeddings[spec.evaluation.split].shape[1],
    }
