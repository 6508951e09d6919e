"""Partitions of the training images, and episodes drawn from them."""
