from __future__ import annotations

import numpy as np
import pytest

from study.diffusion import Diffusion
from study.measures.losses import WINDOWS, Noisings, loss_columns, measure_losses
from study.oracles import EmpiricalBayesDenoiser, GrammarDenoiser
from study.trial import build_corpus
from tests.study.small import small

CONFIG = small(measurement__loss_draws=20)


@pytest.fixture(scope="module")
def corpus():
    return build_corpus(CONFIG)


def noisings(corpus, config=CONFIG) -> tuple[Diffusion, Noisings]:
    diffusion = Diffusion.build(config.diffusion.num_timesteps, 6)
    drawn = Noisings.draw(config, corpus.training.strings, corpus.control.strings, diffusion)
    return diffusion, drawn


def test_draws_cover_every_window_evenly_and_alike_on_both_sides(corpus):
    _, drawn = noisings(corpus)
    limit, draws = CONFIG.measurement.loss_strings, CONFIG.measurement.loss_draws
    t = drawn.t.view(2, limit, draws)
    assert t[0].equal(t[1])
    T = CONFIG.diffusion.num_timesteps
    assert (t.min(), t.max()) == (1, T)
    part = (t - 1) * draws // T
    assert (np.abs(part.numpy() - np.arange(draws)) <= 1).all()
    kept = (drawn.x_0 == drawn.x_t).float().mean()
    assert 0.2 < kept < 0.9


def test_the_grammar_loses_alike_on_both_sides_and_empirical_bayes_less_on_its_own(corpus):
    diffusion, drawn = noisings(corpus)
    exact = [
        GrammarDenoiser(corpus.grammar, diffusion),
        EmpiricalBayesDenoiser(corpus.training.strings, diffusion),
    ]
    (grammar,), (empirical,) = (measure_losses(d, diffusion, [drawn]) for d in exact)
    side = drawn.side.numpy()
    assert empirical[side == 0].mean() < grammar[side == 0].mean()
    assert grammar[side == 1].mean() < empirical[side == 1].mean()
    strings = [grammar[side == k].reshape(-1, 20).mean(1) for k in (0, 1)]
    difference = strings[0].mean() - strings[1].mean()
    error = np.hypot(*(part.std() / np.sqrt(len(part)) for part in strings))
    assert abs(difference) < 3 * error


def test_companions_of_other_sizes_change_no_loss(corpus):
    diffusion, drawn = noisings(corpus)
    short = Noisings.draw(
        CONFIG, corpus.training.strings[:3], corpus.control.strings[:2], diffusion
    )
    denoiser = GrammarDenoiser(corpus.grammar, diffusion)
    (alone,) = measure_losses(denoiser, diffusion, [drawn])
    together, few = measure_losses(denoiser, diffusion, [drawn, short])
    assert np.array_equal(alone, together)
    assert len(few) == 5 * CONFIG.measurement.loss_draws


def test_windows_partition_the_noise_and_average_to_the_whole(corpus):
    _, drawn = noisings(corpus)
    losses = np.random.default_rng(0).random(len(drawn.t))
    T = CONFIG.diffusion.num_timesteps
    overall, rows = loss_columns(losses, drawn, T)
    assert rows["first_t"][0] == 1
    assert rows["last_t"][-1] == T
    assert [a + 1 for a in rows["last_t"][:-1]] == rows["first_t"][1:]
    t, side = drawn.t.numpy(), drawn.side.numpy()
    for name, chosen in (("training_loss", 0), ("heldout_loss", 1)):
        total = 0.0
        for first, last, mean in zip(rows["first_t"], rows["last_t"], rows[name], strict=True):
            inside = (side == chosen) & (first <= t) & (t <= last)
            assert mean == pytest.approx(losses[inside].mean())
            total += mean * inside.sum()
        assert overall[name] == pytest.approx(total / (side == chosen).sum())
    assert len(rows["window"]) == WINDOWS


def test_a_window_without_draws_is_null(corpus):
    _, drawn = noisings(corpus)
    early = drawn.t <= 5
    part = Noisings(*(getattr(drawn, name)[early] for name in ("x_0", "x_t", "t", "side")))
    _, rows = loss_columns(np.ones(int(early.sum())), part, CONFIG.diffusion.num_timesteps)
    assert rows["training_loss"][0] == 1.0
    assert rows["training_loss"][-1] is None
