"""YAML documents: plain values, and where in the file each of them stands.

Scalars follow YAML 1.2, so the traps of 1.1 are gone: `1e-3` is a number, `no` and `on` are words,
`010` is ten and `1:30` is no number. Repeated keys, tags, merge keys and runaway aliases are
refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sweeps.faults import Fault, UsageError

Keys = tuple[str, ...]

MAX_BYTES = 1_000_000
MAX_NODES = 50_000
"""Values in one file, aliases followed; a sweep file needs a few dozen."""

INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
KNOWN_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "value")
"""What PyYAML takes plain words for; `scalar` has its own mind."""
SPECIAL = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}


@dataclass
class Document:
    """A YAML document and the place of each of its values.

    Attributes:
        source: the file's name or the option that the document came from.
        value: mappings, lists and scalars; keys are scalars.
        places: path of keys (and list indices) -> `file:line:column`.
    """

    source: str
    value: Any
    places: dict[Keys, str] = field(default_factory=dict)

    def place(self, path: Keys) -> str:
        """The place of a path, or of the nearest part of the document that holds it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, self.source)


def read(path: Path) -> Document:
    """The document in a file.

    Raises:
        UsageError: when the file cannot be read or is not the YAML that is understood here.
    """
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        raise UsageError.of("is a folder, not a file", place=str(path)) from None
    except OSError as error:
        raise UsageError.of(f"cannot be read: {error.strerror}", place=str(path)) from None
    if len(data) > MAX_BYTES:
        raise UsageError.of(f"has {len(data)} bytes, more than {MAX_BYTES}", place=str(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError.of(f"is not text: {error.reason}", place=str(path)) from None
    return parse(text, source=str(path))


def parse(text: str, *, source: str, whole: bool = True) -> Document:
    """The document in a text; `whole` False gives every value the source as its place.

    Raises:
        UsageError: naming the places of syntax errors, repeated keys, tags and the like.
    """
    place = (
        (lambda mark: f"{source}:{mark.line + 1}:{mark.column + 1}")
        if whole
        else (lambda mark: source)
    )
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UsageError.of(_syntax(error), place=place(mark) if mark else source) from None
    except yaml.YAMLError as error:
        raise UsageError.of(f"is not text: {_one_line(error)}", place=source) from None
    except RecursionError:
        raise UsageError.of("is nested too deeply", place=source) from None
    document = Document(source, None)
    if root is None:
        return document
    reader = _Reader(document, place)
    document.places[()] = place(root.start_mark)
    document.value = reader.value(root, ())
    if reader.faults:
        raise UsageError(reader.faults)
    return document


class _Reader:
    """Turns nodes into values, noting places and faults."""

    def __init__(self, document: Document, place: Any) -> None:
        self.document, self.place = document, place
        self.faults: list[Fault] = []
        self.open: list[yaml.Node] = []
        self.nodes = 0

    def value(self, node: yaml.Node, path: Keys) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(self.open) > 50 or any(node is o for o in self.open):
            what = "aliases or nesting make this document too large"
            raise UsageError.of(what, place=self.place(node.start_mark))
        self.open.append(node)
        try:
            return self._value(node, path)
        finally:
            self.open.pop()

    def _value(self, node: yaml.Node, path: Keys) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                below = (*path, str(index))
                self.document.places[below] = self.place(item.start_mark)
                items.append(self.value(item, below))
            return items
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: Keys) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                self.fault(key_node, path, "a key must be a plain word or number")
                continue
            key = self.scalar(key_node, path)
            name = str(key)
            if name in seen:
                self.fault(key_node, (*path, name), "is given twice; keep one of them")
            seen.add(name)
            self.document.places.setdefault((*path, name), self.place(key_node.start_mark))
            values[key] = self.value(value_node, (*path, name))
        return values

    def scalar(self, node: Any, path: Keys) -> Any:
        if node.tag == "tag:yaml.org,2002:str" and node.style in ("'", '"', "|", ">"):
            return node.value
        if node.tag.removeprefix("tag:yaml.org,2002:") not in KNOWN_TAGS:
            self.fault(node, path, f"the tag '{node.tag}' is not understood; leave it out")
        return scalar(node.value)

    def fault(self, node: yaml.Node, path: Keys, what: str) -> None:
        self.faults.append(Fault(self.place(node.start_mark), ".".join(path), what))


def scalar(text: str) -> Any:
    """The value of an unquoted word by the rules of YAML 1.2."""
    if text in SPECIAL:
        return SPECIAL[text]
    if INTEGER.fullmatch(text) and len(text) <= 400:
        return int(text)
    if NUMBER.fullmatch(text):
        return float(text)
    return text


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be understood"
    if "'\\t'" in problem:
        return "a tab; YAML is indented with spaces"
    return f"is not valid YAML: {problem}" + (f" ({error.context})" if error.context else "")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def plain(value: Any) -> Any:
    """The value with text keys, as JSON would hold it."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
