"""CACTUs as a library: partitions of any vectors, episodes, and meta-learners for a notebook.

>>> from cactus.api import KMeansPartitions, ProtoNets, load_dataset, load_vectors
>>> data = load_dataset("results/demo/data/omniglot")
>>> vectors = load_vectors("results/demo/embeddings/omniglot/acai/s0")
>>> partitions = KMeansPartitions(n_clusters=500, n_partitions=10).fit(vectors).labels_
>>> learner = ProtoNets(iterations=1000).fit(data.train.images, partitions)
>>> print(learner.evaluate(data.test, way=5, shot=1))

Nothing here is part of a run, and no records are written. Numbers that others should be able to
trace come from the pipeline.
"""

from cactus.api.data import Dataset, LabeledImages, load_dataset, load_vectors
from cactus.api.learners import Maml, ProtoNets, Scores
from cactus.api.tasks import KMeansPartitions, sample_episodes
from cactus.tasks.episodes import EpisodeBatch

__all__ = [
    "Dataset",
    "EpisodeBatch",
    "KMeansPartitions",
    "LabeledImages",
    "Maml",
    "ProtoNets",
    "Scores",
    "load_dataset",
    "load_vectors",
    "sample_episodes",
]
