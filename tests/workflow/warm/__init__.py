"""Forks the processes of tests from some that have imported the slow libraries already.

Most of the time of a short job or command is the import of PyTorch, pandas or Snakemake. What a job
imports by itself is tested where jobs start cold: on the clusters and in
`test_preloaded_jobs.py`.
"""
