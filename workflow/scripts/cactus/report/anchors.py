"""The names of places in the page."""


def cell_anchor(cell: str) -> str:
    """Return the place of a cell of the grid, given its name."""
    return f"cell/{cell}"


def embedding_anchor(embedding: str) -> str:
    """Return the place of a trained embedding, ``<dataset>/<embedding>/s<seed>``."""
    return f"embedding/{embedding}"


def figure_anchor(figure: str) -> str:
    """Return the place of a figure."""
    return f"figure/{figure}"
