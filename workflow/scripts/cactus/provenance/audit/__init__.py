"""The audit of a run, and the origin of its printed numbers."""
