"""Random streams: every draw of this package comes from a (seed, purpose) of its own."""

from __future__ import annotations

import numpy as np


def seed_sequence(seed: int, purpose: str) -> np.random.SeedSequence:
    """Entropy that depends on nothing but the seed and the purpose.

    Raises ValueError for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"seed must be a non-negative integer, got {seed}")
    return np.random.SeedSequence([seed, *purpose.encode()])


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A fresh generator of the stream (seed, purpose)."""
    return np.random.default_rng(seed_sequence(seed, purpose))
