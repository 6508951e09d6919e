"""The stages of the pipeline, one file each: all there is to say of a stage stands there."""
