"""What one job of each stage reads of the configuration, one module per stage."""
