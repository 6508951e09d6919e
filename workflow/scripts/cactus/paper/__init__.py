"""Tables and figures of a run, next to the paper's numbers."""
