from collections.abc import Callable

import numpy as np
import pytest

from rhm import Grammar, GrammarShape


def _shared(depth, v, m, s=2, n=None, zipf=None, seed=3):
    shape = GrammarShape(depth=depth, vocab_size=v, num_synonyms=m, tuple_size=s, num_classes=n)
    return Grammar.random(shape, zipf, seed)


def _per_symbol():
    """Every symbol has its own rule probabilities, every class its own probability."""
    rng = np.random.default_rng(5)
    tables = _shared(3, 3, 2, n=2)
    return tables.with_rule_probabilities(
        [rng.dirichlet(np.ones(2), len(table)) for table in tables.rules],
        rng.dirichlet(np.ones(2)),
    )


def _impossible_rules():
    tables = _shared(2, 4, 3)
    return tables.with_rule_probabilities([[0.0, 0.3, 0.7], [0.6, 0.4, 0.0]])


SMALL: dict[str, Callable[[], Grammar]] = {
    "uniform": lambda: _shared(2, 4, 3),
    "one level": lambda: _shared(1, 3, 2, zipf={0: 1.0}),
    "zipf everywhere": lambda: _shared(3, 3, 2, zipf={0: 1.5, 1: 0.5, 2: 2.0}),
    "triples": lambda: _shared(2, 2, 2, s=3, zipf={0: 1.0, 1: 0.7}),
    "few classes": lambda: _shared(2, 4, 3, n=2, zipf={1: 1.3}),
    "many classes": lambda: _shared(2, 4, 3, n=5, zipf={0: 1.3}),
    "one synonym": lambda: _shared(3, 3, 1),
    "per symbol": _per_symbol,
    "impossible rules": _impossible_rules,
}


@pytest.fixture(params=SMALL)
def small(request) -> Grammar:
    """A grammar whose strings can all be listed."""
    return SMALL[request.param]()
