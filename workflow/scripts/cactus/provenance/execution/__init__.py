"""A job at work: checks before it runs, the lease, publishing, and what outlives a failure."""
