"""What is measured of a training: what its strings show, and (with torch) what it knows.

Everything that a corpus alone decides is computed once and exactly, in a `Reference`;
`measure_strings` then turns a sample of generated strings into rows of the tables, and
`measure_losses` the losses of single strings. What the network knows is in `noise` (by noise level,
against both `optima`) and `likelihood` (string by string). Every column of the tables is declared
beside what computes it; `registry` collects the declarations, and takes more from outside.
Importing this package loads no torch.
"""

from study.measures.corpus_tables import stratum_columns, string_columns
from study.measures.declared import Column, Curve
from study.measures.reference import Reference
from study.measures.registry import (
    Measurement,
    measure_losses,
    measure_strings,
    register,
    registered,
    unregister,
)
from study.measures.string_losses import StringLosses

__all__ = [
    "Column",
    "Curve",
    "Measurement",
    "Reference",
    "StringLosses",
    "measure_losses",
    "measure_strings",
    "register",
    "registered",
    "stratum_columns",
    "string_columns",
    "unregister",
]
