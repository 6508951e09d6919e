"""What trainings share: the loop, checkpoints, metrics, requests to stop and the device."""
