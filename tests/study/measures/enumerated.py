"""Everything about small grammars by plain enumeration: the slow and obvious way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from rhm import Grammar
from study.config import TrialConfig
from study.corpus import build_corpus
from study.processes.process import FLOOR
from study.processes.uniform import Uniform
from tests.study.small import small


class Opinionated:
    """A denoiser of no merit: fixed random logits for every tuple of leaf, symbol and step."""

    def __init__(self, diffusion: Uniform, leaves: int, seed: int = 0) -> None:
        g = torch.Generator().manual_seed(seed)
        v, T = diffusion.vocab_size, diffusion.num_timesteps
        self.table = torch.randn(T + 1, leaves, v, v, generator=g, dtype=diffusion.alpha.dtype)

    def __call__(self, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        leaf = torch.arange(x_t.shape[-1])
        return self.table[t.unsqueeze(-1), leaf, x_t]


def small_grammar(zipf: dict[int, float], **changes: object) -> TrialConfig:
    """A training on a grammar of at most a few hundred strings."""
    grammar = {"depth": 2, "vocab_size": 4, "num_synonyms": 2}
    named = {f"grammar__{name}": value for name, value in grammar.items()}
    return small(**named, grammar__zipf=zipf, **changes)


@dataclass
class Enumerated:
    """One small training with exact probabilities by listing all strings."""

    config: TrialConfig
    diffusion: Uniform = field(init=False)

    def __post_init__(self) -> None:
        T, v = self.config.diffusion.num_timesteps, self.config.grammar.vocab_size
        self.diffusion = Uniform.build(T, v, dtype=torch.float64)
        self.corpus = build_corpus(self.config)
        self.alpha, self.alpha_bar = self.diffusion.alpha.numpy(), self.diffusion.alpha_bar.numpy()

    @property
    def grammar(self) -> Grammar:
        return self.corpus.grammar

    @property
    def v(self) -> int:
        return self.diffusion.vocab_size

    def kernel(self, keep: float) -> np.ndarray:
        """Probability (v, v) of the second symbol given the first."""
        return keep * np.eye(self.v) + (1 - keep) / self.v

    def prior(self, which: str) -> tuple[np.ndarray, np.ndarray]:
        """Strings and probabilities of the grammar or of the training set."""
        if which == "grammar":
            strings, log_p = self.grammar.enumerate()
            return strings.astype(int), np.exp(log_p)
        strings = self.corpus.training.strings.astype(int)
        return strings, np.full(len(strings), 1 / len(strings))

    def posterior(self, which: str, x_t: np.ndarray, t: int) -> np.ndarray:
        """p(leaf = a | x_t) (d, v), over all strings one by one."""
        strings, p = self.prior(which)
        q = self.kernel(self.alpha_bar[t])
        weights = np.array([w * np.prod(q[x, x_t]) for x, w in zip(strings, p, strict=True)])
        weights /= weights.sum()
        return np.array(
            [np.bincount(strings[:, i], weights, self.v) for i in range(strings.shape[1])]
        )

    def network_posterior(self, logits: np.ndarray, x_t: np.ndarray, t: int) -> np.ndarray:
        """p̃(x_0)·q(x_t | x_0), normalised per leaf (d, v)."""
        weights = np.exp(logits) * self.kernel(self.alpha_bar[t])[:, x_t].T
        return weights / weights.sum(-1, keepdims=True)

    def loss(self, logits: np.ndarray, x_0: np.ndarray, x_t: np.ndarray, t: int) -> np.ndarray:
        """KL( q(x_{t-1} | x_t, x_0) ‖ p_θ(x_{t-1} | x_t) ) per leaf, by listing x_{t-1}."""
        step, before = self.kernel(self.alpha[t]), self.kernel(self.alpha_bar[t - 1])
        guess = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        losses = []
        for i in range(len(x_0)):
            q = step[:, x_t[i]] * before[x_0[i]]
            p = step[:, x_t[i]] * np.maximum(guess[i] @ before, FLOOR)
            q, p = q / q.sum(), p / p.sum()
            losses.append(sum(a * np.log(a / b) for a, b in zip(q, p, strict=True) if a > 0))
        return np.array(losses)
