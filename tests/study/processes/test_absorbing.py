"""The absorbing kernel by enumeration of all strings, masks among their symbols."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from rhm import Grammar, GrammarShape
from study.processes.absorbing import Absorbing
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser, posterior_of
from study.processes.generation import generate
from study.processes.process import FLOOR, Denoiser
from tests.study.reverse_steps import every_string, generated_law

SHAPE = GrammarShape(depth=2, vocab_size=3, num_synonyms=2)
MASK = SHAPE.vocab_size


def own(num_timesteps: int, vocab_size: int = 3) -> Absorbing:
    return Absorbing.build(num_timesteps, vocab_size, dtype=torch.float64)


def single_step(diffusion: Absorbing, t: int) -> torch.Tensor:
    """q(x_t = b | x_{t-1} = a) as a matrix [a, b] over symbols and mask."""
    n, alpha = diffusion.num_inputs, diffusion.alpha[t]
    return alpha * torch.eye(n, dtype=alpha.dtype) + (1 - alpha) * diffusion.stationary


def chain(diffusion: Absorbing) -> list[torch.Tensor]:
    """q(x_t = b | x_0 = a), by multiplying single steps."""
    found = [torch.eye(diffusion.num_inputs, dtype=torch.float64)]
    for t in range(1, diffusion.num_timesteps + 1):
        found.append(found[-1] @ single_step(diffusion, t))
    return found


def grammar_of(seed: int = 1) -> Grammar:
    return Grammar.random(SHAPE, zipf={0: 1.0}, seed=seed)


def test_the_schedule_starts_clean_and_ends_in_masks_alone():
    diffusion = own(30)
    assert diffusion.alpha_bar[0] == 1
    assert (diffusion.alpha_bar.diff() < 0).all()
    assert torch.allclose(chain(diffusion)[-1], diffusion.stationary.expand(4, 4), atol=1e-15)
    assert diffusion.pure_noise(torch.rand(2, 3)).eq(MASK).all()
    assert diffusion.num_inputs == MASK + 1


def test_likelihoods_equal_the_product_of_single_steps():
    diffusion = own(30)
    x_t = torch.arange(MASK + 1).unsqueeze(1)
    for t, kernel in list(enumerate(chain(diffusion)))[1:-1]:
        evidence = diffusion.likelihood(x_t, torch.full((MASK + 1,), t))[:, 0]  # [x_t, x_0]
        assert torch.allclose(evidence, kernel[:MASK].T.clamp_min(FLOOR), atol=1e-14)


def test_noised_strings_follow_the_kernel():
    diffusion, n = Absorbing.build(30, 3), 40_000
    g = torch.Generator().manual_seed(1)
    for t in (1, 10, 25, 30):
        x_0, uniform = torch.full((n, 1), 2), torch.rand(n, 1, generator=g)
        x_t = diffusion.noised(x_0, torch.full((n,), t), uniform)
        assert set(x_t.unique().tolist()) <= {2, MASK}
        masked = float((x_t == MASK).double().mean())
        expected = 1 - float(diffusion.alpha_bar[t])
        assert abs(masked - expected) <= 4 * math.sqrt(expected * (1 - expected) / n)
        assert torch.equal(x_t == MASK, diffusion.redrawn(torch.full((n,), t), uniform))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), t=st.integers(1, 30))
def test_loss_equals_the_divergence_of_enumerated_posteriors(seed, t):
    """KL between Bayes' rule over single-step matrices, for x_0 and in the mean over p̃."""
    diffusion, g = own(30), torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(1, 1, 6, MASK, generator=g, dtype=torch.float64)
    x_0 = torch.randint(MASK, (1, 1, 6), generator=g)
    x_t = torch.where(torch.rand(1, 1, 6, generator=g) < 0.5, MASK, x_0)
    if t == 30:
        x_t = torch.full_like(x_0, MASK)
    losses = diffusion.loss(logits, x_0, x_t, torch.tensor([[t]]))[0, 0]
    before, step = chain(diffusion)[t - 1][:MASK], single_step(diffusion, t)
    for leaf in range(6):
        noisy = int(x_t[0, 0, leaf])
        posteriors = before * step[:, noisy]  # [x_0, x_{t-1}]
        posteriors = posteriors / posteriors.sum(1, keepdim=True).clamp_min(1e-300)
        q = posteriors[int(x_0[0, 0, leaf])]
        guess = torch.softmax(logits[0, 0, leaf], 0)
        p = guess @ posteriors if noisy == MASK else q  # a leaf that is seen stays as it is
        expected = sum(float(a * (a / b).log()) for a, b in zip(q, p, strict=True) if a > 0)
        assert float(losses[leaf]) == pytest.approx(expected, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**31), t=st.integers(1, 30))
