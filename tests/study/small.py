"""Small trainings that every test of this floor shares."""

from __future__ import annotations

from typing import Any

from study.config import TrialConfig


def small(**changes: Any) -> TrialConfig:
    """A training of well under a second; dotted names change its settings."""
    document: dict[str, Any] = {
        "grammar": {"depth": 2, "vocab_size": 6, "num_synonyms": 4, "zipf": {"1": 1.0}},
        "corpus": {"size": 40},
        "network": {"width": 8},
        "training": {"steps": 32, "batch_size": 8},
        "diffusion": {"num_timesteps": 24},
        "measurement": {
            "first_step": 8,
            "likelihood_per_octave": 1,
            "budget": None,
            "generated": 64,
            "loss_strings": 16,
            "noise_strings": 16,
        },
    }
    for name, value in changes.items():
        *sections, field = name.split("__")
        inner = document
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[field] = value
    return TrialConfig.from_dict(document)
