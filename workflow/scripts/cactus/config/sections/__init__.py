"""The sections of the configuration, one file or folder each."""
