"""What one training is: its settings, their identity, and when it is measured."""

from study.config.own_strings import PoolConfig, StringsConfig
from study.config.sections import (
    KEEP,
    MAX_LEAVES,
    PRECISIONS,
    CorpusConfig,
    DiffusionConfig,
    GrammarConfig,
    MeasurementConfig,
    NetworkConfig,
    TrainingConfig,
)
from study.config.settings import ConfigError
from study.config.trial import SEMANTICS, TrialConfig

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
