"""Which jobs of a run are stale, why, and what the next run costs."""
