"""ELBO losses against enumeration, memorized strings against their law under exchangeability."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import betabinom

from study.corpus import build_corpus
from study.measures import Reference
from study.measures.likelihood import Probes, elbo_losses, steps_by_share
from study.measures.memorized import (
    excess_p_value,
    flagged_law,
    memorized_since,
    null_error,
    null_rate,
    p_values,
)
from study.measures.string_losses import Memorized, loss_columns
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser
from study.processes.uniform import Uniform
from tests.study.measures.enumerated import Enumerated, Opinionated, small_grammar
from tests.study.small import small


def probes_of(world: Enumerated) -> Probes:
    return Probes.draw(world.config, Reference.build(world.corpus), world.diffusion)


@pytest.mark.parametrize("zipf", [{}, {0: 1.0}, {1: 1.5}, {0: 0.5, 1: 2.0}])
def test_loss_equals_enumeration_over_its_draws(zipf):
    world = Enumerated(small_grammar(zipf, corpus__size=12, measurement__loss_strings=5))
    probes = probes_of(world)
    for denoiser in (
        Opinionated(world.diffusion, 4),
        GrammarDenoiser(world.grammar, world.diffusion),
        EmpiricalBayesDenoiser(world.corpus.training.strings, world.diffusion),
    ):
        (losses,) = elbo_losses(denoiser, world.diffusion, [probes])
        for row in range(len(losses)):
            total = 0.0
            x_0 = probes.x_0[row].numpy()
            for draw, t in enumerate(probes.t.tolist()):
                x_t = probes.x_t[row, draw]
                logits = denoiser(x_t.long().view(1, 1, -1), torch.tensor([[t]]))[0, 0].numpy()
                total += world.loss(logits, x_0, x_t.numpy(), t).sum() * probes.weights[draw]
            assert losses[row] == pytest.approx(total / len(probes.t), rel=1e-5, abs=1e-5)


def exhaustive(world: Enumerated, denoiser, x_0: np.ndarray) -> float:
    """T·mean_t E_{x_t}[Σ_leaves KL] over all t and all noisy strings."""
    T, total = world.diffusion.num_timesteps, 0.0
    everything = np.array(list(product(range(world.v), repeat=len(x_0))))
    x_t = torch.as_tensor(everything).unsqueeze(0)
    for t in range(1, T + 1):
        steps = torch.full(x_t.shape[:2], t)
        logits = denoiser(x_t, steps)
        target = torch.as_tensor(x_0).expand_as(x_t)
        losses = world.diffusion.loss(logits, target, x_t, steps).sum(-1)[0].numpy()
        q = world.kernel(world.alpha_bar[t])
        total += np.prod(q[x_0, everything], axis=1) @ losses
    return total


def test_stratified_draws_average_to_the_exhaustive_loss_over_all_t_and_noise():
    """Every t as often as its share, and errors that fall as the draws grow."""
    T = 24
    config = small_grammar(
        {1: 1.0}, corpus__size=4, measurement__loss_strings=4, measurement__loss_draws=400 * T
    )
    world = Enumerated(config)
    probes = probes_of(world)
    drawn = np.bincount(probes.t.numpy(), minlength=T + 1)[1:]
    assert drawn == pytest.approx(400 * T * world.diffusion.shares_of_steps(), abs=1)
    denoiser = Opinionated(world.diffusion, 4)
    (losses,) = elbo_losses(denoiser, world.diffusion, [probes])
    exact = np.array([exhaustive(world, denoiser, x.numpy().astype(int)) for x in probes.x_0])
    assert losses == pytest.approx(exact, rel=0.06)
    assert losses.mean() == pytest.approx(exact.mean(), rel=0.05)
    assert np.corrcoef(losses, exact)[0, 1] > 0.97


def test_steps_are_drawn_by_share_and_each_part_of_the_shares_has_one():
    """A step whose share is a whole number of parts has so many draws, whatever the luck."""
    shares = np.array([0.5, 0.0, 0.05, 0.2, 0.25])
    for seed in range(20):
        uniform = torch.rand(20, generator=torch.Generator().manual_seed(seed))
        steps = steps_by_share(uniform, shares)
        assert np.bincount(steps.numpy(), minlength=6).tolist() == [0, 10, 0, 1, 4, 5]
    assert steps_by_share(torch.ones(1) - 2**-24, shares).tolist() == [5]


def test_shares_are_the_chances_that_a_redrawn_leaf_was_redrawn_in_the_step():
    diffusion = Uniform.build(24, 4, dtype=torch.float64)
    alpha = diffusion.alpha.numpy()
    chances = [(alpha[1:t].prod() - alpha[1 : t + 1].prod()) for t in range(1, 25)]
    expected = [chances[t - 1] / sum(chances[:t]) for t in range(1, 25)]
    assert diffusion.shares_of_steps() == pytest.approx(np.array(expected) / sum(expected))


@pytest.mark.parametrize("size", [512, 2048])
def test_empirical_bayes_is_found_out_with_the_default_measurements(size):
    """Where draws spread evenly over t leave a string in twenty, or two, to luck."""
    found = []
    for seed in range(4, 8):
        config = small(
            seed=seed,
            grammar__depth=3,
            grammar__zipf={0: 1.0, 2: 1.0},
            corpus__size=size,
            diffusion__num_timesteps=200,
            measurement__loss_strings=192,
        )
        corpus = build_corpus(config)
        diffusion = Uniform.build(200, 6)
        probes = Probes.draw(config, Reference.build(corpus), diffusion)
        empirical = EmpiricalBayesDenoiser(corpus.training.strings, diffusion)
        (losses,) = elbo_losses(empirical, diffusion, [probes])
        found.append(loss_columns(probes.with_losses(losses))["curves"]["memorized_excess"][0])
    assert min(found) > 0.95


def test_all_strings_share_their_noise():
    world = Enumerated(small_grammar({}, corpus__size=12))
    probes = probes_of(world)
    x_0, x_t = probes.x_0.unsqueeze(1), probes.x_t
    redrawn = (x_t != x_0).any(0)
    for draw, leaf in redrawn.nonzero().tolist():
        symbols = x_t[:, draw, leaf]
        assert len(symbols.unique()) == 1  # one redrawn symbol, whatever stood there before


def test_every_stratum_gives_equally_many_probes_of_both_sides():
    config = small(grammar__depth=3, corpus__size=200, measurement__loss_strings=120)
    world = Enumerated(config)
    probes = probes_of(world)
    strata = probes.reference.strata
    each = 120 // len(strata)
    for stratum, rows in (
        (strata.training_stratum, probes.training),
        (strata.control_stratum, probes.control),
    ):
        assert np.bincount(stratum[rows]).tolist() == [
            min(each, n) for n in np.bincount(stratum).tolist()
        ]
        first = np.flatnonzero(stratum == 0)[:each]
        assert np.isin(first, rows).all()


def test_companions_of_other_sizes_change_no_loss():
    world = Enumerated(small_grammar({}, corpus__size=12))
    other = Enumerated(small_grammar({1: 1.0}, corpus__size=5, seed=2))
    mine, theirs = probes_of(world), probes_of(other)
    denoiser = Opinionated(world.diffusion, 4)
    (alone,) = elbo_losses(denoiser, world.diffusion, [mine])
    together, few = elbo_losses(denoiser, world.diffusion, [mine, theirs])
    assert np.array_equal(alone, together)
    assert len(few) == 10


def test_p_values_count_controls_with_no_larger_loss():
    control = np.array([3.0, 1.0, 2.0, 2.0])
    found = p_values(np.array([0.5, 1.0, 2.0, 2.5, 9.0]), control)
    assert found.tolist() == [1 / 5, 2 / 5, 4 / 5, 4 / 5, 1.0]


@pytest.mark.parametrize(("controls", "flagged"), [(19, 1), (25, 1), (39, 2), (59, 3), (100, 5)])
def test_the_null_rate_is_the_share_of_ranks_at_or_below_five_percent(controls, flagged):
    """Also where k/(n+1) is 1/20 exactly, which no rounding may lose."""
    ranks = p_values(np.arange(controls + 1) - 0.5, np.arange(controls, dtype=float))
    assert (ranks <= 0.05).sum() == flagged
    assert null_rate(controls) == flagged / (controls + 1)


def test_too_few_controls_flag_nothing_and_that_is_null():
    assert null_rate(18) is None
    assert null_error(30, 18) is None


def test_null_error_is_that_of_the_beta_binomial_law():
    for N, n in ((7, 19), (25, 25), (40, 64)):
        k = (n + 1) // 20
        assert null_error(N, n) == pytest.approx(betabinom(N, k, n + 1 - k).std() / N)


@pytest.mark.parametrize(("N", "n"), [(1, 19), (7, 19), (25, 25), (40, 64), (900, 1200)])
def test_the_number_flagged_is_beta_binomial(N, n):
    k = (n + 1) // 20
    expected = betabinom(N, k, n + 1 - k).pmf(np.arange(N + 1))
    assert flagged_law(N, n) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("counts", [[(9, 19)], [(5, 19), (6, 45)], [(4, 19), (3, 25), (5, 39)]])
def test_the_p_value_of_an_excess_equals_enumeration(counts):
    weights = np.array([0.5, 0.2, 0.3])[: len(counts)]
    sums = []
    for flagged in product(*(range(N + 1) for N, _ in counts)):
        total, p = 0.0, 1.0
        for w, x, (N, n) in zip(weights, flagged, counts, strict=True):
            k = (n + 1) // 20
            a = k / (n + 1)
            total += w * (x / N - a) / (1 - a)
            p *= betabinom(N, k, n + 1 - k).pmf(x)
        sums.append((total, p))
    totals, p = np.array(sums).T
    for total in np.unique(totals.round(12)):
        exact = p[totals >= total - 1e-9].sum()
        assert excess_p_value(total, weights, counts) >= exact - 1e-9
        close = p[totals >= total - len(counts) / 1000].sum()
        assert excess_p_value(total, weights, counts) <= close + 1e-9
    assert excess_p_value(-1.0, weights, counts) == pytest.approx(1)
    assert excess_p_value(1.1, weights, counts) == 0


def test_an_excess_of_too_few_controls_has_no_p_value():
    with pytest.raises(ValueError, match="18 controls flag nothing: a stratum needs 19"):
        excess_p_value(0.1, np.ones(1), [(20, 18)])


def test_an_excess_has_p_values_where_its_standard_deviation_is_no_quantile(rng):
    strata, weights = np.repeat(range(4), 30), np.full(4, 0.25)
    found = [Memorized.of(rng.random(120), rng.random(120), strata, strata) for _ in range(600)]
    p = np.array([memorized.p_value(weights) for memorized in found])
    for level in (0.01, 0.05, 0.2):
        spread = np.sqrt(level * (1 - level) / len(p))
        assert level / 2 - 3 * spread < (p <= level).mean() < level + 3 * spread
    _, error = found[0].weighted_excess(weights)
    assert excess_p_value(3 * error, weights, [(30, 30)] * 4) > 0.007  # 0.0013 in a normal law


def test_unmemorized_strings_are_flagged_as_the_law_says(rng):
    strata = np.repeat([0, 1], [40, 25]), np.repeat([0, 1], [30, 45])
    counts, excess, slopes = [], [], []
    for _ in range(2000):
        losses = rng.gamma(2.0, size=65), rng.gamma(2.0, size=75)
        found = Memorized.of(*losses, *strata)
        counts.append(found.share[0] * 40)
        excess.append(found.weighted_excess(np.array([0.6, 0.4])))
        slopes.append(found.weighted_excess(np.array([0.5, -0.5]))[0])
    law = betabinom(40, 1, 30)
    assert np.mean(counts) == pytest.approx(law.mean(), abs=3 * law.std() / np.sqrt(2000))
    means, errors = np.array(excess).T
    assert abs(means.mean()) < 3 * errors[0] / np.sqrt(2000)
    assert means.std() == pytest.approx(errors[0], rel=0.1)
    assert abs(np.mean(slopes)) < 3 * np.std(slopes) / np.sqrt(2000)


def test_memorized_strings_are_found_and_their_share_is_one():
    strata = np.repeat([0, 1], [20, 20]), np.repeat([0, 1], [20, 20])
    found = Memorized.of(np.zeros(40), np.ones(40), *strata)
    assert found.share == [1.0, 1.0]
    assert found.excess == [1.0, 1.0]
    assert (found.p_values == 1 / 21).all()


def test_a_string_is_memorized_from_the_step_after_which_it_always_was():
    p = np.array([[0.5, 0.01, 0.01, 0.05], [0.01, 0.5, 0.01, 0.05], [0.05, 0.01, 0.5, 0.04]])
    since = memorized_since(np.array([8, 16, 32]), p)
    assert since[[0, 1, 3]].tolist() == [16, 32, 8]
    assert np.isnan(since[2])


def test_at_most_five_percent_ever_memorized_whatever_the_number_of_steps(rng):
    """Losses that wander: first crossings would flag far more."""
    noise = rng.normal(size=(30, 400 + 399)).cumsum(axis=0)
    p = np.array([p_values(row[:400], row[400:]) for row in noise])
    since = memorized_since(np.arange(30), p)
    assert np.isfinite(since).mean() <= 0.06
    assert (p <= 0.05).any(axis=0).mean() > 0.1


def columns(config, seed=0):
    world = Enumerated(config)
    probes = probes_of(world)
    losses = np.random.default_rng(seed).random(len(probes.x_0))
    return probes, loss_columns(probes.with_losses(losses))


def test_columns_say_null_where_nothing_can_be_said():
    _, few = columns(small(corpus__size=12))
    assert few["curves"]["memorized_excess"] == [None]
    assert few["curves"]["memorized_excess_p_value"] == [None]
    assert few["typicality"]["memorized_share"] == [None]
    assert few["typicality"]["memorized_excess"] == [None]
    probes, uniform = columns(small(corpus__size=40, grammar__zipf={}))
    assert len(probes.reference.strata) == 1
    assert uniform["curves"]["memorized_excess"] != [None]
    assert uniform["curves"]["likelihood_slope"] == [None]
    assert uniform["levels"]["likelihood_slope"] == [None, None, None]


def test_columns_agree_with_each_other():
    config = small(grammar__depth=3, grammar__zipf={0: 1.0, 2: 1.0}, corpus__size=150)
    config = type(config).from_dict(
        config.to_dict() | {"measurement": {"loss_strings": 150, "first_step": 8, "budget": None}}
    )
    probes, found = columns(config)
    strata, table = probes.reference.strata, found["likelihood"]
    n = len(probes.training)
    assert table["string"][:n] == probes.training.tolist()
    assert min(table["string"][n:]) >= 150
    assert table["p_value"][n:] == [None] * len(probes.control)
    flagged = np.array(table["p_value"][:n]) <= 0.05
    of = strata.training_stratum[probes.training]
    shares = [flagged[of == b].mean() for b in range(len(strata))]
    assert found["typicality"]["memorized_share"] == pytest.approx(shares)
    weights = strata.num_training / 150
    excess = np.array(found["typicality"]["memorized_excess"])
    assert found["curves"]["memorized_excess"] == [pytest.approx(weights @ excess)]
    slope = weights @ (strata.z * excess)
    assert found["curves"]["likelihood_slope"] == [pytest.approx(slope)]
    by_level = found["levels"]["likelihood_slope"]
    assert by_level[1] is None  # a uniform level has no typicality
    assert by_level[3] is None
    assert by_level[0] is not None
    assert by_level[2] is not None


def test_level_slopes_see_the_level_that_decides(rng):
    """Strings memorized by their typicality at one level alone."""
    config = small(grammar__depth=3, grammar__zipf={0: 1.5, 2: 1.5}, corpus__size=400)
    world = Enumerated(
        type(config).from_dict(
            config.to_dict()
            | {"measurement": {"loss_strings": 400, "first_step": 8, "budget": None}}
        )
    )
    probes = probes_of(world)
    losses = 1 + rng.random(len(probes.x_0))
    part = world.corpus.training.log_p_by_level[probes.training, 2]
    losses[: len(part)][part > np.median(part)] = 0.0
    found = loss_columns(probes.with_losses(losses))["levels"]
    slope, error = found["likelihood_slope"], found["likelihood_slope_null_se"]
    assert slope[2] > 5 * error[2]
    assert abs(slope[0]) < 0.25 * slope[2]


def test_the_diffusion_of_the_pack_is_used():
    world = Enumerated(small_grammar({}, corpus__size=12))
    diffusion = Uniform.build(24, 4)
    probes = Probes.draw(world.config, Reference.build(world.corpus), diffusion)
    assert probes.x_0.dtype == probes.x_t.dtype == torch.uint8
    assert probes.weights == pytest.approx(1 / diffusion.shares_of_steps()[probes.t - 1])
