"""Readers of the files that an audit compares."""
