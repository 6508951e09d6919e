"""The paper of a run: its text, its numbers, and its PDF."""
