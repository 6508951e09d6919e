"""The chain of records: links that follow jobs that ran again, and its signature."""
