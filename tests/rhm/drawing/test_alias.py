import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rhm.drawing.alias import AliasTables

WEIGHT = st.one_of(st.just(0.0), st.just(1.0), st.floats(1e-12, 1.0), st.floats(1e-300, 1e-290))


def law_of(tables: AliasTables, row: int) -> np.ndarray:
    """The exact law of one row, from the edges of its cells."""
    k = tables.size
    cells = np.arange(row * k, (row + 1) * k)
    own = np.clip(tables.edges[cells] - np.arange(k), 0, 1)
    law = np.zeros(len(tables.edges))
    np.add.at(law, tables.outcomes[2 * cells], own / k)
    np.add.at(law, tables.outcomes[2 * cells + 1], (1 - own) / k)
    return law


@given(arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 40)), elements=WEIGHT))
@example(np.ones((3, 7)))
@example(np.full((1, 3), 1 / 3))
@example(np.array([[0.0, 0.0, 1.0, 0.0]]))
@example(np.array([[0.5, 0.5, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]]))
def test_the_law_is_exact_and_each_row_keeps_to_itself(weights):
    weights[:, -1] += weights.sum(axis=1) == 0
    p = weights / weights.sum(axis=1, keepdims=True)
    tables = AliasTables.of(p)
    rows, size = p.shape
    for row in range(rows):
        expected = np.zeros(rows * size)
        expected[row * size : (row + 1) * size] = p[row]
        law = law_of(tables, row)
        np.testing.assert_allclose(law, expected, rtol=0, atol=1e-14)
        assert (law[expected == 0] == 0).all()


@given(st.integers(1, 300), st.integers(0, 99))
def test_draws_at_the_ends_of_the_unit_interval_stay_in_their_row(size, seed):
    p = np.random.default_rng(seed).dirichlet(np.full(size, 0.3), 3)
    uniforms = np.tile([0.0, 0.5, 1 - 2.0**-53], (3, 1))
    rows = np.tile(np.arange(3)[:, None], 3)
    drawn = AliasTables.of(p).draw(rows, uniforms)
    np.testing.assert_array_equal(drawn // size, rows)
    assert (p.ravel()[drawn] > 0).all()


def test_draws_follow_the_edges():
    tables = AliasTables.of(np.array([[0.1, 0.6, 0.3], [0.0, 1.0, 0.0]]))
    uniforms = (np.arange(30_000) + 0.5) / 30_000
    for row, p in enumerate([[0.1, 0.6, 0.3], [0.0, 1.0, 0.0]]):
        drawn = tables.draw(np.full(30_000, row), uniforms) - 3 * row
        shares = np.bincount(drawn, minlength=3) / 30_000
        np.testing.assert_allclose(shares, p, rtol=0, atol=2e-4)
