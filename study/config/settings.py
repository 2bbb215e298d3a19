"""Sections of settings: frozen dataclasses that check themselves and report every fault at once.

A training's configuration and a sweep file are both declared this way. The text below a field says
what it means; `study.config.reference` reads it for the table of all settings.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from functools import cache
from typing import Any, Self, get_args, get_origin, get_type_hints

Faults = list[tuple[tuple[str, ...], str]]
"""Pairs of (path of field names, what is wrong and what to do)."""


class ConfigError(ValueError):
    """A configuration that cannot be run, with every fault and the field it is in.

    Attributes:
        faults: what to mend, each with its field.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        super().__init__("; ".join(self.lines))

    @property
    def lines(self) -> list[str]:
        """Every fault in one line, behind the dotted name of its field."""
        return [f"{'.'.join(path) or 'config'}: {what}" for path, what in self.faults]

    def __reduce__(self) -> tuple[type[ConfigError], tuple[Faults]]:
        """Made again from its faults where it is unpickled, as after a way between processes."""
        return type(self), (self.faults,)


def setting(
    default: Any = dataclasses.MISSING,
    *,
    factory: Callable[[], Any] | None = None,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    above: float = -math.inf,
    choices: tuple[str, ...] = (),
    reads: Callable[[Any], Any] | None = None,
    values: str = "",
    extent: bool = False,
    neutral: Any = dataclasses.MISSING,
    found: bool = False,
) -> Any:
    """A config field with its bounds.

    Args:
        default: the value when none is given; required without one.
        factory: makes the default where it is a mapping or a section.
        minimum, maximum, above: inclusive bounds and an exclusive lower bound.
        choices: the values of a word; empty: any.
        reads: what is written -> the value, where the field's type does not say it all; raises
            ValueError with what is wrong.
        values: what `reads` takes, in words.
        extent: the field does not decide the trajectory and stays out of the identity.
        neutral: the value that reproduces results from before the field existed; at this value the
            field is left out of the identity, so that adding it orphans no older result.
        found: nobody sets the field: it is found out when a configuration is made ready.
    """
    metadata = {
        "minimum": minimum,
        "maximum": maximum,
        "above": above,
        "choices": choices,
        "reads": reads,
        "values": values,
        "extent": extent,
        "neutral": neutral,
        "found": found,
    }
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


class Section:
    """A group of settings, checked when it is built: types, bounds, then `faults`."""

    def __post_init__(self) -> None:
        faults: Faults = []
        hints = _hints(type(self))
        for f in _fields(type(self)):
            try:
                value = _checked(getattr(self, f.name), hints[f.name], f.metadata)
                object.__setattr__(self, f.name, value)
            except ValueError as error:
                faults += _within(f.name, error)
        if not faults:
            faults = [(_path(name), what) for name, what in self.faults()]
        if faults:
            raise ConfigError(faults)

    def changed(self, **values: Any) -> Self:
        """This section with other values, or itself where they are no others: building checks."""
        if all(getattr(self, name) == value for name, value in values.items()):
            return self
        return dataclasses.replace(self, **values)  # type: ignore[type-var]

    def faults(self) -> list[tuple[str, str]]:
        """Faults that involve several settings, as (dotted field, what); the base has none."""
        return []

    @classmethod
    def needs(cls, document: Mapping[str, Any]) -> list[str]:
        """Fields with a default that the values of others make required; the base has none."""
        del document
        return []


# A sweep of thousands asks for these again and again.
@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    """The types of a section's fields."""
    return get_type_hints(cls)


