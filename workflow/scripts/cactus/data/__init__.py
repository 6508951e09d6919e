"""Raw data sets to memory-mappable arrays."""
