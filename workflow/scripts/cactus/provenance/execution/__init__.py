"""Running a job: its checks, its lease, publishing its results, and what survives a failure."""
