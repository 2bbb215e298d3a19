"""Exact inference of a string from noisy leaves: belief propagation on the derivation tree.

The tree has no loops, so one sweep of messages up and one down give exact marginals, as in
[Favero 2025a]; here every product of messages is **weighted by the rule probabilities**. Messages
are arrays (symbols, nodes, B), the symbol first, so that looking up the symbols of all rules copies
rows.

The same code runs on numpy and torch, in what their arrays have in common. All arithmetic is in
float64, and every message is scaled to sum to 1, so that deep trees do not underflow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm.tables import RuleTables

Array = Any
"""A numpy array or a torch tensor; every function returns the kind it is given."""

BLOCK_ELEMENTS = {"cpu": 2**18, "elsewhere": 2**26}
"""Elements of the largest array of one sweep: what a core's cache holds; on a GPU, 512 MiB."""


def posterior(grammar: RuleTables, evidence: Array) -> Array:
    """Marginals p(x_i = b | evidence at all leaves), the exact E[x_0 | x_t] of a noised string.

    evidence (B, s^L, v): the likelihood of what was observed at leaf i under each value, up to a
    factor per leaf; returns the same shape, kind, floating type and device, summing to 1 over
    values. Raises ValueError for another shape, negative evidence or evidence no string explains.
    """

    def marginals(tables: _Tables, leaves: Array) -> tuple[Array, Array]:
        return _normalised(tables.downward(tables.upward(leaves)) * leaves)

    return _in_blocks(marginals, grammar, evidence)


def cavity(grammar: RuleTables, evidence: Array) -> Array:
    """Marginals p(x_i = b | evidence at all leaves but i): the downward messages at the leaves.

    This, not the posterior, is what a network trained on the reverse step of [D3PM] (eq. 4)
    outputs at its optimum. Times the leaf's own evidence, normalised, it is the posterior. Shapes
    and errors as in `posterior`.
    """

    def marginals(tables: _Tables, leaves: Array) -> tuple[Array, Array]:
        return _normalised(tables.downward(tables.upward(leaves)))

    return _in_blocks(marginals, grammar, evidence)


def posterior_sample(grammar: RuleTables, evidence: Array, rng: Any) -> Array:
    """One exact sample of the posterior per row: strings (B, s^L), int64.

    rng is a numpy.random.Generator for numpy evidence, a torch.Generator on the evidence's device
    for torch evidence. Errors as in `posterior`.
    """

    def strings(tables: _Tables, leaves: Array) -> tuple[Array, Array]:
        messages = tables.upward(leaves)
        return tables.sample(messages, rng), (tables.root * messages[0]).sum(0)

    return _in_blocks(strings, grammar, evidence)


@dataclass(frozen=True, kw_only=True)
class _Level:
    """One table, its R = symbols·m rules in a row.

    rules    (R, s) child symbols          weights  (symbols, m, 1, 1) rule probabilities
    onto[c]  (v, R) indicator of the rules whose child c is a given symbol
    """

    rules: Array
    weights: Array
    onto: tuple[Array, ...]

    def children(self, below: Array) -> list[Array]:
        """For each child c, its message at the symbol every rule puts there: (R, nodes, B)."""
        s = len(self.onto)
        return [below[:, c::s][self.rules[:, c]] for c in range(s)]

    def inside(self, below: Array) -> Array:
        """p_l(k|a) Π_c U_{l+1, s·j+c}(child c of rule k): (symbols, m, nodes, B)."""
        first, *others = self.children(below)
        product: Array = prod(others, start=first)
        return self.weights * product.reshape(*self.weights.shape[:2], *product.shape[1:])


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """A grammar's tables as arrays of one kind: xp is numpy or torch."""

    levels: tuple[_Level, ...]
    root: Array  # (n, 1, 1) class probabilities
    xp: Any

    def upward(self, leaves: Array) -> list[Array]:
        """Up messages of all levels, root first: U_{l,j}(a) = Σ_k p_l(k|a) Π_c U(child c)."""
        messages = [leaves]
        for level in reversed(self.levels):
            messages.insert(0, _scaled(level.inside(messages[0]).sum(1)))
        return messages

    def downward(self, messages: list[Array]) -> Array:
        """Down messages at the leaves (v, d, B), given the up messages.

        D_{l+1, s·j+c}(b) = Σ D_{l,j}(a) p_l(k|a) Π_{c'≠c} U(child c'), over the rules (a, k)
        whose child c is b.
        """
        down = self.root
        for level, below in zip(self.levels, messages[1:], strict=True):
            children = level.children(below)
            num_rules = len(level.rules)
            above = (down[:, None] * level.weights).reshape(num_rules, *down.shape[1:])
            arriving = []
            for c, onto in enumerate(level.onto):
                rules: Array = prod(children[:c] + children[c + 1 :], start=above)
                _, nodes, rows = rules.shape
                messages_to_c = onto @ rules.reshape(num_rules, nodes * rows)
                arriving.append(messages_to_c.reshape(len(onto), nodes, rows))
            down = _scaled(self.xp.stack(arriving, 2).reshape(below.shape))
        return down

    def sample(self, messages: list[Array], rng: Any) -> Array:
        """Strings (d, B) drawn from the root down, each choice given all evidence below it."""
        symbols = self._draw(self.root * messages[0], rng)
        for level, below in zip(self.levels, messages[1:], strict=True):
            num_rules, s = level.rules.shape
            m = level.weights.shape[1]
            nodes, rows = symbols.shape
            weights = level.inside(below).reshape(num_rules, nodes, rows)
            first = symbols * m  # of the rules of each node's symbol
            rank = self._draw(self._at(weights, first + self._ranks(m, like=first)), rng)
            children = level.rules[first + rank]  # (nodes, B, s)
            symbols = children.swapaxes(1, 2).reshape(nodes * s, rows)
        return symbols

    def _draw(self, weights: Array, rng: Any) -> Array:
        """One index (nodes, B) per column of weights (k, nodes, B), in proportion to them."""
        edges = weights.cumsum(0)
        return (self._uniforms(edges[-1], rng) * edges[-1] >= edges[:-1]).sum(0)

    def _uniforms(self, like: Array, rng: Any) -> Array:
        if self.xp is np:
            return rng.random(like.shape)
        return self.xp.rand(like.shape, generator=rng, dtype=like.dtype, device=like.device)

    def _ranks(self, m: int, like: Array) -> Array:
        """0 … m-1, shaped (m, 1, 1)."""
        ranks = self.xp.arange(m) if self.xp is np else self.xp.arange(m, device=like.device)
        return ranks[:, None, None]

    def _at(self, weights: Array, index: Array) -> Array:
        """weights (R, nodes, B) at index (m, nodes, B) along the first axis."""
        return np.take_along_axis(weights, index, 0) if self.xp is np else weights.gather(0, index)


