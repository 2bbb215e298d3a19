"""Readings by noise window against plain enumeration, and what they show of exact denoisers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from study.corpus import build_corpus
from study.measures.noise import Noisings, measure_noise
from study.measures.optima import Optima
from study.measures.windows import WINDOWS, Windows, gap_fraction
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser
from study.processes.process import FLOOR
from study.processes.uniform import Uniform
from tests.study.measures.enumerated import Enumerated, Opinionated, small_grammar
from tests.study.small import small

CONFIG = small(
    measurement__loss_draws=20, grammar__depth=3, corpus__size=48, measurement__noise_strings=48
)


@pytest.fixture(scope="module")
def corpus():
    return build_corpus(CONFIG)


def drawn(corpus, config=CONFIG, dtype=torch.float32) -> tuple[Uniform, Noisings, Optima]:
    T, v = config.diffusion.num_timesteps, config.grammar.vocab_size
    diffusion = Uniform.build(T, v, dtype=dtype)
    noisings = Noisings.draw(config, corpus, diffusion)
    return diffusion, noisings, optima_of(corpus, diffusion, noisings)


def optima_of(corpus, diffusion, noisings) -> Optima:
    noised = noisings.x_0, noisings.x_t, noisings.t, noisings.side == 0
    return Optima.of(corpus, diffusion, *noised)


def windows_of(denoiser, corpus, config=CONFIG, dtype=torch.float32) -> Windows:
    diffusion, noisings, optima = drawn(corpus, config, dtype)
    (readings,) = measure_noise(denoiser(diffusion), diffusion, [noisings], [optima])
    return Windows.of(readings, noisings, optima, diffusion.num_timesteps)


class Mixture:
    """The posterior (1-α)g + αe, handed over in cavity form like a network's."""

    def __init__(self, corpus, diffusion: Uniform, weight: float) -> None:
        self.diffusion, self.weight = diffusion, weight
        self.parts = (
            GrammarDenoiser(corpus.grammar, diffusion),
            EmpiricalBayesDenoiser(corpus.training.strings, diffusion),
        )

    def __call__(self, x_t, t):
        evidence = self.diffusion.likelihood(x_t, t).double()
        g, e = (part.posterior(evidence.flatten(0, 1)) for part in self.parts)
        posterior = ((1 - self.weight) * g + self.weight * e).view_as(evidence)
        return (posterior / evidence).log()


def test_draws_cover_every_window_evenly_and_alike_on_both_sides(corpus):
    _, noisings, _ = drawn(corpus)
    draws, T = CONFIG.measurement.loss_draws, CONFIG.diffusion.num_timesteps
    t = noisings.t.view(2, -1, draws)
    assert t[0].equal(t[1])
    assert (t.min(), t.max()) == (1, T)
    part = (t - 1) * draws // T
    assert (np.abs(part.numpy() - np.arange(draws)) <= 1).all()
    changed = noisings.x_0 != noisings.x_t
    assert (changed <= noisings.redrawn).all()
    redrawn = noisings.redrawn.float().mean()
    assert changed.float().mean() == pytest.approx(float(redrawn) * 5 / 6, abs=0.03)


ZIPF = [{}, {0: 1.0}, {1: 1.5}, {0: 0.5, 1: 2.0}]


@pytest.mark.parametrize("zipf", ZIPF)
@pytest.mark.parametrize("kind", ["opinionated", "grammar", "empirical"])
def test_every_reading_equals_enumeration(zipf, kind):
    config = small_grammar(zipf, corpus__size=12, measurement__noise_strings=3)
    world = Enumerated(config)
    denoiser = {
        "opinionated": lambda d: Opinionated(d, 4),
        "grammar": lambda d: GrammarDenoiser(world.grammar, d),
        "empirical": lambda d: EmpiricalBayesDenoiser(world.corpus.training.strings, d),
    }[kind]
    windows = windows_of(denoiser, world.corpus, config, torch.float64)
    _, noisings, _ = drawn(world.corpus, config, torch.float64)
    expected = by_hand(world, noisings, denoiser(world.diffusion))
    rows = windows.noise(config.diffusion.num_timesteps)
    for w in range(WINDOWS):
        for name, values in expected.items():
            value = values(w)
            assert rows[name][w] == (None if value is None else pytest.approx(value, abs=1e-5))
    whole = windows.curves()
    assert whole["training_loss"] == pytest.approx(expected["training_loss"](None), abs=1e-5)
    assert whole["heldout_loss"] == pytest.approx(expected["heldout_loss"](None), abs=1e-5)
    assert whole["memorizer_loss"] == pytest.approx(expected["memorizer_loss"](None), abs=1e-5)
    for name in ("position", "off_line"):
        value = expected[name](None)
        assert whole[name] == (None if value is None else pytest.approx(value, abs=1e-5))


