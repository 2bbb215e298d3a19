"""`python -m study.measures [FILE]`: print the tables of NOTATION.md, or put them in place."""

import sys
from pathlib import Path

from study.measures.notation import in_place, notation

if len(sys.argv) > 1:
    document = Path(sys.argv[1])
    document.write_text(in_place(document.read_text(encoding="utf-8")), encoding="utf-8")
else:
    print(notation(), end="")
