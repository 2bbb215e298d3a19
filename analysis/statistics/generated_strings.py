"""Generated strings with what of them is copied: of one training per cell, at a few steps.

A substring is copied where it is exclusive to the training strings: at some aligned position one of
them has it, and no control has it at any. That is what λ_l counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.frames.alphabets import NUMBERS, Alphabet
from analysis.frames.grammars import RuleTables, grammar_of
from analysis.frames.tables import Tables

T = TypeVar("T")

CELLS, STEPS, STRINGS = 60, 4, 12
"""At most so many cells, measured steps of each, and strings of each step."""

COPIED, NOVEL, INVALID = "copied", "novel", "invalid"
"""A training string; another grammatical one; an ungrammatical one."""

Mark = tuple[int, int]
"""Level and place of a node whose substring is copied while its parent's is not."""

COLUMNS = ["cell", "training", "seed", "step", "sample", "kind", "string", "copied_nodes"]


@dataclass(frozen=True)
class Shown:
    """A generated string.

    Attributes:
        step: at which it was generated.
        sample: its place among the generated ones.
        tokens: (d,) leaves.
        parse: per level 0 … L the symbols, -1 where a node does not parse; None without a grammar.
        kind: `COPIED`, `NOVEL` or `INVALID`; None where it is not known which.
        marks: the copied nodes, the topmost of each.
    """

    step: int
    sample: int
    tokens: list[int]
    parse: list[list[int]] | None
    kind: str | None
    marks: list[Mark]


@dataclass(frozen=True)
class CellStrings:
    """What is shown of a cell.

    Attributes:
        cell, training, seed: which training speaks for it.
        tuple_size: s.
        strings: in the order of steps.
        grammar: that its strings come from; None where they come from none.
        alphabet: by which its strings are written out; None: as numbers.
        greys: grey levels where its strings are square images in Morton order, else None.
    """

    cell: str
    training: str
    seed: int
    tuple_size: int
    strings: list[Shown]
    grammar: RuleTables | None
    alphabet: Alphabet | None = None
    greys: int | None = None

    def text(self, tokens: Sequence[int]) -> str:
        """A string as it is read."""
        if self.alphabet is not None:
            return self.alphabet.text(tokens)
        return NUMBERS.join(map(str, tokens))


def generated_strings(
    tables: Tables, cells: Sequence[str], *, first: str, at_most: int = CELLS
) -> list[CellStrings]:
    """Strings of the first seed of some cells that came furthest: of all, or evenly spread ones.

    Args:
        tables: of the sweep.
        cells: in order.
        first: the cell that is always among them.
        at_most: so many cells.
    """
    chosen = [cell for cell in cells if cell in {first, *_spread(cells, at_most - 1)}]
    trainings = tables.trainings
    own = trainings[trainings["cell"].isin(chosen)]
    furthest = own.sort_values(["step", "seed"], ascending=[False, True], kind="stable")
    speaking = furthest.drop_duplicates("cell").set_index("cell").loc[chosen].reset_index()
    some = tables.only(set(speaking["training"]))
    samples = {str(name): rows for name, rows in some["samples"].groupby("training")}
    strings = {str(name): rows for name, rows in some["strings"].groupby("training")}
    found = []
    for record in speaking.to_dict("records"):
        row = {str(field): value for field, value in record.items()}
        name = str(row["training"])
        if name in samples and name in strings:
            size = _tuple_size(row)
            shown = _shown(samples[name], strings[name], size)
            found.append(
                CellStrings(
                    str(row["cell"]), name, int(row["seed"]), size, shown, grammar_of(row),
                    greys=_greys(row),
                )
            )  # fmt: skip
    return found


def _tuple_size(row: Mapping[str, Any]) -> int:
    """s, of the grammar or of the strings that were read."""
    values = (row.get("grammar.tuple_size"), row.get("pool.tuple_size"))
    return int(next(value for value in values if value is not None and value == value))


def _greys(row: Mapping[str, Any]) -> int | None:
    """The grey levels of its pixels, where the strings that were read are images."""
    return int(row["pool.vocab_size"]) if row.get("pool.image") is True else None


def strings_of(found: Sequence[CellStrings]) -> pd.DataFrame:
    """One row per shown string, as text: `COLUMNS`."""
    rows = [
        (
            one.cell, one.training, one.seed, s.step, s.sample, s.kind,
            one.text(s.tokens), " ".join(f"{level}:{node}" for level, node in s.marks),
        )
        for one in found
        for s in one.strings
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _spread(values: Sequence[T], at_most: int) -> list[T]:
    """So many of the values, evenly, the first and the last among them."""
    if len(values) <= at_most:
        return list(values)
    places = np.linspace(0, len(values) - 1, max(at_most, 1)).round().astype(int)
    return [values[i] for i in places]


def _shown(samples: pd.DataFrame, strings: pd.DataFrame, tuple_size: int) -> list[Shown]:
    steps = _spread(sorted(samples["step"].unique().tolist()), STEPS)
    rows = samples[samples["step"].isin(steps) & (samples["sample"] < STRINGS)]
    rows = rows.sort_values(["step", "sample"])
    if rows.empty:
        return []
    tokens = np.stack(rows["tokens"].tolist()).astype(np.int64)
    marks = copied_nodes(tokens, *_sides(strings), tuple_size)
    return [
        Shown(
            step=int(row["step"]),
            sample=int(row["sample"]),
            tokens=[int(x) for x in row["tokens"]],
            parse=_parse(row["parse"]),
            kind=_kind(row["valid"], row["copied"]),
            marks=own,
        )
        for row, own in zip(rows.to_dict("records"), marks, strict=True)
    ]


def _sides(strings: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N, d) training strings and (N_C, d) controls."""
    training, control = (
        np.stack(strings.loc[strings["side"] == side, "tokens"].tolist()).astype(np.int64)
        for side in ("training", "control")
    )
    return training, control


def _parse(levels: object) -> list[list[int]] | None:
    if not isinstance(levels, np.ndarray | list) or len(levels) == 0:
        return None
    return [[int(symbol) for symbol in level] for level in levels]


def _kind(valid: object, copied: object) -> str | None:
    if copied is None or copied is pd.NA or copied != copied:
        return None
    if copied:
        return COPIED
    if valid is None or valid is pd.NA or valid != valid:
        return None
    return NOVEL if valid else INVALID


def copied_nodes(
    generated: NDArray[np.int64],
    training: NDArray[np.int64],
    control: NDArray[np.int64],
    tuple_size: int,
) -> list[list[Mark]]:
    """Per generated string the topmost nodes of levels 0 … L-1 whose substring is copied.

    Args:
        generated: (G, d).
        training, control: (N, d), (N_C, d).
        tuple_size: s, d a power of it.
    """
    length, level = generated.shape[1], 0
    covered = np.zeros(generated.shape, dtype=bool)
    found: list[list[Mark]] = [[] for _ in generated]
    while length > 1:
        exclusive = _substrings(training, length) - _substrings(control, length)
        pieces = generated.reshape(len(generated), -1, length)
        for i, row in enumerate(pieces):
            for node, piece in enumerate(row):
                here = slice(node * length, (node + 1) * length)
                if piece.tobytes() in exclusive and not covered[i, here].any():
                    covered[i, here] = True
                    found[i].append((level, node))
        length, level = length // tuple_size, level + 1
    return found


def _substrings(strings: NDArray[np.int64], length: int) -> set[bytes]:
    return {piece.tobytes() for piece in np.unique(strings.reshape(-1, length), axis=0)}
