from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from study.processes.uniform import Uniform, transition


def brute_force_chain(diffusion: Uniform) -> list[torch.Tensor]:
    """q(x_t = b | x_0 = a) as matrices [a, b], by multiplying single steps."""
    v = diffusion.vocab_size
    chain = [torch.eye(v, dtype=torch.float64)]
    for alpha in diffusion.alpha[1:]:
        chain.append(chain[-1] @ (alpha * torch.eye(v, dtype=alpha.dtype) + (1 - alpha) / v))
    return chain


@pytest.fixture
def diffusion() -> Uniform:
    return Uniform.build(30, 4, dtype=torch.float64)


def test_the_schedule_starts_clean_and_ends_in_noise(diffusion):
    assert diffusion.alpha_bar[0] == 1
    assert diffusion.alpha_bar[-1] < 1e-4
    beta = 1 - Uniform.build(200, 4, dtype=torch.float64).alpha
    assert beta[1] == pytest.approx(0.001 + 0.099 / 200)
    assert beta[200] == pytest.approx(0.1)


def test_too_few_timesteps_are_refused():
    with pytest.raises(ValueError, match="above 20"):
        Uniform.build(20, 4)


def test_likelihoods_equal_the_product_of_single_steps(diffusion):
    chain = brute_force_chain(diffusion)
    x_t = torch.arange(4).unsqueeze(1)
    for t in (1, 7, 30):
        evidence = diffusion.likelihood(x_t, torch.full((4,), t))[:, 0]  # [x_t, x_0]
        assert torch.allclose(evidence, chain[t].T, atol=1e-14)


def test_noised_strings_follow_the_kernel():
    diffusion = Uniform.build(30, 4)
    n = 40_000
    g = torch.Generator().manual_seed(1)
    for t in (1, 10, 25):
        x_0 = torch.full((n, 1), 2)
        x_t = diffusion.noised(x_0, torch.full((n,), t), torch.rand(n, 1, generator=g))
        observed = torch.bincount(x_t.flatten(), minlength=4) / n
        expected = brute_force_chain(Uniform.build(30, 4, dtype=torch.float64))[t][2]
        error = (expected * (1 - expected) / n).sqrt()
        assert ((observed - expected).abs() <= 4 * error + 1e-9).all()


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), t=st.integers(1, 30))
def test_loss_equals_the_divergence_of_enumerated_posteriors(seed, t):
    """KL between Bayes' rule over single-step matrices and D3PM's reverse step, term by term."""
    diffusion = Uniform.build(30, 4, dtype=torch.float64)
    g = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(1, 1, 5, 4, generator=g, dtype=torch.float64)
    x_0, x_t = torch.randint(4, (2, 1, 1, 5), generator=g)
    (losses,) = diffusion.loss(logits, x_0, x_t, torch.tensor([[t]]))
    chain = brute_force_chain(diffusion)
    keep = diffusion.alpha[t]
    step = keep * torch.eye(4, dtype=keep.dtype) + (1 - keep) / 4
    for leaf in range(5):
        target, noisy = int(x_0[0, 0, leaf]), int(x_t[0, 0, leaf])
        q = chain[t - 1][target] * step[:, noisy]
        q = q / q.sum()
        p = (torch.softmax(logits[0, 0, leaf], 0) @ chain[t - 1]) * step[:, noisy]
        p = p / p.sum()
        expected = sum(float(a * (a / b).log()) for a, b in zip(q, p, strict=True) if a > 0)
        assert float(losses[0, leaf]) == pytest.approx(expected, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), t=st.integers(1, 30))
def test_the_slope_is_the_derivative_of_the_loss(seed, t):
    diffusion = Uniform.build(30, 4, dtype=torch.float64)
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 1, 3, 4, generator=g, dtype=torch.float64)
    x_0, x_t = torch.randint(4, (2, 1, 1, 3), generator=g)
    steps = torch.tensor([[t]])
    _, slope = diffusion.loss_and_gradient(logits, x_0, x_t, steps)
    for direction in torch.eye(12, dtype=torch.float64).view(12, 1, 1, 3, 4):
        up, down = (
            diffusion.loss(logits + h * direction, x_0, x_t, steps).sum() for h in (1e-5, -1e-5)
        )
        assert float((slope * direction).sum()) == pytest.approx(float(up - down) / 2e-5, abs=1e-8)


def test_loss_stays_finite_for_hopeless_guesses():
    diffusion = Uniform.build(30, 4)
    logits = torch.tensor([[[[200.0, -200.0, -200.0, -200.0]]]])
    wrong, t = torch.tensor([[[1]]]), torch.tensor([[1]])
    loss, slope = diffusion.loss_and_gradient(logits, wrong, wrong, t)
    assert math.isfinite(float(loss.sum()))
    assert torch.isfinite(slope).all()


def test_a_transition_follows_the_weights_and_stays_where_the_number_is_large():
    g = torch.Generator().manual_seed(0)
    weights = torch.tensor([0.0, 3.0, 1.0, 0.0]).expand(20_000, 4).contiguous()
    now, uniform = torch.ones(20_000, dtype=torch.long), torch.rand(20_000, generator=g)
    drawn = transition(weights.clone(), now, uniform)
    counts = torch.bincount(drawn, minlength=4)
    assert counts[0] == counts[3] == 0
    assert abs(counts[1] / 20_000 - 0.75) < 4 * math.sqrt(0.75 * 0.25 / 20_000)
    assert torch.equal(drawn == 1, uniform > 0.25)


@pytest.mark.parametrize("num_timesteps", [30, 200])
def test_no_denoiser_changes_a_leaf_more_often_than_the_bound(num_timesteps):
    diffusion = Uniform.build(num_timesteps, 4, dtype=torch.float64)
    elsewhere = torch.tensor([-1e9, 0.0, 0.0, 0.0], dtype=torch.float64).view(1, 1, 1, 4)
    here = torch.zeros(1, 1, 1, dtype=torch.long)
    for t, to in [(num_timesteps, num_timesteps - 1), (num_timesteps, 3), (5, 4), (2, 1), (1, 0)]:
        steps = torch.tensor([[t]]), torch.tensor([[to]])
        weights = diffusion.reverse_weights(elsewhere, here, *steps).flatten()
        changes = float(weights[1:].sum() / weights.sum())
        assert float(diffusion.most_change(*steps)) == pytest.approx(changes, rel=1e-9)
