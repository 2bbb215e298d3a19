"""Storage that fails for some seconds is asked again; what lasts is told at once."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 60.0
"""Seconds for which a training waits for its storage."""
FIRST, LONGEST = 0.1, 5.0
"""Seconds between two tries: the first pause is doubled up to the longest."""

PASSING = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EIO,
    errno.ENETDOWN,
    errno.ENETRESET,
    errno.ENETUNREACH,
    errno.EPIPE,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
"""What networks and the servers behind them recover from. A full disk, a missing permission and a
folder in the place of a file stay what they are."""
WORDS = (
    "NETWORK_CONNECTION",
    "SLOW_DOWN",
    "THROTTLING",
    "SERVICE_UNAVAILABLE",
    "INTERNAL_FAILURE",
    "REQUEST_TIMEOUT",
    "curlCode",
    "HTTP status 5",
    "UNAVAILABLE",
)
"""How object stores, whose errors have no number, say the same."""

T = TypeVar("T")

log = logging.getLogger(__name__)


def patiently(act: Callable[[], T], patience: float) -> T:
    """What an act on the storage returns, tried again for some seconds while it fails in passing.

    Args:
        act: may be done twice.
        patience: seconds from the first failure on; 0: it is not tried again.

    Raises:
        OSError: what the last try raised.
    """
    end, pause = time.monotonic() + patience, FIRST
    while True:
        try:
            return act()
        except OSError as error:
            left = end - time.monotonic()
            if left <= 0 or not passes(error):
                raise
            log.warning("the storage failed (%s) and is tried again", error.strerror or error)
        time.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST)


def passes(error: OSError) -> bool:
    """Whether the storage may recover from an error by itself."""
    if error.errno is None:
        return any(word in str(error) for word in WORDS)
    return error.errno in PASSING
