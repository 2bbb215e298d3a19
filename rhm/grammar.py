"""The Random Hierarchy Model [R]: rule tables, their probabilities, and what follows from them.

For each level l = 0 … L-1 a table writes every level-l symbol as m different s-tuples of
level-(l+1) symbols. No tuple occurs twice in a table, so every grammatical string has exactly one
derivation and everything below is exact. Levels count from the root: 0 root, L leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rhm import likelihood, posterior
from rhm.derivation import Derivations, derive
from rhm.parsing import RuleIndex, parse
from rhm.randomness import generator
from rhm.sampler import Sampler
from rhm.shape import GrammarShape
from rhm.tables import distributions, frozen_table, random_table, shape_of, zipf_distribution


@dataclass(frozen=True, eq=False)
class Grammar:
    """Rule tables with rule probabilities; build one with `random`, `from_rules` or `from_json`.

    rules[l]               (symbols, m, s) level-(l+1) symbols; symbols = n at the root, v below
    rule_probabilities[l]  (m,) shared by all symbols of the level, or (symbols, m)
    class_probabilities    (n,) probabilities of the root symbols

    Rule ranks count from 0: rank 0 is the most common rule of a Zipf level. Rules of probability
    0 are allowed: their strings parse, with log-likelihood -inf.
    """

    shape: GrammarShape
    rules: tuple[NDArray[np.int64], ...]
    rule_probabilities: tuple[NDArray[np.float64], ...]
    class_probabilities: NDArray[np.float64]

    @classmethod
    def random(
        cls, shape: GrammarShape, zipf: Mapping[int, float] | None = None, seed: int = 0
    ) -> Grammar:
        """Draws every table uniformly among those of the shape.

        zipf maps a level to its exponent a >= 0, p_l(k) ∝ k^-a for k = 1 … m; missing levels are
        uniform. The tables depend on shape and seed alone. Raises ValueError for a level outside
        0 … L-1 or a negative or infinite exponent.
        """
        exponents = {} if zipf is None else dict(zipf)
        for level, exponent in exponents.items():
            if level not in range(shape.depth):
                raise ValueError(
                    f"zipf level {level} is not a table of this grammar: "
                    f"use levels 0 (root) to {shape.depth - 1}"
                )
            if not 0 <= exponent < np.inf:
                raise ValueError(
                    f"zipf exponent {exponent} at level {level} must be finite and at least 0"
                )
        rng = generator(seed, "rule tables")
        return cls.from_rules(
            [random_table(shape, level, rng) for level in range(shape.depth)],
            [
                zipf_distribution(shape.num_synonyms, exponents.get(level, 0))
                for level in range(shape.depth)
            ],
            vocab_size=shape.vocab_size,
        )

    @classmethod
    def from_rules(
        cls,
        rules: Sequence[ArrayLike],
        rule_probabilities: Sequence[ArrayLike] | None = None,
        vocab_size: int | None = None,
        class_probabilities: ArrayLike | None = None,
    ) -> Grammar:
        """Takes given tables: rules[l] (symbols, m, s), probabilities[l] (m,) or (symbols, m).

        Probabilities are uniform where left out. vocab_size is read off the second table, or off
        the largest symbol of a single one. Raises ValueError for tables of different m or s, a
        tuple that occurs twice, symbols out of range, and probabilities that do not sum to 1.
        """
        tables = tuple(frozen_table(level, rule) for level, rule in enumerate(rules))
        shape = shape_of(tables, vocab_size)
        n, m = shape.num_classes, shape.num_synonyms
        if rule_probabilities is None:
            rule_probabilities = [np.full(m, 1 / m)] * shape.depth
        if len(rule_probabilities) != shape.depth:
            raise ValueError(
                f"rule_probabilities has {len(rule_probabilities)} levels, rules has {shape.depth}"
            )
        if class_probabilities is None:
            class_probabilities = np.full(n, 1 / n)
        return cls(
            shape=shape,
            rules=tables,
            rule_probabilities=tuple(
                distributions(
                    f"rule_probabilities[{level}]", p, [(m,), (shape.symbols_at(level), m)]
                )
                for level, p in enumerate(rule_probabilities)
            ),
            class_probabilities=distributions("class_probabilities", class_probabilities, [(n,)]),
        )

    def with_rule_probabilities(
        self,
        rule_probabilities: Sequence[ArrayLike],
        class_probabilities: ArrayLike | None = None,
    ) -> Grammar:
        """The same tables under other probabilities; root symbols keep theirs unless given."""
        return Grammar.from_rules(
            self.rules,
            rule_probabilities,
            vocab_size=self.shape.vocab_size,
            class_probabilities=(
                self.class_probabilities if class_probabilities is None else class_probabilities
            ),
        )

    def below(self, level: int) -> Grammar:
        """The grammar of level-l substrings, whose root symbols are this grammar's level-l symbols.

        Its class probabilities are the level's node marginals averaged over positions, so its
        likelihood of a substring is the exact probability of meeting it at a random node.
        Raises ValueError unless 0 <= level < L.
        """
        if level not in range(self.shape.depth):
            raise ValueError(f"level {level} has no table: use 0 to {self.shape.depth - 1}")
        return replace(
            self,
            shape=GrammarShape(
                depth=self.shape.depth - level,
                vocab_size=self.shape.vocab_size,
                num_synonyms=self.shape.num_synonyms,
                tuple_size=self.shape.tuple_size,
                num_classes=self.shape.symbols_at(level),
            ),
            rules=self.rules[level:],
            rule_probabilities=self.rule_probabilities[level:],
            class_probabilities=self.node_marginals()[level].mean(axis=0),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers; `from_json` gives an equal grammar back, bit for bit."""
        return {
            "vocab_size": self.shape.vocab_size,
            "rules": [table.tolist() for table in self.rules],
            "rule_probabilities": [p.tolist() for p in self.rule_probabilities],
            "class_probabilities": self.class_probabilities.tolist(),
        }

    @classmethod
    def from_json(cls, document: str | Mapping[str, Any]) -> Grammar:
        """Reads what `to_json` wrote, as the mapping itself or as JSON text."""
        fields = json.loads(document) if isinstance(document, str) else document
        names = ("rules", "rule_probabilities", "vocab_size", "class_probabilities")
        if set(fields) != set(names):
            raise ValueError(f"a grammar has the fields {sorted(names)}, got {sorted(fields)}")
        return cls.from_rules(**fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grammar) and self._content == other._content

    def __hash__(self) -> int:
        return hash(self._content)

    @cached_property
    def _content(self) -> tuple[object, ...]:
        probabilities = (*self.rule_probabilities, self.class_probabilities)
        return (
            self.shape,
            *(table.tobytes() for table in self.rules),
            *((p.shape, p.tobytes()) for p in probabilities),
        )

    @cached_property
    def rule_matrices(self) -> tuple[NDArray[np.float64], ...]:
        """Rule probabilities per level as (symbols, m), whether shared by the symbols or not."""
        return tuple(
            np.broadcast_to(p, table.shape[:2])
            for p, table in zip(self.rule_probabilities, self.rules, strict=True)
        )

    @cached_property
    def rule_indices(self) -> tuple[RuleIndex, ...]:
        """Per level, the table read backwards: from tuples to rules."""
        return tuple(RuleIndex.of(table, self.shape.vocab_size) for table in self.rules)

    @cached_property
    def sampler(self) -> Sampler:
        """Draws i.i.d. strings with their likelihoods, whole subtrees at a time."""
        return Sampler.of(self)

    @cached_property
    def support_size(self) -> int:
        """Exact number of strings with positive probability, a Python int of any size."""
        return likelihood.support_size(self)

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.unsignedinteger[Any]]:
        """n i.i.d. strings (n, s^L), in the smallest unsigned type that holds the vocabulary."""
        return self.sample_derivations(n, rng).strings

    def sample_derivations(self, n: int, rng: np.random.Generator) -> Derivations:
        """n i.i.d. derivations. Row i depends on the generator's state and i, not on n."""
        return derive(self, rng.random((n, 1 + self.shape.num_rule_nodes)))

    def parse(self, strings: NDArray[Any]) -> Derivations:
        """The derivation above each string (B, s^L), -1 at nodes that do not parse."""
        return parse(self, strings)

    def log_likelihood(self, strings: NDArray[Any]) -> NDArray[np.float64]:
        """Typicality log p(x) of strings (B, s^L) in nats, (B,); -inf where ungrammatical."""
        return likelihood.log_likelihood(self, strings)

    def log_likelihood_by_level(self, strings: NDArray[Any]) -> NDArray[np.float64]:
        """Parts (B, L) of log p(x) = log p(root symbol) + Σ_l part_l; -inf where a node fails."""
        return likelihood.log_likelihood_by_level(self, strings)

    def enumerate(
        self, limit: int = likelihood.ENUMERATION_LIMIT
    ) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.float64]]:
        """All grammatical strings (S, s^L) and their log p (S,); ValueError above the limit."""
        return likelihood.enumerate_strings(self, limit)

    def node_marginals(self) -> list[NDArray[np.float64]]:
        """P_{l,j}(symbol), per level l = 0 … L an array (s^l, symbols) over positions j."""
        return likelihood.node_marginals(self)

    def substring_probability(self, substrings: NDArray[Any], level: int) -> NDArray[np.float64]:
        """Probability of each level-l substring (B, s^(L-l)) at every position: (B, s^l)."""
        return likelihood.substring_probability(self, substrings, level)

    def substring_mass(self, substrings: NDArray[Any], level: int) -> NDArray[np.float64]:
        """Probability (B,) of each level-l substring at a node of the level drawn at random."""
        return np.exp(self.below(level).log_likelihood(substrings))

    def posterior(self, evidence: Any) -> Any:
        """E[x_0 | evidence] per leaf, exactly; see `rhm.posterior.posterior`."""
        return posterior.posterior(self, evidence)

    def cavity(self, evidence: Any) -> Any:
        """The posterior with each leaf's own evidence taken out; see `rhm.posterior.cavity`."""
        return posterior.cavity(self, evidence)

    def posterior_sample(self, evidence: Any, rng: Any) -> Any:
        """One exact posterior string per row; see `rhm.posterior.posterior_sample`."""
        return posterior.posterior_sample(self, evidence, rng)
