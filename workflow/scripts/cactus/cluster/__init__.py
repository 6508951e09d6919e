"""Running on a Slurm cluster."""
