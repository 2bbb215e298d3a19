"""What generated strings tell about memorization: pure numpy, exact wherever it can be.

Everything that a corpus alone decides is computed once, in a `Reference`; `measure_strings` then
turns a sample of generated strings into rows of the tables.
"""

from study.measures.reference import Reference
from study.measures.tables import measure_strings, string_columns

__all__ = ["Reference", "measure_strings", "string_columns"]
