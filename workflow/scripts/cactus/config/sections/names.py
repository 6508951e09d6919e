"""Printed names of what is built in."""

from typing import Final

EMBEDDINGS: Final = {
    "acai": "ACAI",
    "bigan": "BiGAN",
    "deepcluster": "DeepCluster",
    "infogan": "InfoGAN",
    "contrastive": "Contrastive",
}
LEARNERS: Final = {"maml": "MAML", "protonets": "ProtoNets"}
METHODS: Final = {
    "scratch": "Training from scratch",
    "knn": "kNN",
    "linear": "Linear classifier",
    "mlp": "MLP with dropout",
    "cluster_matching": "Cluster matching",
    "cactus-maml": "CACTUs-MAML",
    "cactus-protonets": "CACTUs-ProtoNets",
    "oracle-maml": "Oracle-MAML",
    "oracle-protonets": "Oracle-ProtoNets",
}
# Of task sources; that of an embedding alone is the embedding's.
KINDS: Final = {
    "scratch": "None",
    "kmeans": "",
    "random": "Random assignment",
    "pixels": "Pixels",
    "hyperplanes": "Hyperplanes",
    "labels": "True labels",
}
