"""What is measured of a training: what its strings show, and (with torch) what it knows.

Everything that a corpus alone decides is computed once and exactly, in a `Reference`;
`measure_strings` then turns a sample of generated strings into rows of the tables. What the network
knows is in `noise` (by noise level, against both `optima`) and `likelihood` (string by string).
Importing this package loads no torch.
"""

from study.measures.reference import Reference
from study.measures.tables import measure_strings, stratum_columns, string_columns

__all__ = ["Reference", "measure_strings", "stratum_columns", "string_columns"]
