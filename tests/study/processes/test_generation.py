from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from study.models.unet import PackedUNet
from study.models.weights import NetworkShape, initial_weights
from study.processes.absorbing import Absorbing
from study.processes.chunks import LARGE, SMALL, sizes
from study.processes.exact_denoisers import EmpiricalBayesDenoiser
from study.processes.generation import MULTIPLE, generate, moved, planned, spaced
from study.processes.process import Diffusion
from study.processes.uniform import Uniform

STRINGS = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 1, 1, 1]], dtype=np.uint8)


@pytest.fixture
def diffusion() -> Uniform:
    return Uniform.build(30, 4)


def drawn(diffusion: Uniform, seeds: list[int], count: int, occasion: int = 0) -> np.ndarray:
    denoiser = EmpiricalBayesDenoiser(STRINGS, diffusion)
    return generate(denoiser, diffusion, seeds, count=count, leaves=4, occasion=occasion)


def test_neither_the_count_nor_the_company_changes_a_string(diffusion):
    many = drawn(diffusion, [5, 6], SMALL + 10)
    assert np.array_equal(drawn(diffusion, [6], 20)[0], many[1][:20])
    assert not np.array_equal(many[0], many[1])


@pytest.mark.parametrize("width", [8, 64])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("process", [Uniform, Absorbing])
def test_a_network_generates_the_same_strings_alone_and_in_company(width, threads, process):
    shape = NetworkShape(3, 2, 6, width)
    diffusion = process.build(30, 6)

    def generated(seeds: list[int]) -> np.ndarray:
        network = PackedUNet(shape, diffusion, initial_weights(shape, seeds))
        return generate(network, diffusion, seeds, count=SMALL, leaves=8)

    together = generated([5, 6, 7])
    torch.set_num_threads(threads)
    try:
        assert np.array_equal(generated([6])[0], together[1])
    finally:
        torch.set_num_threads(1)


def test_occasions_are_independent_draws(diffusion):
    one, other = (drawn(diffusion, [5], 50, occasion) for occasion in (1, 2))
    assert not np.array_equal(one, other)


def test_the_global_stream_is_neither_read_nor_moved(diffusion):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = drawn(diffusion, [5], 20)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert np.array_equal(one, drawn(diffusion, [5], 20))


def test_the_empirical_denoiser_gives_back_its_strings_evenly(diffusion):
    generated = drawn(Uniform.build(200, 4), [5], 1500)[0]
    counts = np.array([(generated == s).all(1).sum() for s in STRINGS])
    assert counts.sum() > 0.98 * 1500
    expected = counts.sum() / 3
    assert ((counts - expected) ** 2 / expected).sum() < 13.8  # chi-square, 2 d.o.f., p = 0.001


@pytest.mark.parametrize("num_timesteps", [21, 30, 200])
@pytest.mark.parametrize("steps", [1, 7, 21])
def test_reverse_steps_lead_from_noise_to_strings_in_even_strides(num_timesteps, steps):
    times = spaced(num_timesteps, steps)
    strides = -np.diff(times)
    assert (times[0], times[-1], len(strides)) == (num_timesteps, 0, steps)
    assert strides.min() >= 1
    assert strides.max() - strides.min() <= 1


@pytest.mark.parametrize("steps", [0, 31])
def test_there_are_no_more_reverse_steps_than_diffusion_steps(diffusion, steps):
    with pytest.raises(ValueError, match="reverse_steps must be 1 to 30"):
        spaced(diffusion.num_timesteps, steps)


def test_fewer_reverse_steps_ask_the_denoiser_less_often(diffusion):
    empirical = EmpiricalBayesDenoiser(STRINGS, diffusion)
    seen = []

    def denoiser(x_t, t):
        seen.append(int(t))
        return empirical(x_t, t)

    generate(denoiser, diffusion, [5], count=20, leaves=4, reverse_steps=6)
    assert seen == [30, 25, 20, 15, 10, 5]


@pytest.mark.parametrize("count", [1, 512, 513, 1024, 1025, 10_000])
def test_chunks_hold_the_strings_and_more_strings_have_the_same_first_chunks(count):
    found = sizes(count)
    assert count <= sum(found) < count + LARGE
    assert sum(found[:-1]) < count
    assert sizes(2 * count)[: len(found)] == found


@given(
    process=st.sampled_from([Uniform, Absorbing]),
    seed=st.integers(0, 2**32),
    leaves=st.sampled_from([2, 4, 8]),
    steps=st.sampled_from([20, 60, 200]),
    places=st.sampled_from([32, 64, 512]),
)
@settings(max_examples=25, deadline=None)
def test_strings_that_the_denoiser_is_not_asked_about_would_not_have_changed(
    process: type[Diffusion], seed: int, leaves: int, steps: int, places: int
):
    """However few places there are, and however sure of itself the denoiser."""
    diffusion, g = process.build(200, 4), torch.Generator().manual_seed(seed)
    symbols = diffusion.num_inputs
    sharp = 20 * torch.randn(200, leaves, symbols, 4, generator=g)

    def denoiser(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        own = sharp[int(t) - 1].expand(*x_t.shape, symbols, 4)
        return own.gather(-2, x_t[..., None, None].expand(*x_t.shape, 1, 4)).squeeze(-2)

    x = diffusion.pure_noise(torch.rand(2, SMALL, leaves, generator=g))
    for stride in planned(diffusion, spaced(200, steps), SMALL, leaves):
        uniform = torch.rand(*x.shape, generator=g)
        all_asked = moved(denoiser, diffusion, x, uniform, replace(stride, places=SMALL))
        assert torch.equal(
            moved(denoiser, diffusion, x, uniform, replace(stride, places=places)), all_asked
        )
        x = all_asked


def test_masked_strings_are_asked_about_once_for_each_leaf_at_most():
    strides = planned(Absorbing.build(1000, 6), spaced(1000, 1000), LARGE, 8)
    asked = sum(stride.places for stride in strides)
    assert asked < 8 * LARGE + 1000 * 2 * MULTIPLE  # and room for luck at every step


def test_long_chains_ask_about_few_strings():
    strides = planned(Uniform.build(1000, 6), spaced(1000, 1000), LARGE, 16)
    assert sum(stride.places for stride in strides) < 0.3 * LARGE * 1000
