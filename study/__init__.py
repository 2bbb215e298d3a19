"""One pack of diffusion trainings and its measurements.

Importing this package is light: torch is loaded only by what trains or generates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from study.config import ConfigError, TrialConfig

if TYPE_CHECKING:
    from study.training.loading import LoadedTraining, load_training

__all__ = ["ConfigError", "LoadedTraining", "TrialConfig", "load_training"]


def __getattr__(name: str) -> Any:
    if name in ("LoadedTraining", "load_training"):
        from study.training import loading

        return getattr(loading, name)
    raise AttributeError(f"module 'study' has no attribute '{name}'")
