"""The state of runs: what is fresh, what runs now, its logs, and what can go."""
