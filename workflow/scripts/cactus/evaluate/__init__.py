"""Few-shot evaluation and the baselines on embeddings."""
