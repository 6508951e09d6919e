"""Classifiers on embeddings that learn from the support of an episode alone."""
