"""Generated strings as columns of the tables; `training` and `step` are left to the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm import Derivations, string_keys
from study.measures.copying import Copies
from study.measures.corpus_tables import stratum_columns
from study.measures.declared import Column, Tables
from study.measures.overproduction import RuleUsage, rule_usage
from study.measures.partial_memorization import PartialMemorization, partial_memorization
from study.measures.reference import Reference
from study.measures.substrings import TRAINING
from study.measures.typicality import emission_excess, level_slopes, typicality_slope
from study.measures.validity import Validity, novel_validity, validity

Columns = dict[str, list[Any]]

SAMPLES = 20
"""Generated strings that are kept as they are."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that the tables say about one sample of generated strings."""

    reference: Reference
    strings: NDArray[Any]
    derivations: Derivations
    places: NDArray[np.int64]
    copies: Copies
    validity: list[Validity]
    partial: list[PartialMemorization]
    usage: list[RuleUsage]

    @classmethod
    def of(cls, reference: Reference, strings: NDArray[Any]) -> Measured:
        """Measure generated strings (G, d)."""
        grammar = reference.grammar
        derivations = grammar.parse(strings)
        places = [level.places(strings) for level in reference.substrings]
        return cls(
            reference=reference,
            strings=strings,
            derivations=derivations,
            places=places[0][:, 0],
            copies=Copies.of(reference, places[0][:, 0]),
            validity=validity(derivations, grammar.shape),
            partial=[
                partial_memorization(level, level.sides_at(at))
                for level, at in zip(reference.substrings, places, strict=True)
            ],
            usage=rule_usage(derivations, reference.rule_frequencies),
        )


def string_tables(reference: Reference, generated: NDArray[Any]) -> Tables:
    """Measure generated strings (G, d), G >= 1; O(G + N) beside the sorting of N.

    Raises ValueError for strings of another length or symbols outside the vocabulary.
    """
    measured = Measured.of(reference, generated)
    return {
        "curves": _curves(measured),
        "levels": _levels(measured),
        "rules": _rules(measured),
        "typicality": _typicality(measured),
        "emissions": _emissions(measured),
        "samples": _samples(measured),
    }


def _curves(measured: Measured) -> Columns:
    reference, copies = measured.reference, measured.copies
    root_validity, copied = measured.validity[0].validity, measured.partial[0].copied
    slope = typicality_slope(copies)
    row = {
        "copy_fraction": copies.copy_fraction,
        "control_copy_fraction": copies.control_copy_fraction,
        "mass_training": reference.corpus.training.mass,
        "mass_control": reference.corpus.control.mass,
        "excess_copies": copies.excess_copies,
        "excess_copies_se": copies.excess_copies_se,
        "excess_fit": reference.excess_fit,
        "root_validity": root_validity,
        "novel_validity": novel_validity(
            root_validity, copied, reference.mass_strings, reference.grammar.shape
        ),
        "distinct_share": _distinct_share(measured),
        "typicality_slope": slope.slope,
        "typicality_slope_se": slope.error,
        "relative_slope": slope.relative,
    }
    return {name: [value] for name, value in row.items()}


def _distinct_share(measured: Measured) -> float:
    """Share of the generated strings left when each is counted once."""
    keys = string_keys(measured.strings, measured.reference.grammar.shape.vocab_size)
    return len(np.unique(keys)) / len(keys)


def _levels(measured: Measured) -> Columns:
    depth = measured.reference.grammar.shape.depth
    usage: list[RuleUsage | None] = [*measured.usage, None]
    slopes = [*level_slopes(measured.copies), (None, None)]
    return {
        "level": list(range(depth + 1)),
        "validity": [x.validity for x in measured.validity],
        "validity_se": [x.validity_se for x in measured.validity],
        "conditional_validity": [x.conditional for x in measured.validity],
        "chance_validity": [x.chance for x in measured.validity],
        "copied": [x.copied for x in measured.partial],
        "copied_control": [x.copied_control for x in measured.partial],
        "exclusive_share": [x.exclusive_share for x in measured.reference.substrings],
        "partial_memorization": [x.excess for x in measured.partial],
        "partial_memorization_se": [x.excess_se for x in measured.partial],
        "partial_memorization_fit": [x.fit for x in measured.partial],
        "rule_kl": [x and x.kl for x in usage],
        "typicality_shift": [x and x.typicality_shift for x in usage],
        "typicality_shift_se": [x and x.typicality_shift_se for x in usage],
        "typicality_slope": [slope for slope, _ in slopes],
        "typicality_slope_se": [error for _, error in slopes],
    }


def _rules(measured: Measured) -> Columns:
    shape = measured.reference.grammar.shape
    m = shape.num_synonyms
    return {
        "level": [level for level in range(shape.depth) for _ in range(m)],
        "rank": list(range(1, m + 1)) * shape.depth,
        "generated": _joined([x.share for x in measured.usage], m),
        "generated_se": _joined([x.share_se for x in measured.usage], m),
        "training_frequency": _joined(measured.reference.corpus.rule_frequencies, m),
        "true_frequency": _joined(measured.reference.rule_frequencies, m),
        "count": _joined([x.count for x in measured.usage], m),
    }


def _joined(levels: Any, m: int) -> list[Any]:
    """Arrays (m,) of all levels in a row; None stands for m undefined values."""
    return [x for level in levels for x in ([None] * m if level is None else level.tolist())]


def _typicality(measured: Measured) -> Columns:
    copies = measured.copies
    columns = {
        "copies_training": copies.training,
        "copies_control": copies.control,
        "emitted_training": copies.emitted_training,
        "emitted_control": copies.emitted_control,
        "emission_excess": emission_excess(copies),
    }
    emission = {name: values.tolist() for name, values in columns.items()}
    return {**stratum_columns(measured.reference), **emission}


def _emissions(measured: Measured) -> Columns:
    """A string that the corpus holds several times is counted at its first occurrence."""
    emitted = measured.copies.emitted
    at = np.flatnonzero(emitted)
    rows = measured.reference.strings.first[at]
    order = np.argsort(rows)
    return {"string": rows[order].tolist(), "count": emitted[at[order]].tolist()}


def _samples(measured: Measured) -> Columns:
    strings = measured.strings[:SAMPLES]
    symbols = measured.derivations.symbols
    sides = measured.reference.strings.sides_at(measured.places[:SAMPLES])
    return {
        "sample": list(range(len(strings))),
        "tokens": strings.tolist(),
        "parse": [[level[i].tolist() for level in symbols] for i in range(len(strings))],
        "valid": measured.derivations.grammatical[:SAMPLES].tolist(),
        "copied": (sides & TRAINING > 0).tolist(),
    }


COLUMNS = (
    Column(
        name="tokens",
        table="samples",
        meaning="its d leaves",
        range="0 … v-1",
        generated=True,
        kind="tokens",
    ),
    Column(
        name="parse",
        table="samples",
        meaning="per level 0 … L the symbols, -1 where a node does not parse",
        range="-1 … v-1",
        generated=True,
        kind="token lists",
    ),
    Column(
        name="valid",
        table="samples",
        meaning="whether it is grammatical",
        generated=True,
        kind="flag",
    ),
    Column(
        name="copied",
        table="samples",
        meaning="whether it is a training string",
        generated=True,
        kind="flag",
    ),
)
