"""What a run has found: accuracies, cells, comparisons, and what others get of it."""
