"""The Slurm cluster that a run is sent to."""
