"""Sections of settings: frozen dataclasses that check themselves and report every fault at once."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints


class ConfigError(ValueError):
    """A configuration that cannot be run, with every fault and the field it is in.

    Attributes:
        faults: pairs of (path of field names, what is wrong and what to do).
    """

    def __init__(self, faults: list[tuple[tuple[str, ...], str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """Every fault in one line, behind the dotted name of its field."""
        return [f"{'.'.join(path) or 'config'}: {what}" for path, what in self.faults]

    def __reduce__(self) -> tuple[type[ConfigError], tuple[list[tuple[tuple[str, ...], str]]]]:
        """Made again from its faults where it is unpickled, as after a way between processes."""
        return type(self), (self.faults,)


def setting(
    default: Any = dataclasses.MISSING,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    choices: tuple[str, ...] = (),
    extent: bool = False,
    neutral: Any = dataclasses.MISSING,
) -> Any:
    """A config field with its bounds.

    Args:
        default: the value when none is given; required without one.
        minimum, maximum, above: inclusive bounds and an exclusive lower bound.
        choices: the values of a word; empty: any.
        extent: the field does not decide the trajectory and stays out of the identity.
        neutral: the value that reproduces results from before the field existed; at this value the
            field is left out of the identity, so that adding it orphans no older result.
    """
    metadata = {
        "minimum": minimum,
        "maximum": maximum,
        "above": above,
        "choices": choices,
        "extent": extent,
        "neutral": neutral,
    }
    return field(default=default, metadata=metadata)


class Section:
    """A group of settings, checked when it is built: types, bounds, then `faults`."""

    def __post_init__(self) -> None:
        faults = []
        hints = _hints(type(self))
        for f in dataclasses.fields(self):  # type: ignore[arg-type]
            try:
                value = _coerced(getattr(self, f.name), hints[f.name])
                _check_bounds(value, f.metadata)
                object.__setattr__(self, f.name, value)
            except ValueError as error:
                faults.append(((f.name,), str(error)))
        if not faults:
            faults = [((name,) if name else (), what) for name, what in self.faults()]
        if faults:
            raise ConfigError(faults)

    def faults(self) -> list[tuple[str, str]]:
        """Faults that involve several settings, as (field, what); the base has none."""
        return []


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    """The types of a section's fields, which a sweep of thousands asks for again and again."""
    return get_type_hints(cls)


def identity(section: Section) -> dict[str, Any]:
    """The settings that decide the trajectory, as plain JSON values."""
    document = {}
    for f in dataclasses.fields(section):  # type: ignore[arg-type]
        value = getattr(section, f.name)
        if f.metadata.get("extent") or value == f.metadata.get("neutral", dataclasses.MISSING):
            continue
        document[f.name] = identity(value) if isinstance(value, Section) else plain(value)
    return document


def flattened(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted field -> value, for tables with one column per setting."""
    flat = {}
    for name, value in document.items():
        if isinstance(value, Mapping) and name != "zipf":
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def plain(value: Any) -> Any:
    """Dataclasses and mappings as JSON values; keys become text and are sorted."""
    if isinstance(value, Section):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value)}
    return value


def built(cls: type[Any], document: Any) -> Any:
    """Build a section from JSON values, collecting the faults of all its parts."""
    if not isinstance(document, Mapping):
        raise ConfigError([((), f"must be a mapping of settings, not {document!r}")])
    hints = _hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    faults: list[tuple[tuple[str, ...], str]] = []
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name not in fields:
            faults.append(((str(name),), f"unknown field; {did_you_mean(str(name), fields)}"))
        elif isinstance(hints[name], type) and issubclass(hints[name], Section):
            try:
                values[name] = built(hints[name], value)
            except ConfigError as error:
                faults += [((name, *path), what) for path, what in error.faults]
        else:
            values[name] = value
    for name, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and name not in document:
            faults.append(((name,), "is required"))
    if faults:
        raise ConfigError(faults + _faults_of_the_rest(cls, values, fields))
    return cls(**values)


def _faults_of_the_rest(
    cls: type[Any], values: dict[str, Any], fields: Mapping[str, Any]
) -> list[tuple[tuple[str, ...], str]]:
    """Type and bound faults of the settings that are known, so that all are reported at once."""
    faults: list[tuple[tuple[str, ...], str]] = []
    hints = _hints(cls)
    for name, value in values.items():
        if isinstance(value, Section):
            continue
        try:
            _check_bounds(_coerced(value, hints[name]), fields[name].metadata)
        except ValueError as error:
            faults.append(((name,), str(error)))
    return faults


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or the whole list."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"


def _coerced(value: Any, hint: Any) -> Any:
    """The value in the field's type, so that 1 and 1.0 are one identity.

    Raises:
        ValueError: when the value is not of the type.
    """
    if type(None) in get_args(hint):
        return None if value is None else _coerced(value, get_args(hint)[0])
    if get_origin(hint) is dict:
        if not isinstance(value, Mapping):
            raise ValueError(f"must map levels to exponents, not {value!r}")
        return {_level(k): _coerced(x, float) for k, x in sorted(value.items(), key=str)}
    if hint is bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {value!r}")
        return value
    if hint in (int, float):
        return _number(value, hint)
    if not isinstance(value, hint):
        raise ValueError(f"must be {hint.__name__}, not {value!r}")
    return value


def _level(key: Any) -> int:
    try:
        return int(key)
    except (TypeError, ValueError):
        raise ValueError(f"level {key!r} must be a whole number") from None


def _number(value: Any, kind: type[int] | type[float]) -> int | float:
    word = "a whole number" if kind is int else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = " (write 1.0e-3, not 1e-3)" if isinstance(value, str) and "e" in value else ""
        raise ValueError(f"must be {word}, not {value!r}{hint}")
    if not math.isfinite(value) or (kind is int and value != int(value)):
        raise ValueError(f"must be {word}, not {value!r}")
    return kind(value)


def _check_bounds(value: Any, bounds: Mapping[str, Any]) -> None:
    if (choices := bounds.get("choices")) and value not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}, not '{value}'")
    if isinstance(value, bool) or not isinstance(value, int | float) or "minimum" not in bounds:
        return
    if value < bounds["minimum"]:
        raise ValueError(f"must be {bounds['minimum']} or more, not {value}")
    if value <= bounds["above"]:
        raise ValueError(f"must be above {bounds['above']}, not {value}")
    if value > bounds["maximum"]:
        raise ValueError(f"must be {bounds['maximum']} or less, not {value}")
