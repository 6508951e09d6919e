"""Read the numbers that a file prints from its source, apart from the code that writes it."""
