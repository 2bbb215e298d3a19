"""Settings as positions with their cells' edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.statistics.axes import axis_of


def test_powers_of_two_lie_on_a_log_axis_with_geometric_midpoints():
    axis = axis_of("corpus.size", np.array([512, 128, 2048, 128]))
    assert axis.kind == "log"
    assert list(axis.positions) == [128, 512, 2048]
    assert axis.edges[512] == pytest.approx((256, 1024))
    assert axis.edges[128] == pytest.approx((64, 256))
    assert axis.domain == pytest.approx([64, 4096])
    assert list(axis.labels.values()) == ["2⁷", "2⁹", "2¹¹"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([2, 3, 4], "linear"),
        ([0.0, 1.0, 2.0], "linear"),
        ([16, 64], "log"),
        ([3, 4], "linear"),
        ([64], "linear"),
        ([True, False], "category"),
        (["a", "b"], "category"),
        ([0.001, 0.01, 0.1], "log"),
    ],
)
def test_every_kind_of_axis_has_cells_that_meet(values, kind):
    axis = axis_of("network.width", values)
    assert axis.kind == kind
    edges = list(axis.edges.values())
    assert all(low < high for low, high in edges)
    assert all(a[1] == pytest.approx(b[0]) for a, b in itertools.pairwise(edges))
    for value, position in axis.positions.items():
        low, high = axis.edges[value]
        assert low < position < high
