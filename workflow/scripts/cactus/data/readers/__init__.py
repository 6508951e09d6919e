"""One reader per data set, from raw files to images and labels."""
