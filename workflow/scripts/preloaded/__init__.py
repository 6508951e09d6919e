"""Starts jobs on this machine from a process that has loaded their libraries.

``python workflow/scripts/preloaded torch SCRIPT ...`` runs as ``python SCRIPT ...`` does, but does
not import PyTorch anew: to import it takes seconds, longer than the work of a small job. The first
such job of a run starts a server (`server`), which imports the libraries and nothing of this
project. Each job is a fork of it and reads the project's code as it is then. The process that
Snakemake started waits and passes signals on (`client`).

Where the run has no driver on this machine, as in a job of a cluster, the script runs by itself.
"""
