"""Stages whose one job reads the whole run: its results, records and logs."""
