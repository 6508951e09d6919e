"""Settings of the meta-learners, one file each."""
