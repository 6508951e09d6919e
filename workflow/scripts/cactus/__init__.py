"""Unsupervised learning via meta-learning (CACTUs) as a reproducible pipeline."""

__version__ = "0.2.0"
