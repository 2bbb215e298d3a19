"""Strings of one's own, read: text, CSV, parquet and NumPy files, and functions that make strings.

Whatever is wrong is one line that says where, what and what to do; see `Unreadable`.
"""

from __future__ import annotations

import importlib
import io
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from study.config.settings import did_you_mean

FUNCTION = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")
MAX_BYTES = 1 << 30
"""Of a file; what fits a training is far smaller."""
CONTROLS = re.compile("[\x00-\x08\x0e-\x1f]")
"""What no text holds."""
NPY = b"\x93NUMPY"
"""What a NumPy file begins with."""


class Unreadable(ValueError):  # noqa: N818 - told to the user as such
    """Strings that cannot be used, and the setting that is to be changed."""

    def __init__(self, what: str, *, field: str = "corpus.path") -> None:
        super().__init__(what)
        self.field = field


@dataclass(frozen=True)
class Lines:
    """Strings as they were read, one by one.

    Attributes:
        symbols: of every string, or None where `text` is to be cut into them.
        text: every string as text, or None.
        typicality: nats, one per string; None where no column says it.
        frequency: how often each string occurs, in any unit; None likewise.
    """

    symbols: list[list[str]] | None = None
    text: list[str] | None = None
    typicality: np.ndarray | None = None
    frequency: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.symbols if self.symbols is not None else self.text or [])


def read(path: str, *, column: str | None, typicality: str | None, frequency: str | None) -> Lines:
    """The strings at a path, with what columns of the file say of them.

    Raises:
        Unreadable: with what is wrong.
    """
    function = FUNCTION.fullmatch(path)
    if function and not Path(path).exists():
        reader: Callable[[], Lines] = lambda: _called(*function.groups())  # noqa: E731
    else:
        file = _file(path)
        tables = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet}
        kind = file.suffix.lower()
        if kind in tables:
            table = tables[kind](file)
            return _of_table(table, column, typicality, frequency)
        reader = (lambda: _npy(file)) if kind == ".npy" else (lambda: _text(file))
    for name, given in (("column", column), ("typicality", typicality), ("frequency", frequency)):
        if given is not None:
            what = f"'{given}' is no column: {path} has none; CSV and parquet files have"
            raise Unreadable(what, field=f"strings.{name}")
    return reader()


def _file(path: str) -> Path:
    file = Path(path).expanduser()
    if file.is_dir():
        raise Unreadable(f"'{path}' is a folder, not a file")
    if not file.exists():
        raise Unreadable(f"there is no file '{path}'")
    if not file.is_file():
        raise Unreadable(f"'{path}' is no plain file")
    size = file.stat().st_size
    if size == 0:
        raise Unreadable(f"'{path}' is empty")
    if size > MAX_BYTES:
        raise Unreadable(f"'{path}' has {size} bytes, more than {MAX_BYTES}")
    return file


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Unreadable(f"'{file}' cannot be read: {error.strerror}") from None


def _text(file: Path) -> Lines:
    try:
        text = _bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"'{file}' is not UTF-8 text (at byte {error.start}); save it as UTF-8"
        raise Unreadable(what) from None
    if found := CONTROLS.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise Unreadable(f"'{file}' is no text: a control character in line {line}")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise Unreadable(f"'{file}' has no line with anything in it")
    return Lines(text=lines)


def _csv(file: Path) -> pa.Table:
    _bytes(file)
    options = pacsv.ParseOptions(delimiter="\t" if file.suffix.lower() == ".tsv" else ",")
    try:
        return pacsv.read_csv(file, parse_options=options)
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(f"'{file}' cannot be read as CSV: {_first_line(error)}") from None


def _parquet(file: Path) -> pa.Table:
    _bytes(file)
    try:
        return pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(f"'{file}' cannot be read as parquet: {_first_line(error)}") from None


