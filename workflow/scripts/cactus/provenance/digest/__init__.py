"""A run, small enough to commit: its outputs, its audit and a table of its records."""