@cache
def _fields(cls: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


@cache
def _taken_apart(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Origin and arguments of a type."""
    return get_origin(hint), get_args(hint)


def section_of(hint: Any) -> type[Section] | None:
    """The section that a field of this type holds, perhaps or always; None where it holds none."""
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def identity(section: Section) -> dict[str, Any]:
    """The settings that decide the trajectory, as plain JSON values."""
    document = {}
    for f in _fields(type(section)):
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
        return {f.name: plain(getattr(value, f.name)) for f in _fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value)}
    return value


def built(cls: type[Any], document: Any) -> Any:
    """Build a section from JSON values, collecting the faults of all its parts."""
    if not isinstance(document, Mapping):
        raise ConfigError([((), f"must be a mapping, not {document!r}")])
    hints = _hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    faults: Faults = []
    values: dict[str, Any] = {}
    for name, value in document.items():
        if name not in fields:
            faults.append(((str(name),), f"unknown field; {did_you_mean(str(name), fields)}"))
        elif (part := section_of(hints[name])) and not (value is None and hints[name] is not part):
            try:
                values[name] = built(part, value)
            except ConfigError as error:
                faults += _within(name, error)
        else:
            values[name] = value
    needed = cls.needs(document)
    faults += [
        ((name,), "is required")
        for name, f in fields.items()
        if (is_required(f) or name in needed) and name not in document
    ]
    if faults:
        raise ConfigError(faults + _faults_of_the_rest(cls, values, fields))
    return cls(**values)


def is_required(f: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING


def _faults_of_the_rest(
    cls: type[Any], values: dict[str, Any], fields: Mapping[str, Any]
) -> Faults:
    """Type and bound faults of the settings that are known, so that all are reported at once."""
    faults: Faults = []
    hints = _hints(cls)
    for name, value in values.items():
        if isinstance(value, Section):
            continue
        try:
            _checked(value, hints[name], fields[name].metadata)
        except ValueError as error:
            faults += _within(name, error)
    return faults


def _path(name: str) -> tuple[str, ...]:
    """The parts of a dotted name; none of an empty one, which is the section itself."""
    return tuple(name.split(".")) if name else ()


def _within(name: str, error: ValueError) -> Faults:
    """The faults of a field: its own, or those of its parts."""
    if isinstance(error, ConfigError):
        return [((name, *path), what) for path, what in error.faults]
    return [((name,), str(error))]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or the whole list."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"


def _checked(value: Any, hint: Any, declared: Mapping[str, Any]) -> Any:
    """The value of a field as it is declared.

    Raises:
        ValueError: with what is wrong.
    """
    if (reads := declared.get("reads")) is not None:
        value = reads(value)
    value = _coerced(value, hint)
    _check_bounds(value, declared)
    return value


def _coerced(value: Any, hint: Any) -> Any:
    """The value in the field's type, so that 1 and 1.0 are one identity.

    Raises:
        ValueError: when the value is not of the type.
    """
    origin, parts = _taken_apart(hint)
    if type(None) in parts:
        return None if value is None else _coerced(value, parts[0])
    if hint is Any:
        return value
    if origin is dict:
        return _mapping(value, *parts)
    if origin is list:
        return _list(value, *parts)
    if hint in (int, float):
        return _number(value, hint)
    if not isinstance(value, hint):
        words = {bool: "true or false", str: "a word"}
        raise ValueError(f"must be {words.get(hint, 'a mapping')}, not {value!r}")
    return value


def _mapping(value: Any, keys: Any, items: Any) -> dict[Any, Any]:
    """A mapping in the file's order, or one of levels, in theirs."""
    if keys is Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"must be a mapping, not {value!r}")
        return dict(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"must map levels to exponents, not {value!r}")
    return {_level(k): _coerced(x, items) for k, x in sorted(value.items(), key=str)}


def _list(value: Any, items: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list, not {value!r}")
    found, faults = [], []
    for index, item in enumerate(value):
        try:
            found.append(_coerced(item, items))
        except ValueError as error:
            faults += _within(str(index), error)
    if faults:
        raise ConfigError(faults)
    return found


def _level(key: Any) -> int:
    try:
        return int(key)
    except (TypeError, ValueError):
        raise ValueError(f"level {key!r} must be a whole number") from None


def _number(value: Any, kind: type[int] | type[float]) -> int | float:
    word = "a whole number" if kind is int else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = " (write 1.0e-3, not 1e-3)" if _is_short_exponent(value) else ""
        raise ValueError(f"must be {word}, not {value!r}{hint}")
    if not math.isfinite(value) or (kind is int and value != int(value)):
        raise ValueError(f"must be {word}, not {value!r}")
    return kind(value)


def _is_short_exponent(value: Any) -> bool:
    """Whether it is a number to everyone but YAML 1.1, such as `1e-3`."""
    return isinstance(value, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", value) is not None


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
