"""Raw data sets and their preparation into memory-mappable arrays."""
