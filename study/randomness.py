"""Random streams: every purpose of every training has its own, derived from its seed alone.

A stream is a function of (seed, purpose, indices), such as the block of steps or the measured
step. Nothing has to be saved to resume it, and reading one stream never moves another: measuring
more often cannot change a training.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def derived_seed(seed: int, purpose: str, *indices: int) -> int:
    """A 63-bit seed of its own for a purpose.

    Args:
        seed: the training's seed, 0 or more.
        purpose: a word such as "batches".
        indices: which of the purpose's streams, each 0 or more.
    """
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    sequence = np.random.SeedSequence([seed, word, *indices])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(device: torch.device, seed: int, purpose: str, *indices: int) -> torch.Generator:
    """The torch generator of one stream, on the device where its numbers are used."""
    return torch.Generator(device).manual_seed(derived_seed(seed, purpose, *indices))