def by_hand(world: Enumerated, noisings: Noisings, denoiser):
    """Column -> value of a window, or of all noise, from loops over noisy strings and leaves."""
    T = world.diffusion.num_timesteps
    empirical = EmpiricalBayesDenoiser(world.corpus.training.strings, world.diffusion)
    found = []
    for row in range(len(noisings.t)):
        x_0, x_t, redrawn = (
            getattr(noisings, name)[row].numpy() for name in ("x_0", "x_t", "redrawn")
        )
        t = int(noisings.t[row])
        inputs = noisings.x_t[row].view(1, 1, -1), noisings.t[row].view(1, 1)
        logits = denoiser(*inputs)[0, 0].numpy()
        theta = world.network_posterior(logits, x_t, t)
        e, g = (world.posterior(which, x_t, t) for which in ("training", "grammar"))
        with np.errstate(divide="ignore", invalid="ignore"):
            cavity = empirical(*inputs)[0, 0].numpy()
            found.append(
                {
                    "side": int(noisings.side[row]),
                    "window": (t - 1) * WINDOWS // T,
                    "loss": world.loss(logits, x_0, x_t, t).mean(),
                    "memorizer_loss": world.loss(cavity, x_0, x_t, t).mean(),
                    "right": sum(
                        (theta[i, x_0[i]] > p.max() - 1e-9) / (p > p.max() - 1e-9).sum()
                        for i, p in enumerate(theta)
                        if redrawn[i]
                    ),
                    "redrawn": int(redrawn.sum()),
                    "entropy": -np.nansum(theta * np.log(theta)) / len(x_0),
                    "kl_memorizer": np.nansum(e * np.log(e / theta)) / len(x_0),
                    "kl_grammar": np.nansum(g * np.log(g / np.maximum(theta, FLOOR))) / len(x_0),
                    "dots": [((theta - g) * (e - g)).sum(), ((theta - g) ** 2).sum()],
                    "apart": ((e - g) ** 2).sum(),
                }
            )

    def chosen(window, side):
        return [r for r in found if r["side"] == side and window in (None, r["window"])]

    def mean(name, side):
        def of(window):
            values = [r[name] for r in chosen(window, side)]
            return sum(values) / len(values) if values else None

        return of

    def recovery(side):
        def of(window):
            total = sum(r["redrawn"] for r in chosen(window, side))
            return sum(r["right"] for r in chosen(window, side)) / total if total else None

        return of

    def place(window):
        own = chosen(window, 0)
        apart = sum(r["apart"] for r in own)
        along, away = (sum(r["dots"][i] for r in own) for i in (0, 1))
        if not apart:
            return None, None
        off_line = away / apart - (along / apart) ** 2
        return (along / apart if off_line <= 1 else None), off_line

    return {
        "training_loss": mean("loss", 0),
        "heldout_loss": mean("loss", 1),
        "memorizer_loss": mean("memorizer_loss", 0),
        "training_recovery": recovery(0),
        "heldout_recovery": recovery(1),
        "training_entropy": mean("entropy", 0),
        "heldout_entropy": mean("entropy", 1),
        "kl_memorizer": mean("kl_memorizer", 0),
        "kl_grammar": mean("kl_grammar", 0),
        "position": lambda window: place(window)[0],
        "off_line": lambda window: place(window)[1],
    }


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_position_is_the_weight_of_empirical_bayes_in_a_mixture(corpus, weight):
    windows = windows_of(lambda diffusion: Mixture(corpus, diffusion, weight), corpus)
    whole = windows.curves()
    assert whole["position"] == pytest.approx(weight, abs=1e-4)
    assert whole["off_line"] == pytest.approx(0, abs=1e-4)
    rows = windows.noise(CONFIG.diffusion.num_timesteps)
    assert rows["position"] == pytest.approx([weight] * WINDOWS, abs=1e-3)


def test_the_grammar_has_no_gap_and_empirical_bayes_all_of_it(corpus):
    grammar = windows_of(lambda d: GrammarDenoiser(corpus.grammar, d), corpus)
    empirical = windows_of(lambda d: EmpiricalBayesDenoiser(corpus.training.strings, d), corpus)
    assert empirical.curves()["gap_fraction"] == pytest.approx(1, abs=1e-6)
    assert grammar.curves()["gap_fraction"] == pytest.approx(0, abs=1e-6)
    rows = [w.noise(CONFIG.diffusion.num_timesteps) for w in (grammar, empirical)]
    assert rows[0]["kl_grammar"] == pytest.approx([0] * WINDOWS, abs=1e-5)
    assert rows[1]["kl_memorizer"] == pytest.approx([0] * WINDOWS, abs=1e-5)
    early = slice(0, 4)
    assert sum(rows[1]["training_recovery"][early]) > sum(rows[0]["training_recovery"][early])
    assert sum(rows[1]["training_entropy"]) < sum(rows[0]["training_entropy"])


