"""Pickles of plain data, read without running any code that they name."""
