"""Corpora that come with the package, each with its source and licence beside it.

`build` made their files; docs/corpora.md says what they hold.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources

import numpy as np

from study.config import StringsConfig
from study.corpus.pool import Pool
from study.corpus.pooling import pooled
from study.corpus.reading import Lines

SIDE = 8
"""Pixels of a digit along one side."""


@dataclass(frozen=True)
class Shipped:
    """A corpus of the package.

    Attributes:
        read: its strings.
        tuple_size: s, where the settings do not say.
        image: whether they are square images in Morton order.
    """

    read: Callable[[], Lines]
    tuple_size: int = 2
    image: bool = False


@lru_cache(maxsize=16)
def pool(name: str, settings: StringsConfig) -> Pool:
    """The pool of a shipped corpus, cut and scored as the settings say.

    Raises:
        Unreadable: when they cannot be used on it.
    """
    corpus = CORPORA[name]
    lines = corpus.read()
    if settings.score != "auto":
        lines = replace(lines, typicality=None)
    return pooled(lines, settings, tuple_size=corpus.tuple_size, image=corpus.image)


def _read(file: str) -> bytes:
    return gzip.decompress(resources.files(__name__).joinpath(file).read_bytes())


def _words() -> Lines:
    return Lines(text=_read("words.txt.gz").decode("ascii").splitlines())


def _letters() -> Lines:
    """Words with the logarithm of their frequency as typicality."""
    rows = [line.split(",") for line in _read("letters.csv.gz").decode("ascii").splitlines()[1:]]
    decades = np.array([float(row[1]) for row in rows])
    return Lines(text=[row[0] for row in rows], typicality=decades * np.log(10))


def _digits(levels: int) -> Lines:
    pixels = np.frombuffer(_read("digits.gz"), dtype=np.uint8).reshape(-1, SIDE, SIDE)
    grey = pixels.astype(int) * levels // (BRIGHTEST + 1)
    strings = grey.reshape(len(grey), -1)[:, morton(SIDE)]
    return Lines(symbols=[[str(symbol) for symbol in string] for string in strings.tolist()])


BRIGHTEST = 16
"""Of a pixel of a digit; the darkest is 0."""


def morton(side: int) -> np.ndarray:
    """Places (side²,) of the pixels of an image, row by row, in the order of a quadtree.

    The bits of row and column take turns, so that every four neighbours in this order are the
    quarters of a square, and their squares again; side is a power of two.
    """
    place = np.arange(side * side)
    row = np.zeros_like(place)
    column = np.zeros_like(place)
    for bit in range(side.bit_length() - 1):
        column |= (place >> 2 * bit & 1) << bit
        row |= (place >> 2 * bit + 1 & 1) << bit
    return row * side + column


CORPORA: dict[str, Shipped] = {
    "words": Shipped(_words),
    "letters": Shipped(_letters),
    "digits": Shipped(lambda: _digits(4), tuple_size=4, image=True),
    "digits-binary": Shipped(lambda: _digits(2), tuple_size=4, image=True),
}

NAMES = tuple(CORPORA)
