"""Classifiers on embeddings that learn from the support of an episode only."""
