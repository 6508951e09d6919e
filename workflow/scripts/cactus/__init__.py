"""Unsupervised learning via meta-learning (CACTUs) as a reproducible pipeline."""

from cactus.source_loader import SourceFinder

__version__ = "0.2.0"

SourceFinder(__name__).install()
