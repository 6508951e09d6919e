"""Small seeded data sets in the official raw formats of the four real ones."""
