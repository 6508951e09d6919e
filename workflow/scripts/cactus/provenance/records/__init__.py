"""Plans of jobs, records of past runs, and how the two differ."""
