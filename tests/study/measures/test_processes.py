"""What is measured without generating, under every noise process: the same values at both ends."""

from __future__ import annotations

import numpy as np
import pytest

from study.config.sections import PROCESSES as NAMES
from study.corpus import build_corpus
from study.measures import Reference
from study.measures.likelihood import Probes, elbo_losses
from study.measures.noise import Noisings, measure_noise
from study.measures.optima import Optima
from study.measures.string_losses import loss_columns
from study.measures.windows import TRAINING, Windows
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser
from study.processes.process import Diffusion
from study.processes.registry import PROCESSES
from tests.study.small import small

T = 50


def test_every_process_that_can_be_named_is_there():
    assert tuple(PROCESSES) == NAMES


@pytest.mark.parametrize("process", PROCESSES.values())
@pytest.mark.parametrize(("which", "value"), [("grammar", 0.0), ("memorizer", 1.0)])
def test_both_optima_are_what_they_are_under_every_process(
    process: type[Diffusion], which: str, value: float
):
    config = small(
        grammar__depth=3,
        grammar__zipf={0: 1.0, 2: 1.0},
        corpus__size=400,
        diffusion__num_timesteps=T,
        measurement__loss_strings=192,
        measurement__noise_strings=48,
    )
    corpus, diffusion = build_corpus(config), process.build(T, config.grammar.vocab_size)
    denoiser = {
        "grammar": GrammarDenoiser(corpus.grammar, diffusion),
        "memorizer": EmpiricalBayesDenoiser(corpus.training.strings, diffusion),
    }[which]
    noisings = Noisings.draw(config, corpus, diffusion)
    noised = noisings.x_0, noisings.x_t, noisings.t, noisings.side == TRAINING
    optima = Optima.of(corpus, diffusion, *noised)
    (readings,) = measure_noise(denoiser, diffusion, [noisings], [optima])
    assert all(np.isfinite(readings[name]).all() for name in ("loss", "recovered", "entropy"))
    curves = Windows.of(readings, noisings, optima, T).curves()
    assert curves["gap_fraction"] == pytest.approx(value, abs=1e-5)
    assert curves["position"] == pytest.approx(value, abs=1e-5)
    assert curves["off_line"] == pytest.approx(0, abs=1e-5)
    probes = Probes.draw(config, Reference.build(corpus), diffusion)
    (losses,) = elbo_losses(denoiser, diffusion, [probes])
    memorized = loss_columns(probes.with_losses(losses))["curves"]
    assert memorized["memorized_excess"][0] == pytest.approx(value, abs=0.15)
