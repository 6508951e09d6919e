"""Where results come from: records of jobs, staleness, audit, export."""
