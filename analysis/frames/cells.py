"""Cells: trainings that differ only in their seed, and how their settings are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

SIDE = "sweep.side"
"""The field that tells sweeps apart which are shown side by side; no setting of a training."""

SCALED = "scaled.size"
"""The axis of N/N*_0; no setting either."""

SETTINGS = {
    "grammar.depth": ("L", "depth"),
    "grammar.vocab_size": ("v", "vocabulary"),
    "grammar.num_synonyms": ("m", "synonyms"),
    "grammar.tuple_size": ("s", "tuple size"),
    "grammar.num_classes": ("n", "root symbols"),
    "corpus.size": ("N", "training strings"),
    "corpus.control_size": ("N_C", "control strings"),
    "network.width": ("W", "network width"),
    "diffusion.num_timesteps": ("T", "diffusion steps"),
    "pool.leaves": ("d", "symbols of a string"),
    "pool.vocab_size": ("v", "symbols of the alphabet"),
    "pool.strings": ("P", "distinct strings that were read"),
    "strings.order": ("n", "order of the n-gram"),
    "strings.smoothing": ("α", "smoothing of the n-gram"),
    "strings.reference": ("R/P", "share put aside for the score"),
    SIDE: ("sweep", "sweep"),
    SCALED: ("N/N*₀", "training strings"),
}
"""Field -> (symbol, words)."""

FOLLOWS = {
    "grammar.num_classes": "grammar.vocab_size",
    "corpus.control_size": "corpus.size",
    "grammar.seed": "seed",
    "corpus.seed": "seed",
}
"""Field -> the field whose value it takes by default; it says something only where it differs."""

UNSET = {"measurement.reverse_steps": "all"}
"""Field -> what it means that it is not set, where that tells trainings apart from the others."""

FOUND = "pool."
"""What was found of strings that were read; their source tells them apart."""

EXTENT = "training.steps"
"""How long a training goes on does not tell cells apart."""


def symbol(field: str) -> str:
    """The short name of a field, e.g. `N` for `corpus.size`, `a0` for `grammar.zipf.0`."""
    if field.startswith("grammar.zipf."):
        return f"a{field.rpartition('.')[2]}"
    return SETTINGS[field][0] if field in SETTINGS else field.rpartition(".")[2].replace("_", " ")


def title(field: str) -> str:
    """The name of a field for an axis, e.g. `training strings N`."""
    if field.startswith("grammar.zipf."):
        return f"Zipf exponent at level {field.rpartition('.')[2]}"
    if field in SETTINGS:
        letter, words = SETTINGS[field]
        return words if words == letter else f"{words} {letter}"
    return field.rpartition(".")[2].replace("_", " ")


def value_label(value: Any) -> str:
    """A setting's value in a label: `0.5`, `4096`, `yes`, `none`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value is pd.NA or value != value:
        return "none"
    if isinstance(value, float):
        return f"{value:g}" if value != int(value) or abs(value) >= 1e15 else str(int(value))
    return str(value)


def label(fields: Iterable[str], values: Iterable[Any]) -> str:
    """Settings in one line, e.g. `L=3 · N=128 · W=64`."""
    return " · ".join(f"{symbol(f)}={_value(f, v)}" for f, v in zip(fields, values, strict=True))


def row_labels(frame: pd.DataFrame, fields: Sequence[str]) -> list[str]:
    """The label of every row; the many rows of a large sweep have few of them."""
    said: dict[tuple[Any, ...], str] = {}
    rows = frame[list(fields)].itertuples(index=False, name=None)
    return [said.get(row) or said.setdefault(row, label(fields, row)) for row in rows]


def _value(field: str, value: Any) -> str:
    said = value_label(value)
    return UNSET[field] if field in UNSET and said == "none" else said


def fields_of(trainings: pd.DataFrame) -> list[str]:
    """The dotted fields of the configuration."""
    return [name for name in trainings.columns if "." in name]


def varying(trainings: pd.DataFrame) -> list[str]:
    """The settings with more than one value; those that merely follow another are left out."""
    return [
        name
        for name in fields_of(trainings)
        if name != EXTENT
        and not name.startswith(FOUND)
        and len(_told(trainings[name]).unique()) > 1
        and not _follows(trainings, name)
    ]


def distinguishing(trainings: pd.DataFrame) -> list[str]:
    """The varying settings without the Zipf exponents that the other ones already fix.

    A sweep over depths with its exponent at the deepest table varies exponents of several levels,
    yet the depth alone tells its cells apart.
    """
    fields = varying(trainings)
    exponents = [name for name in fields if name.startswith("grammar.zipf.")]
    kept = [name for name in fields if name not in exponents]
    for name in exponents:
        if not determined(trainings, name, kept):
            kept.append(name)
    return kept


def determined(trainings: pd.DataFrame, field: str, by: list[str]) -> bool:
    """Whether a field has one value wherever some others agree."""
    if not by:
        return len(trainings[field].unique()) == 1
    together = trainings[[*by, field]].drop_duplicates()
    return not bool(together.duplicated(by).any())


def constant(trainings: pd.DataFrame) -> dict[str, Any]:
    """The settings that all trainings share, with their value (missing ones too)."""
    return {
        name: trainings[name].iloc[0]
        for name in fields_of(trainings)
        if len(trainings[name].unique()) == 1 and not _is_of_no_grammar(trainings[name])
    }


def _is_of_no_grammar(values: pd.Series) -> bool:
    """Whether it is a setting of grammars where strings have none."""
    return str(values.name).startswith("grammar.") and bool(values.isna().all())


def labelled(trainings: pd.DataFrame) -> pd.DataFrame:
    """The trainings with their `cell`, sorted by the settings that vary, then by seed."""
    if trainings.empty:
        return trainings.assign(training=[], cell=[], seed=[])
    fields = distinguishing(trainings)
    named = fields or [
        name
        for name in ("grammar.depth", "corpus.size", "network.width")
        if trainings[name].notna().all()
    ]
    ordered = trainings.assign(cell=row_labels(trainings, named)).sort_values(
        [*fields, "seed", "training"]
    )
    front = ["training", "cell", "seed", "state", "step", "last_step", "error"]
    return ordered[[*front, *fields_of(ordered)]].reset_index(drop=True)


def with_cells(rows: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table with the `cell` of their training, both as categories in lexical order.

    A large sweep has millions of rows, and names weigh more than the numbers beside them.
    """
    training = rows["training"].astype("category")
    cells = trainings.set_index("training")["cell"].reindex(training.cat.categories)
    cell = pd.Categorical(cells).take(training.cat.codes.to_numpy())
    return rows.assign(training=training, cell=cell)


def _told(values: pd.Series) -> pd.Series:
    """The values of a field without the missing ones, unless those say something."""
    return values if values.name in UNSET else values.dropna()


def _follows(trainings: pd.DataFrame, name: str) -> bool:
    leader = FOLLOWS.get(name)
    if leader is None:
        return False
    own = trainings[name]
    return bool(((own == trainings[leader]) | own.isna()).all())
