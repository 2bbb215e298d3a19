"""The settings of a training by their dotted names, and faults of single values."""

from __future__ import annotations

import copy
import dataclasses
import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_type_hints

from study.config import ConfigError, TrialConfig
from study.config.sections import GRAMMAR
from study.config.settings import Section, built, did_you_mean, is_required, section_of

Keys = tuple[str, ...]

REQUIRED = "is required"
SEEDED_BY_REPLICA = "replicas are seeded 0, 1, 2, …; say how many with `seeds:`"


def sections() -> dict[str, type[Section]]:
    """Name -> class of the sections of a training's configuration."""
    hints = get_type_hints(TrialConfig)
    found = {f.name for f in dataclasses.fields(TrialConfig) if f.metadata.get("found")}
    kinds = {name: section_of(hint) for name, hint in hints.items() if name not in found}
    return {name: kind for name, kind in kinds.items() if kind is not None}


def known() -> list[str]:
    """Dotted names of all settings that a sweep may set."""
    return [
        f"{section}.{field.name}"
        for section, kind in sections().items()
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
    ]


def name_fault(dotted: str) -> str | None:
    """What is wrong with the name of a setting; None when there is such a setting."""
    if dotted == "seed":
        return SEEDED_BY_REPLICA
    if dotted in sections():
        return f"is a group of settings; name one of them, as in {dotted}.{_first(dotted)}"
    if dotted in known() or zipf_level(dotted) is not None:
        return None
    return f"unknown field; {suggestion(dotted)}"


def suggestion(name: str, others: Collection[str] = ()) -> str:
    """What an unknown name may have meant: a setting of a training, or one of other names."""
    names = list(dict.fromkeys([*others, *known()]))
    words = [name, name.rpartition(".")[2]]
    known_words = [*names, *(each.rpartition(".")[2] for each in names)]
    words += difflib.get_close_matches(name, known_words, n=1)
    meant = next((found for word in words if (found := ending_in(word, names))), [])
    if not meant:
        return "`memophase settings` lists them all"
    return "did you mean " + " or ".join(f"'{each}'" for each in meant) + "?"


def ending_in(word: str, names: Iterable[str]) -> list[str]:
    """The dotted names that it is, or whose last word: `training.steps` ends in `steps`."""
    return [name for name in names if word in (name, name.rpartition(".")[2])]


def zipf_level(dotted: str) -> str | None:
    """The level in a name such as `grammar.zipf.0`; None for other names."""
    before, _, level = dotted.rpartition(".")
    return level if before == "grammar.zipf" and level.isdecimal() else None


def value_fault(dotted: str, value: Any) -> str | None:
    """What is wrong with a value by itself, whatever the other settings are."""
    level = zipf_level(dotted)
    if level is not None:
        return value_fault("grammar.zipf", {level: value})
    section, name = dotted.split(".", 1)
    try:
        built(sections()[section], {name: value})
    except ConfigError as error:
        own = [what for path, what in error.faults if path == (name,) and what != REQUIRED]
        if own:
            return own[0]
    if dotted == "grammar.zipf":
        for level, exponent in value.items():
            if exponent < 0:
                return f"exponent {exponent} of level {level} must be 0 or more"
    return None


def document_faults(document: Any, supplied: Collection[str] = ()) -> list[tuple[Keys, str]]:
    """Faults of every field of a configuration by itself: unknown, missing or of a wrong kind.

    Args:
        document: nested mappings of settings.
        supplied: dotted names that the axes of the sweep supply.
    """
    if not isinstance(document, Mapping):
        return [((), f"must be a mapping of settings, not {document!r}")]
    faults: list[tuple[Keys, str]] = []
    groups = sections()
    for name, values in document.items():
        if name == "seed":
            faults.append((("seed",), SEEDED_BY_REPLICA))
        elif name not in groups:
            faults.append(((str(name),), f"unknown field; {did_you_mean(str(name), groups)}"))
        elif not isinstance(values, Mapping):
            faults.append(((name,), f"must be a mapping of settings, not {values!r}"))
        else:
            faults += [((name, *path), what) for path, what in _group_faults(name, values)]
    for name, kind in groups.items():
        if name == GRAMMAR and not _needs_grammar(document, supplied):
            continue
        for field in dataclasses.fields(kind):  # type: ignore[arg-type]
            given = document.get(name, {})
            there = isinstance(given, Mapping) and field.name in given
            if is_required(field) and not there and f"{name}.{field.name}" not in supplied:
                faults.append(((name, field.name), REQUIRED))
    return faults


def _needs_grammar(document: Mapping[str, Any], supplied: Collection[str]) -> bool:
    """Whether strings come from a grammar, as far as can be told before the axes are put in."""
    if GRAMMAR in document:
        return True
    return "corpus.source" not in supplied and bool(TrialConfig.needs(document))


def _group_faults(section: str, values: Mapping[Any, Any]) -> list[tuple[Keys, str]]:
    names = [field.name for field in dataclasses.fields(sections()[section])]  # type: ignore[arg-type]
    faults: list[tuple[Keys, str]] = []
    for name, value in values.items():
        if name not in names:
            faults.append(((str(name),), f"unknown field; {did_you_mean(str(name), names)}"))
        elif (what := value_fault(f"{section}.{name}", value)) is not None:
            faults.append(((name,), what))
    return faults


def with_settings(document: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a configuration document with dotted settings put in."""
    changed = copy.deepcopy(dict(document))
    for dotted, value in settings.items():
        *above, last = dotted.split(".", 2)
        place = changed
        for name in above:
            place = place.setdefault(name, {})
        place[last] = copy.deepcopy(value)
    return changed


def _first(section: str) -> str:
    return dataclasses.fields(sections()[section])[0].name  # type: ignore[arg-type]
