"""The stages of the pipeline, one file each: everything that defines a stage is in its file."""
