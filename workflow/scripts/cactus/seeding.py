"""Independent random generators derived from named parts of an experiment."""

import hashlib

import numpy as np


def derive_seed(*parts: str | int) -> int:
    """Return a 63-bit seed that depends on every part, in order, on any machine.

    Parameters
    ----------
    parts
        What the generator is for, e.g. ``("episodes", "omniglot", "test", 5, 1, 0)``.
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(*parts: str | int) -> np.random.Generator:
    """Return a NumPy generator for the purpose named by `parts`."""
    return np.random.default_rng(derive_seed(*parts))
