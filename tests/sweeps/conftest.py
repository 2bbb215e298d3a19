"""Fixtures of several rooms of sweeps."""

import pytest

from sweeps.running import run as running
from tests.sweeps.running.stand_in import StandIn


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    """A Ray that trains in this process as its `train`, to be set, says."""
    stand_in = type("Fresh", (StandIn,), {})
    monkeypatch.setattr(running, "RayProcess", stand_in)
    return stand_in
