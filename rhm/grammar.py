"""The Random Hierarchy Model [Cagnetta 2024]: the roof over rule tables and all that follows.

No tuple occurs twice in a table, so every grammatical string has exactly one derivation and
everything below is exact. Levels count from the root: 0 root, L leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.drawing.sampler import Sampler, sampler_of
from rhm.exact import likelihood, marginals, posterior
from rhm.exact.derivation import Derivations, derive
from rhm.exact.parsing import parse
from rhm.randomness import generator
from rhm.shape import GrammarShape
from rhm.tables import RuleTables, random_table, zipf_distribution


class Grammar(RuleTables):
    """A grammar; build one with `random`, `from_rules` or `from_json`.

    Its tables are those of `RuleTables`; its methods are the functions of `rhm.exact` and
    `rhm.drawing`, which take the tables alone.
    """

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

    def below(self, level: int) -> Grammar:
        """The grammar of level-l substrings; see `rhm.exact.marginals.below`."""
        return marginals.below(self, level)

    @cached_property
    def sampler(self) -> Sampler:
        """Draws i.i.d. strings with their likelihoods, whole subtrees at a time."""
        return sampler_of(self)

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
        return marginals.node_marginals(self)

    def substring_probability(self, substrings: NDArray[Any], level: int) -> NDArray[np.float64]:
        """Probability of each level-l substring (B, s^(L-l)) at every position: (B, s^l)."""
        return likelihood.substring_probability(self, substrings, level)

    def substring_mass(self, substrings: NDArray[Any], level: int) -> NDArray[np.float64]:
        """Probability (B,) of each level-l substring at a node of the level drawn at random."""
        return likelihood.substring_mass(self, substrings, level)

    def posterior(self, evidence: Any) -> Any:
        """E[x_0 | evidence] per leaf, exactly; see `rhm.exact.posterior.posterior`."""
        return posterior.posterior(self, evidence)

    def cavity(self, evidence: Any) -> Any:
        """The posterior less each leaf's own evidence; see `rhm.exact.posterior.cavity`."""
        return posterior.cavity(self, evidence)

    def posterior_sample(self, evidence: Any, rng: Any) -> Any:
        """One exact posterior string per row; see `rhm.exact.posterior.posterior_sample`."""
        return posterior.posterior_sample(self, evidence, rng)
