"""Seeded stand-ins for the four data sets, in their official raw formats."""
