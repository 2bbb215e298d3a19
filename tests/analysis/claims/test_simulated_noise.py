"""C18 on simulated sweeps: power, false verdicts, coverage, and what picking the peak costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.claims import medium_noise
from analysis.claims.verdicts import CONTRADICTED, SUPPORTED, above_zero
from analysis.frames.tables import Tables
from analysis.statistics.noise_gap import gaps_by_seed, noise_gaps, over_ends
from analysis.statistics.peaks import peak
from analysis.statistics.seeds import Estimate
from tests.analysis.claims import simulated
from tests.analysis.claims.simulated import CLEAR, REPETITIONS

SPREAD = 0.02
UNIT = SPREAD * float(np.sqrt(1.5))
"""Of an effect, which is a difference to the mean of two other windows."""

PEAK = 4
EVERYWHERE = 0.2
"""A gap as large in every window: by the time of copying there is one, and it has no peak."""


def noisy_sweeps(
    rng: np.random.Generator,
    size: int,
    effect: float,
    *,
    ends: float = 0.0,
    gap: float = EVERYWHERE,
) -> Tables:
    """Gaps that differ from seed to seed in every window, one of them, or both ends, raised."""
    own = simulated.trainings(size)
    gaps = rng.normal(gap, SPREAD, (size, 10))
    gaps[:, PEAK] += effect * UNIT
    gaps[:, [0, -1]] += ends * UNIT
    table = own[["training"]].merge(pd.DataFrame({"window": range(10)}), how="cross")
    table = table.assign(step=128, training_loss=1.0, heldout_loss=1 + gaps.ravel())
    curves = simulated.curves(own, {64: 0.0, 128: 0.2, 256: 0.7})
    return Tables.of({"trainings": own, "curves": curves, "noise": table})


def estimates(tables: Tables, seeds: int) -> list[Estimate]:
    """The effect of every sweep."""
    profiles = gaps_by_seed(noise_gaps(tables)).to_numpy()
    return [peak(over_ends(one)) for one in profiles.reshape(-1, seeds, profiles.shape[1])]


def rates(rng: np.random.Generator, seeds: int, effect: float, **more: float) -> dict:
    tables = noisy_sweeps(rng, seeds * REPETITIONS, effect, **more)
    return simulated.rates([above_zero(one) for one in estimates(tables, seeds)])


def test_a_peak_is_found():
    assert rates(np.random.default_rng(5), 5, CLEAR)[SUPPORTED] >= 0.9


@pytest.mark.parametrize("gap", [0.0, EVERYWHERE])
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_where_all_windows_are_alike_little_is_supported(seeds, gap):
    found = rates(np.random.default_rng(seeds), seeds, 0.0, gap=gap)
    assert found.get(SUPPORTED, 0) <= simulated.at_most(0.05)
    assert found.get(CONTRADICTED, 0) <= simulated.at_most(0.05)


def test_memorization_at_the_ends_of_the_schedule_contradicts():
    assert rates(np.random.default_rng(1), 5, 0.0, ends=CLEAR)[CONTRADICTED] >= 0.9


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_intervals_cover(seeds):
    tables = noisy_sweeps(np.random.default_rng(10 + seeds), seeds * 1000, 6.0)
    assert simulated.near_nominal(estimates(tables, seeds), 6.0 * UNIT)


def test_one_sweep_alone_gives_what_all_together_gave():
    tables = noisy_sweeps(np.random.default_rng(0), 3 * 4, 1.0)
    for repetition, estimate in enumerate(estimates(tables, 4)):
        found = medium_noise.test(simulated.part(tables, 4, repetition))
        assert found.estimate == pytest.approx(estimate)
