"""Every measured quantity, the package's own and those added from outside.

A measurement is added without editing the package: declare its columns, write a function from what
it reads to rows of the tables, and register both.

    first = Column(name="first_token", table="curves", meaning="mean first token of a string",
                   range="0 … v-1", generated=True, curve=Curve(panel="first token", name="mean"))

    def first_token(reference, strings):            # generated strings (G, d)
        return {"curves": {"first_token": [float(strings[:, 0].mean())]}}

    register(Measurement(columns=(first,), measure=first_token))

Its columns are then in the tables of whatever this process trains or measures again, in the frames
of `analysis.load`, in the curves and the data dictionary of its reports. Three things follow from
what a registration is:

- It is no setting of a training. It changes no hash, moves no training (measurements read, and have
  random streams of their own), and training on is not training anew: steps measured without it have
  nulls. To measure finished trainings, see `study.training.remeasure`.
- It is no part of the schema's version, which counts the columns of the package alone. Readers take
  the columns that they know: where it is not registered its column is not read, and not written
  again when a training goes on; where it is, tables without the column show nulls.
- It holds for one process. Workers of Ray are other processes: name the `Measurement` as an entry
  point of the group `memophase.measurements` of an installed package, and every process has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from study.config.installed import Installed
from study.measures import (
    copying,
    corpus_tables,
    nearest,
    overproduction,
    partial_memorization,
    string_losses,
    tables,
    timing,
    typicality,
    validity,
    windows,
)
from study.measures.declared import Column, Kind, Tables
from study.measures.reference import Reference
from study.measures.string_losses import StringLosses, loss_columns
from study.measures.tables import string_tables

GROUP = "memophase.measurements"

OfStrings = Callable[[Reference, NDArray[Any]], Tables]
"""From a corpus and generated strings (G, d)."""

OfLosses = Callable[[StringLosses], Tables]
"""From the losses of single strings, which need no generated ones."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Columns and what computes them.

    Attributes:
        columns: declarations, all with the same `generated`.
        measure: what fills just these columns, one value per row: one in `curves`, L+1 in `levels`
            (level 0 … L), one per stratum in `typicality`. Reads generated strings where the
            columns need them, else the losses of single strings; draws from no random stream but
            its own.
    """

    columns: tuple[Column, ...]
    measure: OfStrings | OfLosses

    @property
    def generated(self) -> bool:
        """Whether it reads generated strings."""
        return self.columns[0].generated


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: what a row is, what tells rows apart, and which files declare its other columns."""

    row: str
    keys: tuple[Column, ...]
    declared_in: tuple[ModuleType, ...]


_KEYS: dict[str, tuple[str, str, str, Kind]] = {
    "training": ("", "hash of the training", "", "text"),
    "step": ("", "training step that was measured", "≥ 1", "integer"),
    "level": ("l", "level, counted from the root", "0 … L", "integer"),
    "rank": (
        "k",
        "rank of a rule of a symbol, or of a tenth of all pairs of neighbours; 1 the most probable",
        "1 … m",
        "integer",
    ),
    "stratum": ("b", "group of strings of equal typicality, 0 the most typical", "≥ 0", "integer"),
    "window": ("", "tenth of t = 1 … T, 0 the least noisy", "0 … 9", "integer"),
    "string": ("", "place of a string in the corpus, training strings first", "≥ 0", "integer"),
    "side": ("", "`training` or `control`", "", "text"),
    "sample": ("", "place of a string among the generated ones", "0 … 19", "integer"),
}


def _keys(table: str, *names: str) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=name, table=table, key=True, kind=kind, symbol=symbol, range=span, meaning=meaning
        )
        for name, (symbol, meaning, span, kind) in _KEYS.items()
        if name in ("training", *names)
    )


TABLES: dict[str, Table] = {
    "curves": Table(
        row="measured step",
        keys=_keys("curves", "step"),
        declared_in=(windows, string_losses, copying, validity, typicality, nearest),
    ),
    "levels": Table(
        row="measured step and level",
        keys=_keys("levels", "step", "level"),
        declared_in=(validity, partial_memorization, overproduction, typicality, string_losses),
    ),
    "rules": Table(
        row="step with generated strings, level and rank",
        keys=_keys("rules", "step", "level", "rank"),
        declared_in=(overproduction,),
    ),
    "typicality": Table(
        row="measured step and stratum",
        keys=_keys("typicality", "step", "stratum"),
        declared_in=(corpus_tables, copying, typicality, string_losses),
    ),
    "noise": Table(
        row="measured step and window of noise",
        keys=_keys("noise", "step", "window"),
        declared_in=(windows,),
    ),
    "strings": Table(
        row="string of the corpus, once",
        keys=_keys("strings", "string", "side"),
        declared_in=(corpus_tables,),
    ),
    "likelihood": Table(
        row="measured step and string whose loss is followed",
        keys=_keys("likelihood", "step", "string"),
        declared_in=(string_losses,),
    ),
    "emissions": Table(
        row="step with generated strings and string of the corpus that was generated",
        keys=_keys("emissions", "step", "string"),
        declared_in=(copying,),
    ),
    "samples": Table(
        row="step with generated strings and one of its first 20",
        keys=_keys("samples", "step", "sample"),
        declared_in=(tables,),
    ),
    "timing": Table(
        row="measured step",
        keys=_keys("timing", "step"),
        declared_in=(timing,),
    ),
}

