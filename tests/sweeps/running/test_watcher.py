"""Failures in a line."""

import pytest

from sweeps.running.watcher import reason

TRACEBACK = """\
Failure # 1 (occurred at 2026-01-01_00-00-00)
ray::ImplicitFunc.train() (pid=1, ip=127.0.0.1)
  File "trainable.py", line 30, in train_pack
    run_pack(
NotADirectoryError: [Errno 20] Not a directory
"""
KILLED = """\
Failure # 2 (occurred at 2026-01-01_00-00-07)
1 worker(s) were killed due to the node running low on memory.
OOM kill reason: Memory usage 2B exceeded threshold of 1B

Refer to the documentation on how to address the out of memory issue
"""


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (TRACEBACK, "NotADirectoryError: [Errno 20] Not a directory"),
        (KILLED, "1 worker(s) were killed due to the node running low on memory."),
        (TRACEBACK + KILLED, "1 worker(s) were killed due to the node running low on memory."),
        (KILLED + TRACEBACK, "NotADirectoryError: [Errno 20] Not a directory"),
        ("the worker died", "the worker died"),
        ("", "unknown"),
    ],
)
def test_the_last_failure_is_told(error: str, says: str):
    assert reason(error) == says