def _scaled(messages: Array) -> Array:
    """Messages that sum to 1 over symbols; one that is 0 everywhere stays so."""
    return _normalised(messages)[0]


def _normalised(messages: Array) -> tuple[Array, Array]:
    """Messages (symbols, nodes, B) scaled to sum to 1, and the sums (nodes, B) they had."""
    total = messages.sum(0)
    return messages / (total + (total == 0)), total


def _in_blocks(
    work: Callable[[_Tables, Array], tuple[Array, Array]], grammar: RuleTables, evidence: Array
) -> Array:
    """Puts evidence (B, d, v) through `work`, as messages (v, d, rows), some rows at a time.

    work returns an array (..., rows), handed back rows first, and totals (nodes, rows) that are
    0 in a row whose evidence no string explains.
    """
    _check(grammar, evidence)
    device = None if isinstance(evidence, np.ndarray) else evidence.device
    tables = _tables(grammar, device)
    largest = max(len(level.rules) * grammar.shape.num_leaves for level in tables.levels)
    place = "cpu" if device is None or device.type == "cpu" else "elsewhere"
    rows = max(1, BLOCK_ELEMENTS[place] // largest)
    results = []
    for start in range(0, max(1, len(evidence)), rows):
        block = _reversed_axes(_in_float64(evidence[start : start + rows]))
        result, total = work(tables, _scaled(block))
        possible = (total > 0).all(0)
        if not bool(possible.all()):
            row = start + possible.tolist().index(False)
            raise ValueError(f"row {row} of the evidence has probability 0 under the grammar")
        results.append(_like(_reversed_axes(result), evidence))
    return tables.xp.concatenate(results)


def _check(grammar: RuleTables, evidence: Array) -> None:
    leaves, vocab_size = grammar.shape.num_leaves, grammar.shape.vocab_size
    if evidence.ndim != 3 or tuple(evidence.shape[1:]) != (leaves, vocab_size):
        raise ValueError(
            f"evidence has shape {tuple(evidence.shape)}, expected (B, {leaves}, {vocab_size})"
        )
    if not bool((evidence >= 0).all()):
        raise ValueError("evidence must be likelihoods: non-negative and not NaN")


def _reversed_axes(array: Array) -> Array:
    """(B, d, v) <-> (v, d, B), laid out anew."""
    if isinstance(array, np.ndarray):
        return np.ascontiguousarray(array.T)
    return array.permute(*reversed(range(array.ndim))).contiguous()


def _in_float64(array: Array) -> Array:
    return array.astype(np.float64) if isinstance(array, np.ndarray) else array.double()


def _like(result: Array, evidence: Array) -> Array:
    """The result in the evidence's type where both are floating, else as it is."""
    if isinstance(evidence, np.ndarray):
        both_float = result.dtype.kind == evidence.dtype.kind == "f"
        return result.astype(evidence.dtype) if both_float else result
    both_float = result.is_floating_point() and evidence.is_floating_point()
    return result.to(evidence.dtype) if both_float else result


@lru_cache(maxsize=64)
def _tables(grammar: RuleTables, device: Any) -> _Tables:
    """The tables as numpy arrays (device None) or as tensors on a device."""
    xp: Any = np
    if device is not None:
        import torch

        xp = torch

    def array(values: NDArray[Any]) -> Array:
        return values if xp is np else xp.tensor(values, device=device)

    levels = []
    for table, probabilities in zip(grammar.rules, grammar.rule_matrices, strict=True):
        rules = table.reshape(-1, grammar.shape.tuple_size)
        onto = rules.T[:, None, :] == np.arange(grammar.shape.vocab_size)[:, None]
        levels.append(
            _Level(
                rules=array(rules),
                weights=array(probabilities[:, :, None, None]),
                onto=tuple(array(indicator.astype(np.float64)) for indicator in onto),
            )
        )
    return _Tables(
        levels=tuple(levels), root=array(grammar.class_probabilities[:, None, None]), xp=xp
    )
