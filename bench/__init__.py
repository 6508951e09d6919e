"""Benchmarks, one script a kernel."""
