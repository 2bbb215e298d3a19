"""The settings of a section as their declarations have them: a row for each, for people to read."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from study.config.settings import Section, is_required, section_of

WORDS = {int: "whole number", float: "number", bool: "true or false", str: "word", Any: "mapping"}
"""What the types of settings are called."""


@dataclass(frozen=True)
class Row:
    """A setting.

    Attributes:
        name: dotted.
        kind: its type in words.
        default: as YAML has it; `required` where there is none.
        values: bounds, choices or forms; empty where every value of the type will do.
        meaning: what the text below its declaration says.
    """

    name: str
    kind: str
    default: str
    values: str
    meaning: str


def rows(section: type[Section], prefix: str = "") -> Iterator[Row]:
    """The settings of a section in the order of their declaration, those of its parts in place."""
    hints, meanings = get_type_hints(section), _meanings(section)
    for f in dataclasses.fields(section):  # type: ignore[arg-type]
        hint, name = hints[f.name], f"{prefix}{f.name}"
        if f.metadata.get("found"):
            continue
        if (part := section_of(hint)) is not None:
            yield from rows(part, f"{name}.")
        else:
            yield Row(name, _kind(hint), _default(f), _values(f.metadata), meanings[f.name])


def summary(section: type[Section]) -> str:
    """What a section is for."""
    return inspect.getdoc(section) or ""


@cache
def _meanings(section: type[Section]) -> dict[str, str]:
    """Field -> the text below it, in one line and with YAML's word for None.

    Python keeps such texts in the source alone.
    """
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(body, ast.ClassDef)
    found = dict.fromkeys((f.name for f in dataclasses.fields(section)), "")  # type: ignore[arg-type]
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(meaning))):
                found[name] = re.sub(r"\bNone\b", "null", " ".join(meaning.split()))
    return found


def _kind(hint: Any) -> str:
    named = [each for each in get_args(hint) if each is not type(None)]
    if type(None) in get_args(hint):
        return _kind(named[0])
    if get_origin(hint) is list:
        return f"list of {_kind(named[0])}s"
    return "mapping" if get_origin(hint) is dict else WORDS[hint]


def _default(f: dataclasses.Field[Any]) -> str:
    if is_required(f):
        return "required"
    value = f.default if f.default is not dataclasses.MISSING else f.default_factory()  # type: ignore[misc]
    if value is None and f.metadata.get("values", "").startswith("auto"):
        return "auto"
    return value if isinstance(value, str) else json.dumps(value)


def _values(declared: Mapping[str, Any]) -> str:
    if declared.get("values"):
        return declared["values"]
    if declared.get("choices"):
        return f"one of {', '.join(declared['choices'])}"
    low, above, high = (declared.get(name) for name in ("minimum", "above", "maximum"))
    least = f"{low:g} or more" if low not in (None, -math.inf) else ""
    least = f"above {above:g}" if above not in (None, -math.inf) else least
    if high in (None, math.inf):
        return least
    return f"{low:g} to {high:g}" if least.endswith("more") else f"{least}, {high:g} or less"
