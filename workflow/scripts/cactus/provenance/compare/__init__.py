"""Rows of several finished runs in one table and one figure, with tests on shared episodes."""
