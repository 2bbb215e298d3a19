"""The reference of all settings: complete, as declared, and the same in the docs."""

import json

import pytest

from study.config import TrialConfig
from sweeps.files import reference, schema
from sweeps.space import fields
from tests.sweeps.tiny import ROOT, memophase

ROWS = {row["name"]: row for row in reference.document(reference.groups())}


def test_every_setting_is_there_with_its_meaning():
    parts = set(schema.dotted()) - {name for name, _ in schema.parts()}
    assert set(ROWS) == {*parts, *fields.known(), "seed"}
    assert all(row["meaning"].endswith(".") for row in ROWS.values())
    assert all(row["kind"] for row in ROWS.values())


@pytest.mark.parametrize(
    ("name", "kind", "default", "values"),
    [
        ("training.steps", "whole number", "required", "1 to 1e+12"),
        ("training.learning_rate", "number", "0.01", "above 0, 10 or less"),
        ("training.keep", "word", "last", "one of last, log2"),
        ("training.compile", "true or false", "false", ""),
        ("grammar.depth", "whole number", "required", "1 to 12"),
        ("grammar.zipf", "mapping", "{}", ""),
        ("corpus.control_size", "whole number", "null", "1 or more"),
        ("name", "word", "required", "letters, digits, '.', '_' and '-'"),
        ("seeds", "whole number", "1", "1 to 1000"),
        ("resources.members_per_pack", "whole number", "auto", "auto, or 1 or more"),
        ("report.axes", "list of words", "null", "1 or 2 axes of the sweep"),
    ],
)
def test_a_row_says_what_the_declaration_says(name, kind, default, values):
    row = ROWS[name]
    assert (row["kind"], row["default"], row["values"]) == (kind, default, values)


def test_meanings_speak_of_null_and_come_in_one_line():
    meaning = ROWS["corpus.control_size"]["meaning"]
    assert meaning == "N_C, control strings; null: as many as training strings."
    assert "None" not in reference.markdown(reference.groups())


def test_a_default_is_what_the_config_takes():
    given = {"depth": 2, "vocab_size": 4, "num_synonyms": 2}
    rest = {"corpus": {"size": 4}, "network": {"width": 8}, "training": {"steps": 64}}
    config = TrialConfig.from_dict({"grammar": given, **rest, "measurement": {"budget": None}})
    for section in fields.sections():
        for name, value in config.to_dict()[section].items():
            row = ROWS[f"{section}.{name}"]
            if row["default"] != "required" and row["name"] != "measurement.budget":
                assert row["default"] in (value, json.dumps(value))


def test_the_docs_hold_the_same_table():
    told = memophase("settings", "--markdown").stdout
    held = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert held == told, "write it anew: memophase settings --markdown > docs/settings.md"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("training", [name for name in ROWS if name.startswith("training.")]),
        ("objectives", ["search.objectives"]),
        ("network.width", ["network.width"]),
        ("size", ["corpus.size"]),
        ("seeds", ["seeds"]),
    ],
)
def test_a_name_finds_a_group_or_a_setting(name: str, found: list[str]):
    told = json.loads(memophase("settings", name, "--json").stdout)
    assert [row["name"] for row in told] == found
    text = memophase("settings", name).stdout
    assert all(f"  {each}  (" in text for each in found)
    named = [line for line in text.splitlines() if line.startswith("  ") and line[2] != " "]
    assert len(named) == len(found)


def test_a_name_that_means_nothing_gets_a_hint():
    told = memophase("settings", "trainig")
    assert told.exit_code == 2
    (line,) = told.stderr.splitlines()
    assert line == "error: trainig: no setting or group of that name; did you mean 'training'?"


def test_meanings_are_wrapped_to_the_terminal():
    lines = reference.text(reference.groups(), 60).splitlines()
    assert max(len(line) for line in lines if not line.startswith("  ") or line[2] == " ") <= 60
