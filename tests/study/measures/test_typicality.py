"""The typicality slope: 0 for whoever memorizes all strings equally, else of the right sign."""

from math import sqrt

import numpy as np
import pytest

from study.measures.typicality import emission_excess, typicality_slope


def slopes(world, draw, rng, repetitions=200, size=1000):
    return [typicality_slope(world.measured(draw(size, rng)).copies) for _ in range(repetitions)]


def test_slope_equals_its_formula(zipf, rng):
    copies, strata = zipf.measured(zipf.from_mixture(800, rng)).copies, zipf.reference.strata
    rho, p_C = strata.mass_training / strata.mass_control, strata.mass_control
    T = sum(
        strata.z[b] * (copies.training[b] - rho[b] * copies.control[b]) for b in range(len(strata))
    )
    moment = sum(
        strata.z[b] ** 2 * (copies.training[b] + rho[b] ** 2 * (copies.control[b] + p_C[b] / 800))
        for b in range(len(strata))
    )
    result = typicality_slope(copies)
    assert result.slope == pytest.approx(T)
    assert result.error == pytest.approx(sqrt((moment - T**2) / 800))
    assert result.relative == pytest.approx(T / copies.excess_copies)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", ["zipf", "repeats"])
def test_slope_is_zero_for_equal_memorization(request, name, rng, spread, weight):
    world = request.getfixturevalue(name)
    results = slopes(world, lambda n, rng: world.from_mixture(n, rng, weight), rng)
    mean, error, true_spread = spread([(x.slope, x.error) for x in results])
    assert abs(mean) <= 3.5 * true_spread / sqrt(len(results))
    assert error == pytest.approx(true_spread, rel=0.2)


@pytest.mark.parametrize("typical", [True, False])
def test_slope_tells_which_half_is_memorized(zipf, rng, typical):
    sign = 1 if typical else -1
    for result in slopes(
        zipf, lambda n, rng: zipf.biased_mixture(n, rng, typical=typical), rng, repetitions=5
    ):
        assert sign * result.slope > 5 * result.error
        assert sign * result.relative > 0.1


def test_slope_is_null_where_all_strings_are_equally_typical(uniform, rng):
    result = typicality_slope(uniform.measured(uniform.from_training(500, rng)).copies)
    assert (result.slope, result.error, result.relative) == (None, None, None)


def test_relative_slope_is_null_without_excess_copies(zipf, rng):
    result = typicality_slope(zipf.measured(zipf.from_grammar(2000, rng)).copies)
    assert result.slope is not None
    assert result.relative is None


def test_emission_excess_averages_to_excess_copies(world, rng):
    copies, strata = world.measured(world.from_mixture(900, rng)).copies, world.reference.strata
    weights = strata.num_training / strata.num_training.sum()
    assert weights @ emission_excess(copies) == pytest.approx(copies.excess_copies)


def test_emission_excess_of_a_mixture_is_its_weight_in_every_stratum(zipf, rng):
    samples = [
        emission_excess(zipf.measured(zipf.from_mixture(2000, rng, 0.4)).copies) for _ in range(100)
    ]
    mean, error = np.mean(samples, axis=0), np.std(samples, axis=0) / sqrt(100)
    assert (np.abs(mean - 0.4) <= 4 * error).all()
