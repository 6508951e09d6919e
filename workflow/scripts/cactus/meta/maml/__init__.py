"""MAML and its derivatives without automatic differentiation."""
