"""Typed configuration: the one source of defaults, docs and the JSON schema."""
