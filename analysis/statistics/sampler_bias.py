"""What a sampler of few reverse steps does to the strings of even an exact denoiser.

A reverse step redraws the leaves apart from one another, so strings are off by a share of the order
of 1/steps, nearly whatever the T of the schedule. The figures are those of docs/reverse-steps.md;
between its rows they are interpolated in the logarithm of the steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

COMMONEST_RULE: Mapping[int, float] = {
    6: -0.1911, 12: -0.0969, 25: -0.0472, 50: -0.0233, 100: -0.0115, 200: -0.0057,
}  # fmt: skip
"""Reverse steps -> frequency of the exact grammar's commonest root rule over its true one, less 1.

At L = 2, v = 6, m = 4 and Zipf exponent 1, worked out over all strings.
"""

MEMORIZER: Mapping[int, float] = {
    6: 0.7974, 12: 0.2577, 25: 0.0380, 50: 0.0052, 100: 0.0013, 200: 0.0004,
}  # fmt: skip
"""Reverse steps -> what E of an exact empirical-Bayes denoiser lacks of 1.

For 128 training strings at L = 3, v = 6, m = 4, from 8 × 8,192 generated strings.
"""

FEWEST, MOST = min(MEMORIZER), max(MEMORIZER)


def commonest_rule_bias(steps: float) -> float | None:
    """ln of generated over true frequency of the exact grammar's commonest root rule.

    Beyond 200 steps it falls as 1/steps, which a schedule of T = 1,000 bears out; below 6 nothing
    is tabulated.
    """
    share = _between(COMMONEST_RULE, steps)
    return None if share is None else math.log1p(share)


def memorizer_excess(steps: float) -> float | None:
    """E of an exact empirical-Bayes denoiser; None below 6 reverse steps."""
    lack = _between(MEMORIZER, steps)
    return None if lack is None else 1 - lack


def _between(table: Mapping[int, float], steps: float) -> float | None:
    """Straight between the logarithms of steps and value, on to more steps as 1/steps."""
    if steps < FEWEST:
        return None
    if steps > MOST:
        return table[MOST] * MOST / steps
    x = np.log(list(table))
    y = np.log(np.abs(list(table.values())))
    return math.copysign(math.exp(np.interp(math.log(steps), x, y)), table[MOST])
