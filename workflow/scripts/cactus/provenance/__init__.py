"""What each job ran on and what it made: staleness, records, audit."""
