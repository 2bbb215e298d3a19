"""How far exact denoisers are off in T steps, or in fewer: the tables of docs/reverse-steps.md.

`python -m tests.study.reverse_steps` prints them. On small grammars the law of what is generated is
worked out, from all strings to all strings, step by step; on a larger one strings are generated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from functools import reduce
from itertools import pairwise, product

import numpy as np
import torch

from rhm import Grammar, GrammarShape
from study.corpus import GrammarSource
from study.measures import Reference, measure_strings
from study.processes.exact_denoisers import EmpiricalBayesDenoiser, GrammarDenoiser
from study.processes.generation import generate, spaced
from study.processes.process import Denoiser, Diffusion
from study.processes.uniform import Uniform

STEPS = {200: (200, 100, 50, 25, 12), 50: (50, 25, 12, 6)}
"""T -> numbers of reverse steps."""
SMALL = (
    GrammarShape(depth=2, vocab_size=4, num_synonyms=3),
    GrammarShape(depth=2, vocab_size=6, num_synonyms=4),
    GrammarShape(depth=3, vocab_size=3, num_synonyms=2),
)
"""Grammars whose strings can be listed; Zipf exponent 1 at the root."""
LARGE = GrammarShape(depth=3, vocab_size=6, num_synonyms=4)
LARGE_ZIPF = {0: 1.0, 2: 1.5}
SEEDS = range(8)
"""Of the grammars, and of the corpora of the memorizer."""
STREAMS, PER_STREAM = 16, 512
"""Strings generated from one grammar."""
TRAINING = 128
"""Training strings of the memorizer."""


@dataclass(frozen=True)
class Bias:
    """What a law of strings is off by; exactly 0 for the grammar's own.

    Attributes:
        ungrammatical: share of strings that are not of the grammar.
        common, rare: frequency of the commonest and the rarest rule among the valid roots, relative
            to their probability, less 1: overproduction - 1.
        last: likewise of one more quantity that suits the grammar.
    """

    ungrammatical: float
    common: float
    rare: float
    last: float

    @classmethod
    def of(cls, grammar: Grammar, strings: np.ndarray, law: np.ndarray, last: float) -> Bias:
        """Of strings (S, d) and their probabilities (S,)."""
        ranks = grammar.parse(strings).ranks[0][:, 0]
        valid = ranks >= 0
        p = grammar.rule_probabilities[0]
        shares = np.bincount(ranks[valid], law[valid], len(p))
        off = shares / shares.sum() / p - 1
        return cls(1 - float(shares.sum()), float(off[0]), float(off[-1]), last)


def every_string(symbols: int, leaves: int) -> np.ndarray:
    """All strings (symbols^d, d), grammatical or not, in lexicographic order."""
    return np.array(list(product(range(symbols), repeat=leaves)), dtype=np.uint8)


def generated_law(
    denoiser: Denoiser, diffusion: Diffusion, leaves: int, steps: int | None = None
) -> np.ndarray:
    """Probability of every string after all reverse steps, from pure noise.

    The leaves of a step are drawn apart, so the law of its strings is a product over two halves,
    given where it came from: law(y, z) = Σ_x law(x) first(x, y) second(x, z).
    """
    T = diffusion.num_timesteps
    x = torch.as_tensor(every_string(diffusion.num_inputs, leaves).astype(np.int64)).unsqueeze(0)
    law = diffusion.stationary[x[0]].prod(-1)
    for t, to in pairwise(torch.tensor(spaced(T, steps or T)).view(-1, 1, 1)):
        weights = diffusion.reverse_weights(denoiser(x, t), x, t, to)[0]
        of_leaf = (weights / weights.sum(0)).permute(2, 1, 0)  # (d, x_t, symbol)
        first, second = (reduce(_apart, half) for half in of_leaf.tensor_split(2))
        law = ((law.unsqueeze(1) * first).T @ second).flatten()
    strings = (x[0] < diffusion.vocab_size).all(-1)
    assert law[~strings].sum() == 0
    return law[strings].numpy()


def _apart(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Of two independent draws, (x, a) and (x, b): the law of both, (x, a·b)."""
    return (left.unsqueeze(2) * right.unsqueeze(1)).flatten(1)


