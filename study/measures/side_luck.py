"""How far substrings differ between two sides that a coin filled, the model having seen neither.

Where the law of strings is unknown, a model may prefer some substrings for reasons of its own, and
a coin put their strings into D or into C. That luck is no matter of how many strings are generated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.measures.substrings import CONTROL, Substrings

Rows = NDArray[np.int64]


def side_variance(found: Substrings, places: Rows) -> float:
    """Variance of c(S_D \\ S_C) - c(S_C \\ S_D) over which strings fell on which side, N_C = N.

    Let a_u be how often the model puts substring u at a node, and h_u how many strings of D and C
    hold it. The coin puts h strings all on one given side with probability p(h). Two substrings
    that one string holds are on one side together with p of all strings that hold either, and never
    on two; two others with p(h + h'), which is a little less than one on each, for each side has
    room for N. The variance is the sum over pairs of 2 a_u a_u' p for the former, and of
    -2 a_u a_u' p(h + h')·r for the latter,

        r(h, h') = [N!/(N - h)!]·(N - h - h')!/(N - h')! - 1, about h·h'/N.

    It is read off C alone, for D is what may have been memorized: a pair is exclusive to C with
    just that p, so that 2·[Σ a_u a_u' over pairs of one string - Σ a_u a_u' r over others], taken
    over u, u' in S_C \\ S_D, has the variance as its mean. a_u a_u' is estimated without bias from
    pairs of different generated strings, of which each may carry several substrings.

    Args:
        found: substrings of a level.
        places: (G, s^l) where the substrings of generated strings stand in `found`, -1 for others.

    Returns:
        The variance of the difference of shares of nodes; by chance it may come out below 0.
    """
    strings, nodes = places.shape
    met = np.bincount(places[places >= 0], minlength=len(found.keys)) > 0
    chosen = met & (found.sides == CONTROL)
    size = int(chosen.sum())
    if strings < 2 or size == 0:
        return 0.0
    held, carried = _once(_numbered(found.of_control, chosen)), _numbered(places, chosen)
    count = np.bincount(carried[carried >= 0], minlength=size)
    holders, kind = np.unique(np.bincount(held[held >= 0]), return_inverse=True)
    short = _want_of_room(holders, len(held))
    together = np.unique(_pairs(held, size))
    one, other = np.divmod(together, size)
    of_kind = np.bincount(kind, count)
    every = count[one] * count[other] @ (1 + short[kind[one], kind[other]])
    every -= of_kind @ short @ of_kind
    same = _pairs(carried, size)
    one, other = np.divmod(same, size)
    lack = short[kind[one], kind[other]]
    own = np.where(np.isin(same, together), 1.0, -lack).sum()
    return float(2 * (every - own)) / (strings * (strings - 1) * nodes**2)


def _want_of_room(holders: Rows, side: int) -> NDArray[np.float64]:
    """r (H, H) of numbers of holders; 0 where both together are more than a side has room for."""
    log_factorial = np.append(0.0, np.log(np.arange(1, side + 1)).cumsum())
    h, other = holders[:, None], holders[None, :]
    left = side - h - other
    ratio = log_factorial[side] - log_factorial[side - h] - log_factorial[side - other]
    return np.where(left >= 0, np.expm1(ratio + log_factorial[np.maximum(left, 0)]), 0.0)


def _numbered(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    """Rows of substrings numbered among the chosen, these first in each row; -1 for all others."""
    number = np.where(chosen, np.cumsum(chosen) - 1, -1)
    numbered = np.where(rows >= 0, number[rows], -1)
    width = int((numbered >= 0).sum(axis=1).max(initial=0))
    return -np.sort(-numbered, axis=1)[:, :width]


def _once(rows: Rows) -> Rows:
    """Rows, sorted, with what a row has twice in it once."""
    again = np.zeros(rows.shape, dtype=bool)
    again[:, 1:] = rows[:, 1:] == rows[:, :-1]
    return np.where(again, -1, rows)


def _pairs(rows: Rows, size: int) -> Rows:
    """Every ordered pair in one row, an entry with itself too, as u·size + u'."""
    pairs = rows[:, :, None] * size + rows[:, None, :]
    return pairs[(rows[:, :, None] >= 0) & (rows[:, None, :] >= 0)]
