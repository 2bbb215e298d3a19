from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource
import torch
from study.kernels.memory import keep_freed_memory
if {kept}: keep_freed_memory()
def step():
    held = [torch.ones(1 << 20) for _ in range(8)]
for _ in range(3): step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10): step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept: bool) -> int:
    """Pages faulted in while the same megabytes are freed and taken again."""
    command = [sys.executable, "-c", FAULTS.format(kept=kept)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_memory_is_found_again():
    assert faults(kept=True) < 100
    # Where the system happens to put the heap decides whether glibc hands anything back.
    assert any(faults(kept=False) >= 1000 for _ in range(20))
