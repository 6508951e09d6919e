"""Data sets of one's own: images in folders, in a table, or from a module."""
