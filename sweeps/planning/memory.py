"""How much memory a pack may take, so that as many as run at a time fit side by side."""

from __future__ import annotations

import os
from pathlib import Path

from sweeps.files.schema import Resources

GIB = 2**30
PROCESS = 600 * 2**20
"""Bytes of a process that has imported torch, before it trains anything; measured."""
GPU = 80 * GIB
"""Bytes of a GPU where the file does not say: the larger A100 and the H100 have so many."""
RESERVED = 0.1
"""Of a machine's memory, for everything but packs."""
CONTAINER = Path("/sys/fs/cgroup/memory.max")


def per_pack(resources: Resources) -> float:
    """Bytes that a pack may take on the device that it trains on."""
    if resources.memory_gib_per_pack is not None:
        return resources.memory_gib_per_pack * GIB
    if resources.gpus_per_pack:
        return GPU * resources.gpus_per_pack
    return max(installed() * (1 - RESERVED) / slots_here(resources) - PROCESS, 0.0)


def slots_here(resources: Resources) -> int:
    """Packs that run at a time on this machine's processors."""
    slots = max(1, (os.cpu_count() or 1) // resources.cpus_per_pack)
    return min(slots, resources.max_concurrent or slots)


def installed() -> float:
    """Bytes of this machine's memory, or of the container that we are in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(whole, int(CONTAINER.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit, which says `max`
        return whole
