"""What a job depends on, by content: its code, libraries, data files and raw files."""