EXTENDABLE = ("curves", "levels", "typicality")
"""Tables whose rows a measurement knows beforehand, and can add columns to."""

DRAWN = ("curves", "levels")
"""Tables that the report draws over training."""

_registered: list[Measurement] = []


def columns(table: str) -> tuple[Column, ...]:
    """The columns of a table in the order of its schema: keys, the package's own, registered ones.

    Within each, numbers come before other kinds.
    """
    return (*_own(table), *registered_columns(table))


@cache
def _own(table: str) -> tuple[Column, ...]:
    known = TABLES[table]
    own = [c for module in known.declared_in for c in module.COLUMNS if c.table == table]
    return (*known.keys, *sorted(own, key=lambda column: column.kind != "number"))


def declared() -> tuple[Column, ...]:
    """Every column of every table."""
    return tuple(column for table in TABLES for column in columns(table))


def registered_columns(table: str) -> tuple[Column, ...]:
    """The columns of a table that were registered from outside."""
    return tuple(
        c for measurement in _all_registered() for c in measurement.columns if c.table == table
    )


def needs_generated(table: str) -> frozenset[str]:
    """The columns of a table that are null where no strings are generated."""
    return frozenset(column.name for column in columns(table) if column.generated)


def register(measurement: Measurement) -> None:
    """Measure something more in this process.

    Raises:
        ValueError: when a column cannot be added to its table, or there is one of its name or
            symbol.
    """
    if len({column.generated for column in measurement.columns}) != 1:
        raise ValueError("columns of one measurement must all need generated strings, or none")
    known = list(declared())
    for column in measurement.columns:
        if fault := _fault(column, known):
            raise ValueError(f"{column.place}: {fault}")
        known.append(column)
    _registered.append(measurement)


def _all_registered() -> Sequence[Measurement]:
    """Those of this process, after those of installed packages."""
    _installed()
    return _registered


_installed = Installed(GROUP, Measurement, register)


def _fault(column: Column, known: Sequence[Column]) -> str | None:
    """Why a column cannot be added to those known."""
    if column.table not in EXTENDABLE or column.key or column.kind != "number":
        return f"numbers may be added to {', '.join(EXTENDABLE)}, nothing else"
    if not column.name.isidentifier():
        return f"'{column.name}' is no name for a column"
    if column.place in {other.place for other in known}:
        return "there is such a column"
    if column.symbol and column.symbol in {other.symbol for other in known}:
        return f"the symbol {column.symbol} means something else"
    if column.curve is None:
        return None
    panel = column.curve.panel
    if not re.fullmatch(r"[\w -]+", panel):
        return f"'{panel}' is no name for a panel"
    beside = [c for c in known if c.table in DRAWN and c.curve and c.curve.panel == panel]
    if column.table not in DRAWN:
        return f"curves are drawn of {' and '.join(DRAWN)} alone"
    if beside and "levels" in (column.table, beside[0].table):
        return f"the curves of levels fill the panel '{panel}'"
    if column.curve.name in {c.curve.name for c in beside if c.curve}:
        return f"the panel '{panel}' has a curve '{column.curve.name}'"
    return None


def unregister(measurement: Measurement) -> None:
    """Measure it no longer; tables that have its columns stay readable."""
    _registered.remove(measurement)


@contextmanager
def registered(measurement: Measurement) -> Iterator[None]:
    """A measurement for the length of a `with` block."""
    register(measurement)
    try:
        yield
    finally:
        unregister(measurement)


def measure_strings(reference: Reference, generated: NDArray[Any]) -> Tables:
    """Measure generated strings (G, d): table name -> column -> values, one per row.

    Of the table `curves` only the columns that strings decide. O(G + N) beside the sorting of N.
    Raises ValueError for no strings, another length or symbols outside the vocabulary.
    """
    if len(generated) == 0:
        raise ValueError("no generated strings to measure: generate at least one")
    return _with_registered(string_tables(reference, generated), True, reference, generated)


def measure_losses(losses: StringLosses) -> Tables:
    """Measure losses of single strings: table name -> column -> values, one per row."""
    return _with_registered(loss_columns(losses), False, losses)


def _with_registered(found: Tables, generated: bool, *read: Any) -> Tables:
    for measurement in _all_registered():
        if measurement.generated != generated:
            continue
        added = measurement.measure(*read)
        promised = {column.place for column in measurement.columns}
        if odd := promised ^ {f"{table}.{name}" for table in added for name in added[table]}:
            raise ValueError(f"a measurement must fill the columns it declares: {sorted(odd)}")
        for table, more in added.items():
            found[table] = found.get(table, {}) | more
    return found
