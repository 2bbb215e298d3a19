from __future__ import annotations

import json

import pytest

from study.__main__ import main
from study.store.results import FOLDER
from tests.study.small import small


def test_one_config_is_trained_from_the_command_line(tmp_path, capsys):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(small().to_dict()))
    assert main([str(file), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "step=32" in printed
    assert str(tmp_path / "out" / FOLDER / small().hash) in printed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "must be a mapping"),
        ('{"grammar": {"depth": 2}}', "grammar.vocab_size: is required"),
        ("[" * 100_000, "cannot be read as JSON: maximum recursion depth exceeded"),
        (None, ": cannot be read: No such file or directory\n"),
    ],
)
def test_unusable_input_is_one_line_and_exit_2(tmp_path, capsys, text, says):
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    assert main([str(file), "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert "Traceback" not in printed.err
    assert all(line.startswith(f"error: {file}: ") for line in printed.err.splitlines())
    assert not (tmp_path / "out").exists()


def test_every_fault_is_a_line_of_its_own_whatever_it_says(tmp_path, capsys):
    document = small().to_dict()
    document["corpus"]["size"] = 10**6  # what is wrong, and what to do about it
    document["measurement"]["reverse_steps"] = 25
    file = tmp_path / "config.json"
    file.write_text(json.dumps(document))
    assert main([str(file), "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for line, field in zip(lines, ("measurement.reverse_steps", "corpus.size"), strict=True):
        assert line.startswith(f"error: {file}: {field}: ")
    assert "; make the corpus smaller" in lines[1]
