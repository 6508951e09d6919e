"""Typed configuration: the single source of defaults, documentation and JSON schema."""
