"""Printed names: of what is built in, and titles that a study gives."""
