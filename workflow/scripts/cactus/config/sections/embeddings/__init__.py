"""Settings of the embeddings."""
