"""Synthetic CelebA: drawn faces with the 40 attributes."""
