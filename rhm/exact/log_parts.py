"""The parts of log p(x), and the one order in which they are added.

Sums of floating-point numbers depend on their order. A level's part is added up along the tree:
over the children of each node above, then over the children of the node above that, to the root.
So the parts of whole subtrees can be listed beforehand (`rhm.exact.subtrees`) and a string's
likelihood is the same to the last bit whether its rules are looked up one by one or by subtree.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray


def log(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm, -inf at 0."""
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def over_nodes(values: NDArray[np.float64], tuple_size: int) -> NDArray[np.float64]:
    """Sums (..., s^l) over the s^l nodes of a level, tuple by tuple: (...)."""
    while values.shape[-1] > 1:
        values = reduce(np.add, (values[..., child::tuple_size] for child in range(tuple_size)))
    return values[..., 0]


def total(log_class: NDArray[np.float64], parts: NDArray[Any]) -> NDArray[np.float64]:
    """log p(x) (B,) from the log-probability of the root symbol (B,) and the parts (B, L)."""
    return log_class + reduce(np.add, parts.T)
