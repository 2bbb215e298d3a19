"""The declarations: complete, true of a real training, and what NOTATION.md says."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path

import pytest

from study.measures import registry
from study.measures.declared import PER_STEP
from study.measures.notation import in_place
from study.store import records
from study.store.results import Results
from study.training.run import run_pack
from tests.study.small import small

NOTATION = Path(__file__).parents[3] / "NOTATION.md"
COLUMNS = registry.declared()
SCHEMAS = {3: "61b3cadbb3edcef2"}
"""Version -> digest of the schemas; a change of a schema needs a new version."""


def test_a_changed_schema_has_a_new_version():
    text = repr([(name, records.SCHEMAS[name].to_string()) for name in records.SCHEMAS])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert SCHEMAS[records.VERSION] == digest


def test_every_column_of_every_table_is_declared_once():
    for table in records.SCHEMAS:
        declared = [column.name for column in COLUMNS if column.table == table]
        assert declared == records.SCHEMAS[table].names
        assert len(set(declared)) == len(declared)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.place)
def test_a_declaration_keeps_to_the_conventions(column):
    phrases = (column.meaning, column.formula, column.null, column.range, column.unit)
    assert column.meaning
    for phrase in phrases:
        assert phrase == phrase.strip()
        assert not phrase.endswith(".")
        assert "'" not in phrase
    own = {other.name: other for other in COLUMNS if other.table == column.table}
    if column.error:
        assert own[column.error].unit == column.unit
    for name in re.findall(r"`([\w.]+)`", f"{column.meaning} {column.formula} {column.null}"):
        places = {other.place for other in COLUMNS}
        assert name in own or name in places or name in ("training", "control")
    if column.curve is not None:
        assert (column.curve.name == "") == (column.table == "levels")


CITED = re.compile(r"\[[A-Z][a-z]+ \d{4}[a-z]?\]")


def test_sources_are_those_of_notation():
    """Whatever the code cites stands at the head of NOTATION.md, and is cited by its author."""
    stated = set(re.findall(r"\[[\w ]+\]", NOTATION.read_text().split("## ")[0]))
    for column in COLUMNS:
        if column.source != "ours":
            assert re.match(r"\[[\w ]+\]", column.source).group() in stated
    for floor in ("rhm", "study", "analysis", "sweeps"):
        for file in (NOTATION.parent / floor).rglob("*.py"):
            assert set(CITED.findall(file.read_text())) <= stated, file


def prose() -> dict[str, list[set[str]]]:
    """Symbol -> the code names of every row beside the generated tables that explains it."""
    text = re.sub(r"<!-- python.*?<!-- end -->", "", NOTATION.read_text(), flags=re.DOTALL)
    found = defaultdict(list)
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) > 4 and cells[1] not in ("symbol", "") and not cells[1].startswith("--"):
            for symbol in re.split(r", (?![^{(]*[)}])", cells[1]):
                found[symbol].append(set(re.findall(r"`([^`]+)`", cells[2])))
    return found


def test_no_symbol_means_two_things():
    stated = prose()
    assert stated["T"] == [{"num_timesteps"}]
    assert {symbol: rows for symbol, rows in stated.items() if len(rows) > 1} == {}
    names = defaultdict(set)
    for column in COLUMNS:
        if column.symbol:
            names[column.symbol].add(column.name)
    for symbol, own in names.items():
        assert len(own) == 1, symbol
        if symbol in stated:
            assert own <= stated[symbol][0], symbol
    of_strings = {symbol for symbol in {*stated, *names} if symbol.endswith("(x)")}
    assert not {symbol.removesuffix("(x)") for symbol in of_strings} & {*stated, *names}


def test_notation_holds_the_declared_tables():
    """`python -m study.measures NOTATION.md` puts them there."""
    text = NOTATION.read_text()
    assert in_place(text) == text
    with pytest.raises(ValueError, match="stand between"):
        in_place("# Notation")


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> dict:
    """Tables of a training measured at 8, 11, 16, 23 and 32; strings at 8, 16 and 32."""
    results = Results.open(tmp_path_factory.mktemp("measured"))
    config = small(measurement__likelihood_per_octave=2, grammar__depth=3)
    (status,) = run_pack([config], results)
    return {name: results.table(status, name).to_pandas() for name in records.SCHEMAS}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.place)
def test_null_is_where_it_is_declared(measured, column):
    table = measured[column.table]
    values = table[column.name]
    if column.table in PER_STEP:
        sampled = table["step"].isin([8, 16, 32])
        assert values[~sampled].isna().all() or not column.generated
        assert values[~sampled].notna().any() or column.generated or column.null
        values = values[sampled]
    assert values.notna().all() or column.null
    assert values.notna().all() or not column.key


INTERVAL = re.compile(r"([\[(])(\S+), (\S+?)([\])])$")


@pytest.mark.parametrize(
    "column",
    [c for c in COLUMNS if c.kind in ("number", "short", "integer")],
    ids=lambda c: c.place,
)
def test_values_lie_in_the_declared_range(measured, column):
    values = measured[column.table][column.name].dropna().astype(float)
    slack = 1e-6  # the network computes in float32
    if match := INTERVAL.match(column.range):
        assert values.between(float(match[2]) - slack, float(match[3]) + slack).all()
    elif match := re.match(r"([≥≤>]) (-?\d+)(/e_D.*)?$", column.range):
        sign = -1 if match[1] == "≤" else 1
        assert match[3] or (sign * (values - float(match[2])) >= -slack).all()
    else:
        assert column.range == "any" or "…" in column.range
