"""Sequential sampling without replacement from a grammar, exact at every size.

Drawing strings one after the other and never the same twice has the law of drawing independently
and dropping the repeats. That is fast while most strings are new. At every doubling of the number
of draws, from 64 on, the latest half is looked at: once less than a quarter of it was new, the
drawing ends there for good, and a Gumbel beam (`rhm.drawing.beam`) continues where repeats cost
nothing.

The switch leaves the law exact. Where it comes depends on nothing but the draws before it (it is a
stopping time), and given these the strings still to come are a sequential sample from all others.
The beam gives all strings in such an order, from noise of its own; dropping from it the strings
already drawn leaves such a sample of the others. Fewer strings of the same seed are a prefix of
more, because neither the draws, nor the switch, nor the beam's order depend on the count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rhm.drawing.beam import beam_strings
from rhm.drawing.sampler import sampler_of
from rhm.exact.likelihood import support_size
from rhm.exact.scored import ScoredStrings, joined, with_likelihood
from rhm.keys import first_occurrences, string_keys
from rhm.randomness import generator
from rhm.tables import RuleTables

FIRST_LOOK = 64
"""Independent draws before the first look at the share of new strings."""

LEAST_NEW = 1 / 4
"""Share of new strings among the latest half of the draws below which the beam takes over."""


def draw_without_replacement(grammar: RuleTables, count: int, seed: int) -> ScoredStrings:
    """`count` >= 1 pairwise distinct strings in the order in which they are drawn.

    Fewer strings of the same seed are a prefix of more. Raises ValueError beyond the support.
    """
    if count > (support := support_size(grammar)):
        raise ValueError(
            f"{count} distinct strings were asked for, but the grammar has only {support}: "
            "ask for fewer, or allow repeated strings"
        )
    drawn = _until_repeats_prevail(grammar, count, seed)
    if len(drawn) == count:
        return drawn
    # At most len(drawn) of the beam's `count` strings are known, so enough others are left.
    strings = beam_strings(grammar, count, seed)
    keys = string_keys(np.concatenate([drawn.strings, strings]), grammar.shape.vocab_size)
    others = strings[first_occurrences(keys)[len(drawn) :]][: count - len(drawn)]
    return joined([drawn, with_likelihood(grammar, others)])


def _until_repeats_prevail(grammar: RuleTables, count: int, seed: int) -> ScoredStrings:
    """The first `count` different strings of a stream of independent ones, or those before its end.

    Drawing more than needed does no harm: it changes neither the first strings nor the end.
    """
    sampler, rng = sampler_of(grammar), generator(seed, "strings until repeats prevail")
    drawn = sampler.draw(count, rng)
    while True:
        keys = string_keys(drawn.strings, grammar.shape.vocab_size)
        places = np.flatnonzero(first_occurrences(keys))
        look = _decisive_look(places, len(drawn))
        if look <= len(drawn) or len(places) >= count:
            return drawn.take(places[places < look][:count])
        likely_enough = max(16 * (count - len(places)), FIRST_LOOK)
        more = sampler.draw(min(likely_enough, look - len(drawn)), rng)
        drawn = joined([drawn, more])


def _decisive_look(places: NDArray[np.int64], draws: int) -> int:
    """The number of draws at the look that ends the stream, or at the next look if none has yet.

    places: those of the new strings among the draws, in rising order.
    """
    look = FIRST_LOOK
    while look <= draws:
        before, new = np.searchsorted(places, [look // 2, look])
        if new - before < LEAST_NEW * (look - look // 2):
            break
        look *= 2
    return look
