"""Synthetic Omniglot: characters of invented alphabets."""
