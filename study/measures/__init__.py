"""What is measured of a training: what its strings show, and (in `losses`) what it knows.

Everything that a corpus alone decides is computed once and exactly, in a `Reference`;
`measure_strings` then turns a sample of generated strings into rows of the tables. Importing this
package loads no torch.
"""

from study.measures.reference import Reference
from study.measures.tables import measure_strings, string_columns

__all__ = ["Reference", "measure_strings", "string_columns"]
