"""The columns of the files of numbers, and the Frictionless data package that describes them."""
