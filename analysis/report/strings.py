"""What a page holds of generated strings and of the grammars that they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from analysis.charts.figure import rounded
from analysis.frames.alphabets import NUMBERS
from analysis.frames.grammars import RuleTables
from analysis.statistics.generated_strings import CellStrings

MOST_RULES = 400
"""Rules of one level beyond which a page does not list them."""


def document(found: Sequence[CellStrings]) -> dict[str, Any]:
    """Cell -> its strings and its grammar, as JSON values.

    A string is `[step, sample, kind, tokens, parse, marks]`. Of the grammar `rules[l][symbol]` are
    m tuples in the order of their ranks and `probabilities[l]` theirs, shared by all symbols.
    `alphabet` and `separator` say how strings are written out; without one as numbers. Where there
    are `greys` they are images of so many grey levels.
    """
    return {
        one.cell: {
            "training": one.training,
            "seed": one.seed,
            "size": one.tuple_size,
            "strings": [
                [s.step, s.sample, s.kind, s.tokens, s.parse, [list(mark) for mark in s.marks]]
                for s in one.strings
            ],
            "alphabet": None if one.alphabet is None else list(one.alphabet.symbols),
            "separator": NUMBERS if one.alphabet is None else one.alphabet.separator,
            "greys": one.greys,
            "grammar": None if one.grammar is None else _grammar(one.grammar),
        }
        for one in found
    }


def _grammar(tables: RuleTables) -> dict[str, Any]:
    return {
        "rules": [
            table.tolist() if table.shape[0] * table.shape[1] <= MOST_RULES else None
            for table in tables.rules
        ],
        "probabilities": [
            rounded(p if p.ndim == 1 else p[0], 3).tolist() for p in tables.rule_probabilities
        ],
    }
