"""Generated strings as columns of the tables; `training` and `step` are left to the caller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rhm import Derivations, string_keys
from study.measures.copying import Copies
from study.measures.corpus_tables import stratum_columns
from study.measures.declared import NO_LAW, Column, Tables
from study.measures.gram_ranks import GROUPS
from study.measures.nearest import ratio_copies
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
    """All that the tables say about one sample of generated strings.

    Derivations, validity and the usage of rules are None where there is no grammar.
    """

    reference: Reference
    strings: NDArray[Any]
    derivations: Derivations | None
    places: NDArray[np.int64]
    copies: Copies
    validity: list[Validity] | None
    partial: list[PartialMemorization]
    usage: list[RuleUsage] | None

    @classmethod
    def of(cls, reference: Reference, strings: NDArray[Any]) -> Measured:
        """Measure generated strings (G, d)."""
        law, expected = reference.corpus.law, reference.rule_frequencies
        derivations = None if law is None else law.parse(strings)
        _refuse_other_strings(reference, strings)
        places = [level.places(strings) for level in reference.substrings]
        return cls(
            reference=reference,
            strings=strings,
            derivations=derivations,
            places=places[0][:, 0],
            copies=Copies.of(reference, places[0][:, 0]),
            validity=None if law is None or not derivations else validity(derivations, law.shape),
            partial=[
                partial_memorization(level, at)
                for level, at in zip(reference.substrings, places, strict=True)
            ],
            usage=rule_usage(derivations, expected) if derivations and expected else None,
        )


def _refuse_other_strings(reference: Reference, strings: NDArray[Any]) -> None:
    """A grammar's parse says the same of strings that it cannot read."""
    shape = reference.shape
    if strings.ndim != 2 or strings.shape[1] != shape.num_leaves:
        raise ValueError(f"strings of {shape.num_leaves} symbols are needed, got {strings.shape}")
    if strings.size and (strings.min() < 0 or strings.max() >= shape.vocab_size):
        raise ValueError(f"symbols must be 0 to {shape.vocab_size - 1}")


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
    sides = reference.corpus.training, reference.corpus.control
    masses = [side.mass if side.known else None for side in sides]
    slope = typicality_slope(copies)
    row = {
        "copy_fraction": copies.copy_fraction,
        "control_copy_fraction": copies.control_copy_fraction,
        "mass_training": masses[0],
        "mass_control": masses[1],
        "excess_copies": copies.excess_copies,
        "excess_copies_se": copies.excess_copies_se,
        "excess_fit": reference.excess_fit,
        "root_validity": measured.validity and measured.validity[0].validity,
        "novel_validity": _novel_validity(measured),
        "distinct_share": _distinct_share(measured),
        **ratio_copies(reference.nearest, measured.strings),
        "typicality_slope": slope.slope,
        "typicality_slope_se": slope.error,
        "relative_slope": slope.relative,
    }
    return {name: [value] for name, value in row.items()}


def _novel_validity(measured: Measured) -> float | None:
    """V; None where there is no grammar."""
    law, mass = measured.reference.corpus.law, measured.reference.mass_strings
    if law is None or mass is None or measured.validity is None:
        return None
    copied = measured.partial[0].copied
    return novel_validity(measured.validity[0].validity, copied, mass, law.shape)


def _distinct_share(measured: Measured) -> float:
    """Share of the generated strings left when each is counted once."""
    keys = string_keys(measured.strings, measured.reference.shape.vocab_size)
    return len(np.unique(keys)) / len(keys)


def _levels(measured: Measured) -> Columns:
    depth = measured.reference.shape.depth
    usage: list[RuleUsage | None] = [*(measured.usage or [None] * depth), None]
    valid: list[Validity | None] = [*(measured.validity or [None] * (depth + 1))]
    slopes = [*level_slopes(measured.copies), (None, None)]
    return {
        "level": list(range(depth + 1)),
        "validity": [x and x.validity for x in valid],
        "validity_se": [x and x.validity_se for x in valid],
        "conditional_validity": [x and x.conditional for x in valid],
        "chance_validity": [x and x.chance for x in valid],
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
    usage, expected = measured.usage, measured.reference.rule_frequencies
    if usage is None or expected is None:
        return _groups_of_pairs(measured)
    shape = measured.reference.grammar.shape
    m = shape.num_synonyms
    return {
        "level": [level for level in range(shape.depth) for _ in range(m)],
        "rank": list(range(1, m + 1)) * shape.depth,
        "generated": _joined([x.share for x in usage], m),
        "generated_se": _joined([x.share_se for x in usage], m),
        "training_frequency": _joined(measured.reference.corpus.rule_frequencies, m),
        "true_frequency": _joined(expected, m),
        "count": _joined([x.count for x in usage], m),
    }


def _groups_of_pairs(measured: Measured) -> Columns:
    """Without a grammar: groups of pairs of neighbours by rank, at the level above the leaves."""
    ranks = measured.reference.gram_ranks
    if ranks is None:
        raise ValueError("these strings have neither rules nor pairs by rank")
    share, error = ranks.shares(measured.strings)
    in_training, _ = ranks.shares(measured.reference.corpus.training.strings)
    return {
        "level": [measured.reference.shape.depth - 1] * GROUPS,
        "rank": list(range(1, GROUPS + 1)),
        "generated": share.tolist(),
        "generated_se": error.tolist(),
        "training_frequency": in_training.tolist(),
        "true_frequency": ranks.expected.tolist(),
        "count": ranks.counts(measured.strings).sum(axis=0).tolist(),
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
    derived = measured.derivations
    unknown = [None] * len(strings)
    sides = measured.reference.strings.sides_at(measured.places[:SAMPLES])
    return {
        "sample": list(range(len(strings))),
        "tokens": strings.tolist(),
        "parse": _parses(derived, len(strings)) if derived else unknown,
        "valid": derived.grammatical[:SAMPLES].tolist() if derived else unknown,
        "copied": (sides & TRAINING > 0).tolist(),
    }


def _parses(derived: Derivations, count: int) -> list[list[list[int]]]:
    return [[level[i].tolist() for level in derived.symbols] for i in range(count)]


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
        null=NO_LAW,
        generated=True,
        kind="token lists",
    ),
    Column(
        name="valid",
        table="samples",
        meaning="whether it is grammatical",
        null=NO_LAW,
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