def test_the_gradient_is_the_derivative_of_the_loss(seed, t):
    diffusion, g = own(30), torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 4, MASK, generator=g, dtype=torch.float64).requires_grad_()
    x_0 = torch.randint(MASK, (2, 3, 4), generator=g)
    x_t = torch.where(torch.rand(2, 3, 4, generator=g) < 0.5, MASK, x_0)
    steps = torch.full((2, 3), t)
    loss, gradient = diffusion.loss_and_gradient(logits.detach(), x_0, x_t, steps)
    cross_entropy = -torch.log_softmax(logits, -1).gather(-1, x_0.unsqueeze(-1)).squeeze(-1)
    alpha_bar = diffusion.alpha_bar
    weight = (alpha_bar[t - 1] - alpha_bar[t]) / (1 - alpha_bar[t])
    weighted = weight * cross_entropy * (x_t == MASK)
    (expected,) = torch.autograd.grad(weighted.sum(), logits)
    assert torch.allclose(loss, weighted.detach())
    assert torch.allclose(gradient, expected, atol=1e-14)


def test_loss_stays_finite_for_hopeless_guesses():
    logits = torch.tensor([[[[200.0, -200.0, -200.0]]]])
    wrong, masked, t = torch.tensor([[[1]]]), torch.tensor([[[MASK]]]), torch.tensor([[1]])
    loss, gradient = Absorbing.build(30, 3).loss_and_gradient(logits, wrong, masked, t)
    assert float(loss) == pytest.approx(-math.log(FLOOR))
    assert gradient.flatten().tolist() == [1, -1, 0]


def summed_losses(denoiser: Denoiser, diffusion: Absorbing, strings: np.ndarray) -> np.ndarray:
    """Σ_t E_{x_t}[Σ_leaves loss] of strings (S, d), over all x_t that each can become."""
    hidden = torch.tensor(list(product([False, True], repeat=strings.shape[1])))
    target = torch.as_tensor(strings.astype(np.int64)).unsqueeze(1).expand(-1, len(hidden), -1)
    x_t, total = torch.where(hidden, MASK, target), np.zeros(len(strings))
    for t in range(1, diffusion.num_timesteps + 1):
        steps = torch.full(x_t.shape[:2], t)
        losses = diffusion.loss(denoiser(x_t, steps), target, x_t, steps).sum(-1)
        keep = diffusion.alpha_bar[t]
        total += (losses @ torch.where(hidden, 1 - keep, keep).prod(-1)).numpy()
    return total


def bound_by_paths(denoiser: Denoiser, diffusion: Absorbing, x_0: np.ndarray) -> float:
    """E_q[log q(x_{1:T} | x_0) - log p_θ(x_{0:T})], over all pairs of neighbours of the path.

    By the definition of the bound: no posterior q(x_{t-1} | x_t, x_0) and no divergence in it.
    """
    strings = torch.as_tensor(every_string(MASK + 1, len(x_0)).astype(np.int64))
    kernels, total = chain(diffusion), 0.0
    clean = torch.as_tensor(x_0.astype(np.int64))
    for t in range(1, diffusion.num_timesteps + 1):
        before = kernels[t - 1][clean, strings].prod(-1)  # q(x_{t-1} | x_0)
        one = single_step(diffusion, t)[strings.unsqueeze(1), strings].prod(-1)  # [x_{t-1}, x_t]
        steps = torch.tensor([[t]]), torch.tensor([[t - 1]])
        x_t = strings.unsqueeze(0)
        weights = diffusion.reverse_weights(denoiser(x_t, steps[0]), x_t, *steps)[0]
        back = weights.permute(1, 2, 0)  # [x_t, leaf, symbol]
        leaves = torch.arange(len(x_0))
        log_back = torch.stack([back[:, leaves, string].log().sum(-1) for string in strings])
        joint = before.unsqueeze(1) * one
        possible = joint > 0
        total += float((joint * (one.log() - log_back))[possible].sum())
    return total


