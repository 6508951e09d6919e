"""Settings of the data sets."""
