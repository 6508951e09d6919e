"""Synthetic MNIST: real 8x8 digits, enlarged and jittered."""
