"""What one training is: its settings, their identity, and when it is measured."""

from study.config.settings import ConfigError
from study.config.trial import (
    KEEP,
    MAX_LEAVES,
    PRECISIONS,
    SEMANTICS,
    CorpusConfig,
    DiffusionConfig,
    GrammarConfig,
    MeasurementConfig,
    NetworkConfig,
    PoolConfig,
    StringsConfig,
    TrainingConfig,
    TrialConfig,
)

__all__ = [
    "KEEP",
    "MAX_LEAVES",
    "PRECISIONS",
    "SEMANTICS",
    "ConfigError",
    "CorpusConfig",
    "DiffusionConfig",
    "GrammarConfig",
    "MeasurementConfig",
    "NetworkConfig",
    "PoolConfig",
    "StringsConfig",
    "TrainingConfig",
    "TrialConfig",
]