def test_companions_of_other_sizes_change_nothing(corpus):
    diffusion, noisings, optima = drawn(corpus)
    other = small(measurement__noise_strings=3, grammar__depth=3, corpus__size=48, seed=2)
    few = Noisings.draw(other, corpus, diffusion)
    denoiser = Opinionated(diffusion, 8)
    (alone,) = measure_noise(denoiser, diffusion, [noisings], [optima])
    together, short = measure_noise(
        denoiser, diffusion, [noisings, few], [optima, optima_of(corpus, diffusion, few)]
    )
    assert all(np.array_equal(alone[name], together[name]) for name in alone)
    assert len(short["loss"]) == 2 * 3 * other.measurement.loss_draws


def test_windows_partition_the_noise(corpus):
    windows = windows_of(lambda d: Opinionated(d, 8), corpus)
    T = CONFIG.diffusion.num_timesteps
    rows = windows.noise(T)
    assert rows["first_t"][0] == 1
    assert rows["last_t"][-1] == T
    assert [a + 1 for a in rows["last_t"][:-1]] == rows["first_t"][1:]
    assert rows["window"] == list(range(WINDOWS))


def test_what_no_draw_tells_is_null(corpus):
    diffusion, noisings, _ = drawn(corpus)
    early = noisings.t <= 5
    part = Noisings(*(getattr(noisings, name)[early] for name in Noisings.__dataclass_fields__))
    optima = optima_of(corpus, diffusion, part)
    (readings,) = measure_noise(Opinionated(diffusion, 8), diffusion, [part], [optima])
    windows = Windows.of(readings, part, optima, diffusion.num_timesteps)
    rows = windows.noise(diffusion.num_timesteps)
    columns = {n: c for n, c in rows.items() if n not in ("window", "first_t", "last_t")}
    assert all(column[-1] is None for column in columns.values())
    assert all(rows[name][0] is not None for name in columns if name != "position")


def test_position_is_null_off_the_line_and_where_the_optima_are_one():
    sums = {"along": 0.5, "away": 1.0, "apart": 1.0}
    assert Optima.position(sums) == (0.5, 0.75)
    assert Optima.position({**sums, "away": 1.3}) == (None, pytest.approx(1.05))
    assert Optima.position({"along": 0.0, "away": 1.0, "apart": 0.0}) == (None, None)


def test_redrawn_leaves_alone_count_for_recovery(corpus):
    """A denoiser that trusts what it sees recovers only leaves redrawn by themselves."""
    windows = windows_of(lambda d: lambda x_t, t: d.likelihood(x_t, t).log() * 50, corpus)
    rows = windows.noise(CONFIG.diffusion.num_timesteps)
    found = [x for side in ("training", "heldout") for x in rows[f"{side}_recovery"] if x]
    assert np.mean(found) == pytest.approx(1 / 6, abs=0.04)


def test_gap_fraction_is_null_without_a_gap_to_share():
    nothing, zero, one = np.zeros(0), np.zeros(3), np.ones(3)
    assert gap_fraction(0.5 * one, one, 0.2 * one) == pytest.approx(0.625)
    assert gap_fraction(0.5 * one, zero, zero) is None
    assert gap_fraction(nothing, one, nothing) is None
    assert gap_fraction(one, nothing, zero) is None


def test_gap_fraction_does_not_depend_on_which_strings_are_noised():
    """A half-way model over corpora of which a few strings each are noised.

    Undone by the losses themselves: their two sides differ by the luck of 8 strings.
    """
    found, raw = [], []
    for seed in range(30):
        config = small(
            seed=seed,
            grammar__depth=3,
            grammar__zipf={0: 1.0, 2: 1.0},
            corpus__size=300,
            measurement__noise_strings=8,
        )
        corpus = build_corpus(config)
        curves = windows_of(lambda d, c=corpus: Mixture(c, d, 0.1), corpus, config).curves()
        found.append(curves["gap_fraction"])
        outside = curves["heldout_loss"] - curves["memorizer_loss"]
        raw.append((curves["heldout_loss"] - curves["training_loss"]) / outside)
    assert np.std(found) < 0.5 * np.std(raw)