def test_losses_sum_to_the_evidence_lower_bound():
    shape = GrammarShape(depth=1, vocab_size=3, num_synonyms=2)
    grammar, diffusion = Grammar.random(shape, zipf={0: 1.0}, seed=3), own(21)
    strings, _ = grammar.enumerate()

    def ignorant(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.arange(3.0, dtype=torch.float64).expand(*x_t.shape, 3)

    exact = GrammarDenoiser(grammar, diffusion)
    for denoiser in (exact, ignorant):
        bounds = [bound_by_paths(denoiser, diffusion, x_0) for x_0 in strings]
        assert summed_losses(denoiser, diffusion, strings) == pytest.approx(bounds, abs=1e-6)
    law = generated_law(exact, diffusion, 2)[strings.astype(int) @ [3, 1]]
    assert (summed_losses(exact, diffusion, strings) > -np.log(law)).all()


def test_the_bound_of_the_exact_denoiser_nears_the_likelihood_as_steps_double():
    """Leaves unmasked one by one, by exact conditionals, are a string by the chain rule."""
    grammar = grammar_of()
    strings, log_p = grammar.enumerate()
    excess = []
    for T in (100, 200, 400):
        diffusion = own(T)
        denoiser = GrammarDenoiser(grammar, diffusion)
        excess.append(np.exp(log_p) @ (summed_losses(denoiser, diffusion, strings) + log_p))
    assert 0 < excess[0] < 0.15
    assert np.divide(excess[1:], excess[:-1]) == pytest.approx([0.5, 0.5], abs=0.03)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_law_of_the_exact_denoiser_nears_the_grammars_as_steps_double(seed):
    grammar = grammar_of(seed)
    true = np.exp(grammar.log_likelihood(every_string(3, 4)))
    found = []
    for T in (50, 100, 200):
        law = generated_law(GrammarDenoiser(grammar, own(T)), own(T), 4)
        assert law.sum() == pytest.approx(1)
        found.append(np.abs(law - true).sum() / 2)
    assert found[0] < 0.1
    assert np.divide(found[1:], found[:-1]) == pytest.approx([0.5, 0.5], abs=0.05)


STRINGS = np.array([[0, 1, 2, 2], [2, 2, 1, 0], [1, 1, 1, 1]], dtype=np.uint8)


def test_empirical_bayes_copies_every_string_but_those_unmasked_two_leaves_at_a_time():
    place = 3 ** np.arange(4)[::-1]
    lost = []
    for T in (50, 100, 200, 400):
        law = generated_law(EmpiricalBayesDenoiser(STRINGS, own(T)), own(T), 4)
        copied = law[STRINGS.astype(int) @ place]
        assert copied == pytest.approx(copied.mean(), rel=0.02)
        lost.append(1 - copied.sum())
    assert lost[-1] < 0.01
    assert np.divide(lost[1:], lost[:-1]) == pytest.approx([0.5] * 3, abs=0.05)


@pytest.mark.parametrize("steps", [6, 24])
def test_generated_strings_follow_the_law(steps):
    grammar, diffusion = grammar_of(), own(24)
    denoiser = GrammarDenoiser(grammar, diffusion)
    law = generated_law(denoiser, diffusion, 4, steps)
    (strings,) = generate(denoiser, diffusion, [0], count=1 << 14, leaves=4, reverse_steps=steps)
    counts = np.bincount(strings.astype(int) @ 3 ** np.arange(4)[::-1], minlength=len(law))
    expected = len(strings) * law
    assert counts[expected < 1e-9].sum() == 0
    rare = expected < 5
    joined = (np.append(x[~rare], x[rare].sum() + 1) for x in (counts, expected))
    assert chisquare(*joined).pvalue > 0.01


def test_no_leaf_is_masked_at_the_end_nor_changed_once_it_is_seen():
    diffusion = Absorbing.build(30, 3)
    seen: list[torch.Tensor] = []

    def denoiser(x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(x_t)
        return torch.zeros(*x_t.shape, 3)

    stays = torch.tensor([[[0, MASK, 2, MASK]]])
    largest = torch.full(stays.shape, 1 - 2**-24)
    t, to = torch.tensor([[5]]), torch.tensor([[0]])
    found = diffusion.reverse_step(denoiser(stays, t), stays, t, to, largest)
    assert found.flatten().tolist() == [0, 2, 2, 2]
    sure = torch.tensor([0.0, -math.inf, -math.inf]).expand(1, 1, 4, 3)
    assert diffusion.reverse_step(sure, stays, t, to, largest).flatten().tolist() == [0, 0, 2, 0]
    (strings,) = generate(denoiser, diffusion, [1], count=3000, leaves=4)
    assert strings.max() < MASK


def test_a_step_draws_from_its_weights():
    diffusion, g = own(30), torch.Generator().manual_seed(2)
    logits = torch.randn(MASK, generator=g, dtype=torch.float64).expand(1, 50_000, 1, MASK)
    masks = torch.full((1, 50_000, 1), MASK)
    t, to = torch.tensor([[20]]), torch.tensor([[11]])
    weights = diffusion.reverse_weights(logits[:, :1], masks[:, :1], t, to).flatten()
    assert float(weights.sum()) == pytest.approx(1)
    uniform = torch.rand(masks.shape, generator=g, dtype=torch.float64)
    drawn = diffusion.reverse_step(logits, masks, t, to, uniform)
    counts = torch.bincount(drawn.flatten(), minlength=MASK + 1)
    assert chisquare(counts.numpy(), 50_000 * weights.numpy()).pvalue > 0.01
    assert float(diffusion.most_change(t, to)) == pytest.approx(float(weights[:MASK].sum()))
    seen = torch.tensor([[[0, 1, 2]]])
    stays = diffusion.reverse_weights(torch.zeros(1, 1, 3, MASK), seen, t, to)[0, :, 0]
    assert torch.equal(stays, torch.eye(MASK + 1)[:, :3].to(stays.dtype))


@pytest.mark.parametrize("which", ["grammar", "empirical"])
def test_exact_posteriors_and_cavities_equal_bayes_rule(which):
    grammar, diffusion = grammar_of(), own(30)
    if which == "grammar":
        strings, log_p = grammar.enumerate()
        prior, denoiser = np.exp(log_p), GrammarDenoiser(grammar, diffusion)
    else:
        strings, prior = STRINGS, np.ones(3) / 3
        denoiser = EmpiricalBayesDenoiser(STRINGS, diffusion)
    strings = torch.as_tensor(strings.astype(np.int64))
    hidden = torch.tensor(list(product([False, True], repeat=4)))
    for x_0 in strings[::5]:
        x_t, t = torch.where(hidden, MASK, x_0).unsqueeze(0), torch.full((1, 16), 7)
        logits = denoiser(x_t, t)
        posterior = posterior_of(logits, diffusion.likelihood(x_t, t).double())[0]
        fits = ((strings == x_0) | hidden.unsqueeze(1)).all(-1).double()  # [x_t, string]
        weights = fits * torch.as_tensor(prior)
        weights /= weights.sum(1, keepdim=True)
        one_hot = torch.nn.functional.one_hot(strings, MASK).double()
        expected = torch.einsum("bs,sdv->bdv", weights, one_hot)
        assert torch.allclose(posterior, expected, atol=1e-12)
        guess = torch.softmax(logits, -1)[0].double()
        assert torch.allclose(guess[hidden], expected[hidden], atol=1e-6)


def test_what_fits_no_string_is_denoised_as_the_nearest():
    diffusion = own(30)
    x_t, t = torch.tensor([[[0, 1, 1, MASK]]]), torch.tensor([[7]])
    guess = torch.softmax(EmpiricalBayesDenoiser(STRINGS, diffusion)(x_t, t), -1)[0, 0, 3]
    assert guess.tolist() == pytest.approx([0, 0.5, 0.5], abs=1e-6)  # two leaves of two strings fit
    grammar = grammar_of()
    everything = torch.as_tensor(every_string(MASK + 1, 4).astype(np.int64)).unsqueeze(0)
    guess = torch.softmax(GrammarDenoiser(grammar, diffusion)(everything, torch.tensor([[7]])), -1)
    assert torch.isfinite(guess).all()
