"""The report of a sweep: one offline page, its figures, and the numbers behind them."""

from __future__ import annotations

import gc
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from analysis.charts.figure import Figure
from analysis.charts.theme import THEMES
from analysis.frames import searches
from analysis.frames.alphabets import Alphabet, alphabet_of
from analysis.frames.cells import SIDE
from analysis.frames.errors import AnalysisError
from analysis.frames.loading import load
from analysis.frames.memory import hand_back
from analysis.frames.side_by_side import side_by_side, told_apart
from analysis.frames.tables import Tables
from analysis.report.findings import Findings, find
from analysis.report.gallery import figures
from analysis.report.images import Illustrator, page_script
from analysis.report.page import Page, data_of, page
from analysis.report.plates import Plate
from analysis.report.provenance import Record
from analysis.statistics.completeness import completeness
from study.store.listing import Listed
from study.store.results import Results

PAGE = "index.html"
SWEEP = "sweep.yaml"
"""Beside the page: the sweep with every setting resolved."""

SIDES = 2
"""Sweeps that are compared."""

WRITERS = 2
"""Tables that are packed and written at a time."""


@dataclass(frozen=True)
class ReportPaths:
    """The files of a report.

    Attributes:
        page: the page; needs none of the others.
        figures: PNG and SVG of every figure.
        data: CSV and parquet of every table.
    """

    page: Path
    figures: tuple[Path, ...]
    data: tuple[Path, ...]


def write_report(
    results: Results | str | Path,
    out: str | Path,
    *,
    title: str,
    axes: Sequence[str],
    facet: str | None = None,
    expected: int | None = None,
    planned: Sequence[Listed] = (),
    only: Collection[str] | None = None,
    theme: Literal["light", "dark"] = "light",
    record: Record | None = None,
) -> ReportPaths:
    """Write the report of a sweep, finished or still running.

    The report is built beside `out` and takes its place when it is whole, so that nobody ever sees
    half of one; an older report there is replaced.

    Args:
        results: the results, or the path or URI of their folder.
        out: the folder to write, on this machine.
        title: of the page.
        axes: one or two dotted fields of the configuration, the horizontal axis first.
        facet: the field whose values get panels of their own.
        expected: how many trainings the sweep is to have, if known.
        planned: which, where they are known before.
        only: hashes of the sweep's trainings, where its folder may hold others; None: all.
        theme: of the PNG and SVG files; the page follows its reader.
        record: what is known of the sweep beside its trainings.

    Returns:
        The paths of the files.

    Raises:
        AnalysisError: when there is nothing to report, an axis is no field of the trainings, or
            `out` holds something else than a report.
    """
    if theme not in THEMES:
        raise AnalysisError(f"there is no theme '{theme}'; the themes are {', '.join(THEMES)}")
    target = Path(out).expanduser().absolute()
    _check_target(target)
    opened = results if isinstance(results, Results) else Results.open(results)

    def findings() -> Findings:
        found = find(load(opened, only=only), axes=axes, facet=facet, expected=expected)
        return replace(
            _with_alphabets(found, lambda training: alphabet_of(opened, training)),
            search=searches.read(opened.store),
            completeness=completeness(planned, found.trainings, axes) if planned else None,
        )

    return _published(findings, target, title=title, theme=theme, record=record or Record())


def write_comparison(
    sides: Mapping[str, Tables],
    out: str | Path,
    *,
    title: str,
    axes: Sequence[str],
    record: Record | None = None,
    results: Sequence[Results] = (),
) -> ReportPaths:
    """Write a report of two sweeps side by side, on common axes and with their differences.

    Args:
        sides: name -> tables of each of the two.
        out, title, axes, record: as of `write_report`.
        results: of each of the two, which say how strings are written out that no grammar made;
            without them as numbers.

    Raises:
        AnalysisError: as `write_report`, and when there are not two sweeps.
    """
    if len(sides) != SIDES:
        raise AnalysisError(f"{SIDES} sweeps are compared, not {len(sides)}")
    target = Path(out).expanduser().absolute()
    _check_target(target)

    def alphabet(training: str) -> Alphabet | None:
        side, own = told_apart(training)
        return alphabet_of(results[side], own)

    def findings() -> Findings:
        found = find(side_by_side(sides), axes=axes, facet=SIDE, expected=None, sides=sides)
        return _with_alphabets(found, alphabet) if results else found

    return _published(findings, target, title=title, theme="light", record=record or Record())


def _with_alphabets(found: Findings, alphabet: Callable[[str], Alphabet | None]) -> Findings:
    """The findings with what the symbols of each training's strings stand for."""
    spelled = [replace(one, alphabet=alphabet(one.training)) for one in found.generated]
    return replace(found, generated=spelled)


