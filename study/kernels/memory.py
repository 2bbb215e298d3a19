"""The C library told to keep freed memory, for the next step asks for the same again."""

from __future__ import annotations

import ctypes
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""
LARGEST_MMAP_THRESHOLD = 32 << 20
"""More is refused."""


@cache
def keep_freed_memory() -> None:
    """Stop glibc from handing large blocks back to the system, in this process.

    A step frees and takes the same megabytes again and again, and pages that come back fresh have
    to be faulted in and zeroed: up to thousands per step. The peak is the same. Does nothing where
    the C library is another.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
