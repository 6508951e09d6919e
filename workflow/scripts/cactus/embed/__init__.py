"""Unsupervised embeddings: ACAI, BiGAN, DeepCluster, InfoGAN."""
