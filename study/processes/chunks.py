"""How generated strings are divided: the first ones in small chunks, so that few cost little."""

from __future__ import annotations

SMALL, LARGE = 512, 1024
"""Strings of the first two chunks, and of all further ones."""


def sizes(count: int) -> list[int]:
    """Sizes of the chunks that hold `count` strings; a last chunk is generated whole."""
    if count <= LARGE:
        return [SMALL] * -(-count // SMALL)
    return [SMALL, SMALL] + [LARGE] * -(-(count - LARGE) // LARGE)
