"""The grammar that a training's strings come from, drawn again from its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.frames.cells import SIDE
from rhm.grammar import Grammar
from rhm.tables import RuleTables
from study.config import ConfigError, TrialConfig

__all__ = ["RuleTables", "config_of", "grammar_of"]

SOURCE = "grammar"
"""The value of `corpus.source` that means a grammar."""


def config_of(row: Mapping[str, Any]) -> TrialConfig:
    """The configuration of a row of `trainings`.

    Args:
        row: its dotted fields; others are passed over.

    Raises:
        ConfigError: when it is none that this version knows.
    """
    document: dict[str, Any] = {}
    for field, value in row.items():
        sections = field.split(".")
        foreign = field == SIDE or (len(sections) == 1 and field != "seed")
        if foreign or value is None or value != value:
            continue
        place = document
        for section in sections[:-1]:
            place = place.setdefault(section, {})
        place[sections[-1]] = _plain(value)
    return TrialConfig.from_dict(document)


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value == int(value) else value


def grammar_of(row: Mapping[str, Any]) -> RuleTables | None:
    """The grammar of a training; None where its strings come from no grammar.

    Args:
        row: a row of `trainings`.
    """
    source = row.get("corpus.source")
    if isinstance(source, str) and source != SOURCE:
        return None
    try:
        config = config_of(row)
        if config.grammar is None:
            return None
        return Grammar.random(
            config.grammar.shape, zipf=config.grammar.zipf, seed=config.grammar_seed
        )
    except (ConfigError, ValueError):
        return None
