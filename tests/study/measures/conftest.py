"""Small worlds: grammars whose every string is listed, corpora, samplers of known answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rhm import Grammar, GrammarShape, refit
from study.corpus import Corpus, GrammarSource
from study.measures import Reference
from study.measures.tables import Measured


@dataclass(frozen=True)
class World:
    corpus: Corpus
    reference: Reference
    strings: np.ndarray  # every string of the grammar
    p: np.ndarray  # its probability
    fit_p: np.ndarray  # its probability under the grammar refitted to the training strings

    @classmethod
    def of(cls, corpus: Corpus) -> World:
        grammar = corpus.grammar
        strings, log_p = grammar.enumerate()
        fit_p = np.exp(refit(grammar, corpus.training.strings).log_likelihood(strings))
        return cls(corpus, Reference.build(corpus), strings, np.exp(log_p), fit_p)

    @property
    def grammar(self) -> Grammar:
        return self.corpus.grammar

    def from_grammar(self, size: int, rng: np.random.Generator) -> np.ndarray:
        return self.grammar.sample(size, rng)

    def from_training(self, size: int, rng: np.random.Generator) -> np.ndarray:
        return self.corpus.training.strings[rng.integers(len(self.corpus.training), size=size)]

    def from_noise(self, size: int, rng: np.random.Generator) -> np.ndarray:
        shape = self.grammar.shape
        return rng.integers(shape.vocab_size, size=(size, shape.num_leaves)).astype(np.uint8)

    def from_mixture(self, size: int, rng: np.random.Generator, weight: float = 0.5) -> np.ndarray:
        memorized = rng.random((size, 1)) < weight
        return np.where(memorized, self.from_training(size, rng), self.from_grammar(size, rng))

    def biased_mixture(self, size: int, rng: np.random.Generator, *, typical: bool) -> np.ndarray:
        """Half from the grammar, half copies of the more (or less) typical half of D."""
        training = self.corpus.training
        order = np.argsort(training.log_p if not typical else -training.log_p, kind="stable")
        half = training.strings[order[: len(order) // 2]]
        copies = half[rng.integers(len(half), size=size)]
        return np.where(rng.random((size, 1)) < 0.5, copies, self.from_grammar(size, rng))

    def measured(self, strings: np.ndarray) -> Measured:
        return Measured.of(self.reference, strings)


def pieces(strings: np.ndarray, shape: GrammarShape, level: int) -> list[list[bytes]]:
    """For every string, the substrings under its level-l nodes, as bytes."""
    length = shape.tuple_size ** (shape.depth - level)
    return [[bytes(x[i : i + length].tolist()) for i in range(0, len(x), length)] for x in strings]


def make_world(size: int, *, unique: bool = True, seed: int = 4, **options: Any) -> World:
    zipf = options.pop("zipf", {})
    grammar = Grammar.random(GrammarShape(**options), zipf=zipf, seed=seed)
    return World.of(GrammarSource(grammar).draw(size, unique=unique, seed=seed))


WORLDS = {
    "zipf": lambda: make_world(100, depth=3, vocab_size=6, num_synonyms=3, zipf={0: 1.0, 2: 1.0}),
    "uniform": lambda: make_world(60, depth=3, vocab_size=6, num_synonyms=3),
    "ternary": lambda: make_world(
        30, depth=2, vocab_size=3, num_synonyms=3, tuple_size=3, num_classes=5, zipf={1: 0.7}
    ),
    "repeats": lambda: make_world(
        120, depth=2, vocab_size=7, num_synonyms=4, zipf={0: 1.0}, unique=False
    ),
    "flat": lambda: make_world(8, depth=1, vocab_size=6, num_synonyms=4, zipf={0: 1.0}),
}
_built: dict[str, World] = {}


def world_named(name: str) -> World:
    if name not in _built:
        _built[name] = WORLDS[name]()
    return _built[name]


@pytest.fixture(params=list(WORLDS))
def world(request: pytest.FixtureRequest) -> World:
    """Each of the small worlds in turn."""
    return world_named(request.param)


@pytest.fixture
def zipf() -> World:
    """13,122 strings of depth 3 under Zipf, 100 of them to train on."""
    return world_named("zipf")


@pytest.fixture
def uniform() -> World:
    """All strings equally typical."""
    return world_named("uniform")


@pytest.fixture
def repeats() -> World:
    """Independent draws from 320 strings: repetitions, and many strings on both sides."""
    return world_named("repeats")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(name="pieces")
def pieces_fixture() -> Any:
    """`pieces`, cutting strings the slow and obvious way."""
    return pieces


@pytest.fixture
def spread() -> Any:
    """Mean of (estimate, standard error) pairs, with the true spread of the estimates."""

    def over_samples(estimates: list[tuple[float, float]]) -> tuple[float, float, float]:
        values, errors = np.array(estimates).T
        return values.mean(), float(np.sqrt((errors**2).mean())), values.std(ddof=1)

    return over_samples
