"""The audit of a run: whether its files, records and printed numbers agree."""
