"""Passes of a fixed size, so that neither company nor the number of rows changes any bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

ROWS = 256
"""Noisy strings of each member in one pass; part of what decides the bits of a result."""


@torch.no_grad()
def in_full_passes(
    work: Callable[[Tensor], Tensor], counts: Sequence[int], device: torch.device
) -> list[np.ndarray]:
    """What some work says about every row of every member.

    Args:
        work: maps row numbers (ROWS,) to (S, K, ROWS) numbers; members with fewer rows wrap round.
        counts: K, rows of each member.
        device: of the row numbers.

    Returns:
        K arrays (S, rows of the member), float64.
    """
    passes = -(-max(counts) // ROWS)
    rows = torch.arange(passes * ROWS, device=device)
    results = torch.cat([work(part) for part in rows.split(ROWS)], dim=-1)
    numbers = results.double().cpu().numpy()
    return [numbers[:, k, :count] for k, count in enumerate(counts)]