def _published(
    findings: Callable[[], Findings],
    target: Path,
    *,
    title: str,
    theme: Literal["light", "dark"],
    record: Record,
) -> ReportPaths:
    """Write the report beside its place and put it there when it is whole.

    What is found takes much room and so does drawing: while the last figures are drawn, nothing is
    left of the former but the text of the page.
    """
    with _replaced(target) as folder, Illustrator(THEMES[theme], folder / "figures") as illustrator:
        written, text = _told(findings, folder, illustrator, title=title, record=record)
        _let_go()
        images = illustrator.images()
        with (folder / PAGE).open("w", encoding="utf-8") as file:
            file.writelines(text.illustrated(images))
    figures = [target / "figures" / f"{name}.{kind}" for name in images for kind in ("svg", "png")]
    data = [target / "data" / name for name in written]
    return ReportPaths(page=target / PAGE, figures=tuple(figures), data=tuple(data))


def _told(
    findings: Callable[[], Findings],
    folder: Path,
    illustrator: Illustrator,
    *,
    title: str,
    record: Record,
) -> tuple[list[str], Page]:
    """Find, write the tables, begin to draw; returns the names of the tables, and the page."""
    with page_script() as script:
        found = findings()
    (folder / "figures").mkdir(parents=True)
    (folder / "data").mkdir()
    plates: dict[str, Plate] = {}
    data, drawn = data_of(found), figures(found)

    def begin(figure: Figure) -> None:
        illustrator.begin(figure)
        plates[figure.name] = Plate.of(figure)
        data.add(figure)
        hand_back()

    _let_go()
    with ThreadPoolExecutor(WRITERS) as pool:  # what packs and writes does not need the interpreter
        tables = [
            pool.submit(write_table, table, folder / "data", name)
            for name, table in found.data().items()
        ]
        begin(next(drawn))  # the phase diagram is small, and the engine takes a second to start
        written = [path.name for done in tables for path in done.result()]
    if record.sweep is not None:
        (folder / SWEEP).write_text(record.sweep, encoding="utf-8")
    _let_go()
    for figure in drawn:
        begin(figure)
    return written, page(found, plates, data, script.result(), title=title, record=record)


def _let_go() -> None:
    """Tables that nobody needs any more refer to one another."""
    gc.collect()
    hand_back()


ROWS = 100_000
"""Rows that are written out together: with every category spelled they take much room."""


def write_table(table: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """`<name>.csv` and `<name>.parquet`; undefined values are empty and null."""
    text, binary = folder / f"{name}.csv", folder / f"{name}.parquet"
    content = pa.Table.from_pandas(table, preserve_index=False)
    schema = _plain(table, content.schema)
    plain = csv.WriteOptions(include_header=False)
    with (
        pq.ParquetWriter(binary, schema, compression="zstd") as parquet,
        text.open("wb") as file,
    ):
        file.write(f"{','.join(schema.names)}\n".encode())
        with csv.CSVWriter(file, schema, write_options=plain) as lines:
            for start in range(0, max(len(table), 1), ROWS):
                rows = content.slice(start, ROWS).cast(schema)
                parquet.write_table(rows)
                lines.write_table(rows)
    return [text, binary]


def _plain(table: pd.DataFrame, schema: pa.Schema) -> pa.Schema:
    """The schema of a table with every category written out."""
    kinds = {
        str(name): column.dtype.categories.dtype
        for name, column in table.items()
        if isinstance(column.dtype, pd.CategoricalDtype)
    }
    if not kinds:
        return schema
    fields = [
        field.with_type(field.type.value_type)
        if isinstance(field.type, pa.DictionaryType)
        else field
        for field in schema
    ]
    spelled = pa.Table.from_pandas(table.iloc[:0].astype(kinds), preserve_index=False).schema
    return pa.schema(fields, metadata=spelled.metadata)


def _check_target(target: Path) -> None:
    """Only a report may be replaced: a mistyped folder must not cost anyone their files."""
    if not target.exists():
        return
    if not target.is_dir():
        raise AnalysisError(f"{target} is a file; name a folder for the report")
    if any(target.iterdir()) and not (target / PAGE).is_file():
        raise AnalysisError(
            f"{target} holds something else than a report; name a new or an empty folder"
        )


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """A folder beside another one, to be made, which takes its place when the block ends well."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        _swap(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _swap(partial: Path, target: Path) -> None:
    """Put the new folder in the place of the old one."""
    if not target.exists():
        partial.rename(target)
        return
    old = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)
