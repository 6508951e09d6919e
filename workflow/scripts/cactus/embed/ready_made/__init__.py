"""Vectors that were made elsewhere, as an embedding."""
