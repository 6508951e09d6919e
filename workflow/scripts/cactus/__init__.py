"""Unsupervised learning via meta-learning (CACTUs) as a reproducible pipeline."""

__version__ = "0.1.0"
