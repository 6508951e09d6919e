"""What a job depends on, by content: code, libraries, data files and raw files."""
