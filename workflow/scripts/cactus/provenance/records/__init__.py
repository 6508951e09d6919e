"""What a job has to be, what it was, and how the two differ."""
