"""Draws a figure by its name."""
