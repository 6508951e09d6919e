"""Synthetic miniImageNet: textured objects on varied backgrounds."""
