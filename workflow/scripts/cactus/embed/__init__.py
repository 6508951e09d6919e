"""Unsupervised embeddings: ACAI, BiGAN, DeepCluster, InfoGAN, contrastive learning."""
