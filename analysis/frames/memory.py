"""What was freed handed back to the system, before something large is read or drawn."""

from __future__ import annotations

import ctypes

import pyarrow as pa


def hand_back() -> None:
    """Let go of freed memory that the allocators keep; what the C library is not asked, it keeps.

    Tables leave hundreds of megabytes behind, in pieces that glibc never gives back by itself; they
    add up from one question to the next.
    """
    pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # another C library