def _first_line(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it ends the program, {error!r}"
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _of_table(
    table: pa.Table, column: str | None, typicality: str | None, frequency: str | None
) -> Lines:
    if not len(table):
        raise Unreadable("the file has no rows below its header")
    chosen = _column(table, column, "column") if column else _only_text(table)
    values = chosen.to_pylist()
    if chosen.null_count:
        row = next(i for i, value in enumerate(values) if value is None)
        raise Unreadable(f"row {row + 1} has no string", field="strings.column")
    if pa.types.is_list(chosen.type) or pa.types.is_large_list(chosen.type):
        lines = Lines(symbols=[[str(symbol) for symbol in value] for value in values])
    elif pa.types.is_string(chosen.type) or pa.types.is_large_string(chosen.type):
        lines = Lines(text=values)
    else:
        what = f"'{column}' holds {chosen.type}, neither text nor lists of symbols"
        raise Unreadable(what, field="strings.column")
    if typicality:
        return replace(lines, typicality=_numbers(table, typicality, "typicality"))
    if frequency:
        numbers = _numbers(table, frequency, "frequency")
        if (numbers <= 0).any():
            row = int(np.argmax(numbers <= 0)) + 1
            what = f"row {row} has a frequency of {numbers[row - 1]:g}; all must be above 0"
            raise Unreadable(what, field="strings.frequency")
        return replace(lines, frequency=numbers)
    return lines


def _column(table: pa.Table, name: str, setting: str) -> pa.ChunkedArray:
    names = table.column_names
    if name not in names:
        what = f"there is no column '{name}'; {did_you_mean(name, names)}"
        raise Unreadable(what, field=f"strings.{setting}")
    if names.count(name) > 1:
        raise Unreadable(f"there are two columns '{name}'", field=f"strings.{setting}")
    return table.column(name)


def _only_text(table: pa.Table) -> pa.ChunkedArray:
    texts = [
        f.name
        for f in table.schema
        if pa.types.is_string(f.type)
        or pa.types.is_large_string(f.type)
        or pa.types.is_list(f.type)
        or pa.types.is_large_list(f.type)
    ]
    if len(texts) != 1:
        has = f"{len(texts)} columns of text ({', '.join(texts)})" if texts else "no column of text"
        what = f"the file has {has}: say which holds the strings; columns are "
        raise Unreadable(what + ", ".join(table.column_names), field="strings.column")
    return table.column(texts[0])


def _numbers(table: pa.Table, name: str, setting: str) -> np.ndarray:
    field, values = f"strings.{setting}", _column(table, name, setting)
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        raise Unreadable(f"'{name}' holds {values.type}, no numbers", field=field)
    numbers = np.array(
        [np.nan if value is None else value for value in values.to_pylist()], dtype=np.float64
    )
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers))) + 1
        raise Unreadable(f"row {row} of '{name}' is no finite number", field=field)
    return numbers


def _npy(file: Path) -> Lines:
    data = _bytes(file)
    if not data.startswith(NPY):
        raise Unreadable(f"'{file}' cannot be read as .npy: it is another kind of file")
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise Unreadable(f"'{file}' cannot be read as .npy: {_first_line(error)}") from None
    return _of_array(array, f"'{file}'")


def _of_array(array: np.ndarray, name: str) -> Lines:
    if not np.issubdtype(array.dtype, np.integer):
        raise Unreadable(f"{name} holds {array.dtype}, not integers")
    if array.ndim != 2:
        what = f"{name} has {array.ndim} dimensions; strings need two, (strings, symbols)"
        raise Unreadable(what)
    if not array.size:
        raise Unreadable(f"{name} is empty: its shape is {array.shape}")
    return Lines(symbols=[[str(symbol) for symbol in row] for row in array.tolist()])


def _called(module: str, name: str) -> Lines:
    """What a function returns: text, sequences of symbols, or an array (P, d) of integers."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        function = getattr(importlib.import_module(module), name, None)
    except (Exception, SystemExit) as error:
        raise Unreadable(f"module '{module}' cannot be imported: {_first_line(error)}") from None
    finally:
        sys.path.remove(here)
    if not callable(function):
        raise Unreadable(f"module '{module}' has no function '{name}'")
    try:
        made = function()
    except (Exception, SystemExit) as error:
        raise Unreadable(f"{module}:{name} failed: {_first_line(error)}") from None
    if isinstance(made, np.ndarray):
        return _of_array(made, f"what {module}:{name} returns")
    strings = list(made) if isinstance(made, Sequence) and not isinstance(made, str) else []
    if not strings:
        raise Unreadable(f"{module}:{name} returns no sequence of strings")
    if all(isinstance(string, str) for string in strings):
        return Lines(text=strings)
    if all(isinstance(s, Sequence | np.ndarray) and not isinstance(s, str) for s in strings):
        return Lines(symbols=[[str(symbol) for symbol in string] for string in strings])
    raise Unreadable(f"{module}:{name} returns neither strings nor sequences of symbols")
