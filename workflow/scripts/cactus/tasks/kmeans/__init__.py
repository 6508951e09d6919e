"""k-means on a CPU or a GPU, and the partitions made by it."""