def exact(grammar: Grammar, diffusion: Diffusion, steps: int | None = None) -> Bias:
    """By listing all strings; `last` is the total variation from the grammar's law."""
    shape = grammar.shape
    strings = every_string(shape.vocab_size, shape.num_leaves)
    law = generated_law(GrammarDenoiser(grammar, diffusion), diffusion, shape.num_leaves, steps)
    distance = np.abs(law - np.exp(grammar.log_likelihood(strings))).sum() / 2
    return Bias.of(grammar, strings, law, float(distance))


def sampled(grammar: Grammar, seed: int, diffusion: Diffusion, steps: int) -> Bias:
    """From generated strings; `last` is what the perfect memorizer's E lacks of 1."""
    corpus = GrammarSource(grammar).draw(TRAINING, seed=seed)
    streams = [STREAMS * seed + k for k in range(STREAMS)]

    def strings(denoiser: GrammarDenoiser | EmpiricalBayesDenoiser) -> np.ndarray:
        drawn = generate(
            denoiser,
            diffusion,
            streams,
            count=PER_STREAM,
            leaves=grammar.shape.num_leaves,
            reverse_steps=steps,
        )
        return np.concatenate(drawn)

    copies = strings(EmpiricalBayesDenoiser(corpus.training.strings, diffusion))
    measured = measure_strings(Reference.build(corpus), copies)["curves"]
    novel = strings(GrammarDenoiser(grammar, diffusion))
    law = np.full(len(novel), 1 / len(novel))
    return Bias.of(grammar, novel, law, 1 - measured["excess_copies"][0])


def table(title: str, last: str, biases: Callable[[int, int], Iterable[Bias]]) -> str:
    """Means in percent over the grammars, with their standard errors.

    Args:
        title: what the grammars are.
        last: the name of the last column.
        biases: of every grammar, by T and the number of reverse steps.
    """
    names = ("ungrammatical", "commonest root rule", "rarest root rule", last)
    lines = [
        f"\n{title}\n",
        f"| T | reverse steps | {' | '.join(names)} |",
        "|---|---|" + 4 * "---|",
    ]
    for T, numbers in STEPS.items():
        for steps in numbers:
            found = 100 * np.array([astuple(bias) for bias in biases(T, steps)])
            errors = found.std(0, ddof=1) / np.sqrt(len(found))
            cells = [f"{m:+.2f} ± {e:.2f}" for m, e in zip(found.mean(0), errors, strict=True)]
            lines.append(f"| {T} | {steps} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _title(shape: GrammarShape) -> str:
    return f"L = {shape.depth}, v = {shape.vocab_size}, m = {shape.num_synonyms}"


def main() -> None:
    torch.set_num_threads(1)
    for shape in SMALL:
        grammars = [Grammar.random(shape, zipf={0: 1.0}, seed=seed) for seed in SEEDS]

        def listed(T: int, steps: int, grammars: list[Grammar] = grammars) -> Iterable[Bias]:
            diffusion = Uniform.build(T, grammars[0].shape.vocab_size, dtype=torch.float64)
            return (exact(grammar, diffusion, steps) for grammar in grammars)

        print(table(f"{_title(shape)}, all strings listed", "total variation", listed), flush=True)

    def drawn(T: int, steps: int) -> Iterable[Bias]:
        diffusion = Uniform.build(T, LARGE.vocab_size)
        for seed in SEEDS:
            grammar = Grammar.random(LARGE, zipf=LARGE_ZIPF, seed=seed)
            yield sampled(grammar, seed, diffusion, steps)

    title = f"{_title(LARGE)}, {STREAMS * PER_STREAM} strings of each grammar"
    print(table(title, "1 - E of the memorizer", drawn))


if __name__ == "__main__":
    main()
