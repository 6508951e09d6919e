"""Raw files: the registry of official ones, downloads, checksums and archives."""
