"""A run as an RO-Crate: export, unpack and replay."""
