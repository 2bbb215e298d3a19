from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from study.corpus.ngram import NGram

V, LEAVES = 3, 4
ALL = np.array(list(product(range(V), repeat=LEAVES)))


def fitted(strings: np.ndarray, order: int, positional: bool) -> NGram:
    return NGram.fitted(strings, vocab_size=V, order=order, smoothing=1.5, positional=positional)


def plain(strings: np.ndarray, string: np.ndarray, order: int, positional: bool) -> float:
    """The formula as it stands, symbol by symbol."""

    def p(j: int, k: int) -> float:
        if k == 0:
            return 1 / V
        padded = [-1] * order + string.tolist()
        context = tuple(padded[j + order - (k - 1) : j + order])
        whole = (*context, int(string[j]))
        joint = before = 0
        for other in strings:
            its = [-1] * order + other.tolist()
            for i in [j] if positional else range(LEAVES):
                ends = tuple(its[i + order - (k - 1) : i + order + 1])
                joint += ends == whole
                before += ends[:-1] == context
        return (joint + 1.5 * p(j, k - 1)) / (before + 1.5)

    return float(np.prod([p(j, order) for j in range(LEAVES)]))


@pytest.mark.parametrize("positional", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_it_is_a_law_over_all_strings_and_the_formula(order, positional):
    strings = np.random.default_rng(order).integers(V, size=(9, LEAVES))
    model = fitted(strings, order, positional)
    p = np.exp(model.log_likelihood(ALL))
    assert p.sum() == pytest.approx(1)
    for row in (0, 17, 80):
        assert p[row] == pytest.approx(plain(strings, ALL[row], order, positional))


def test_samples_follow_the_law():
    strings = np.random.default_rng(1).integers(V, size=(9, LEAVES))
    model = fitted(strings, 3, False)
    drawn = model.sample(20_000, LEAVES, np.random.default_rng(2)) @ V ** np.arange(LEAVES)[::-1]
    share = np.bincount(drawn, minlength=len(ALL)) / 20_000
    p = np.exp(model.log_likelihood(ALL))
    assert (np.abs(share - p) < 5 * np.sqrt(p / 20_000)).all()


def test_keys_beyond_64_bits_are_as_good():
    rng = np.random.default_rng(3)
    strings = rng.integers(2, size=(20, 12))
    small = NGram.fitted(strings, vocab_size=2, order=8, smoothing=2.0)
    large = NGram.fitted(strings, vocab_size=254, order=8, smoothing=2.0)
    seen = [c.counts.tolist() for c in small.grams]
    assert seen == [c.counts.tolist() for c in large.grams]
    assert np.isfinite(large.log_likelihood(strings)).all()


def test_it_prefers_what_it_saw():
    rng = np.random.default_rng(4)
    strings = rng.choice(V, p=[0.8, 0.1, 0.1], size=(400, LEAVES))
    model = fitted(strings, 2, False)
    assert model.log_likelihood(np.zeros((1, LEAVES), int)) > model.log_likelihood(ALL[-1:])
    other = model.refitted(V - 1 - strings)
    assert other.log_likelihood(np.zeros((1, LEAVES), int)) < other.log_likelihood(ALL[-1:])
