"""Corpora of one's own that cannot be used: one line says why, exit code 2, nothing is written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from sweeps.cli import app

GOOD = [a + b + c + d for a in "xy" for b in "xyz" for c in "xyz" for d in "xyz"]


@dataclass(frozen=True)
class Case:
    """What is written to a file, settings of the sweep, and what the one line says."""

    says: str
    write: Callable[[Path], object] | None = None
    name: str = "mine.txt"
    corpus: dict[str, object] = field(default_factory=dict)
    strings: dict[str, object] = field(default_factory=dict)
    more: str = ""


def text(content: str | list[str]) -> Callable[[Path], object]:
    lines = content if isinstance(content, str) else "\n".join(content) + "\n"
    return lambda path: path.write_text(lines)


def data(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def array(values: object) -> Callable[[Path], object]:
    return lambda path: np.save(path, values)


def parquet(**columns: object) -> Callable[[Path], object]:
    return lambda path: pq.write_table(pa.table(columns), path)


def module(code: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(code)


CSV = "word,f\n" + "".join(f"{word},{i + 1}\n" for i, word in enumerate(GOOD))

CASES = {
    "no path": Case("must say where the strings are", corpus={"path": None}),
    "no file": Case("there is no file"),
    "a folder": Case("is a folder, not a file", write=lambda path: path.mkdir()),
    "a pipe": Case("is no plain file", write=os.mkfifo),
    "an empty file": Case("is empty", write=text("")),
    "blank lines alone": Case("has no line with anything in it", write=text("\n \n\n")),
    "another encoding": Case("is not UTF-8 text (at byte 2)", write=data(b"xy\xe4z\nxyzz\n")),
    "two bytes a letter": Case("is not UTF-8 text", write=data("xyzx\nyzxy\n".encode("utf-16"))),
    "binary": Case("a control character in line 2", write=data(b"xyzx\nab\x00d\n")),
    "ragged lines": Case(
        "54 have 4, 1 have 3 symbols (string 3 has 3): set strings.length",
        write=text([*GOOD[:2], "xyz", *GOOD[2:]]),
    ),
    "ragged words": Case("2 have 2, 1 have 3 symbols", write=text("a b\nc d e\nb a\n")),
    "one symbol a line": Case("have nothing to be learned", write=text("a\nb\nc\nd\n")),
    "one symbol in all": Case("all strings are of one symbol", write=text("aaaa\naaaa\n")),
    "too long": Case("are longer than 4096", write=text(["ab" * 2100, "ba" * 2100])),
    "repeats alone": Case("only 2 distinct strings", write=text(["abab", "baba"] * 60)),
    "too few": Case("there are only 3 distinct strings", write=text("abab\nbaba\naabb\n")),
    "more than the pool": Case(
        "of 54 strings only 27 are not put aside", write=text(GOOD), corpus={"size": 20}
    ),
    "too many symbols": Case(
        "there are 300 different symbols, more than 255",
        write=text([f"s{i} s{(i + 1) % 300}" for i in range(300)]),
    ),
    "a length that makes no tree": Case(
        "strings of 6 symbols make no tree of tuples of 2; set strings.length: 4",
        write=text([word + word[:2] for word in GOOD]),
    ),
    "a length that no string has": Case(
        "no string has 9 symbols; 54 have 4", write=text(GOOD), strings={"length": 9}
    ),
    "a cut without a length": Case("needs strings.length", write=text(GOOD), strings={"cut": True}),
    "two typicalities": Case(
        "says the same as typicality", strings={"typicality": "f", "frequency": "f"}
    ),
    "columns of a text file": Case(
        "has none; CSV and parquet files have", write=text(GOOD), strings={"column": "word"}
    ),
    "an unknown column": Case(
        "there is no column 'wrod'; did you mean 'word'?",
        write=text(CSV),
        name="mine.csv",
        strings={"column": "wrod"},
    ),
    "an unknown frequency": Case(
        "there is no column 'freq'", write=text(CSV), name="mine.csv", strings={"frequency": "freq"}
    ),
    "frequencies that are words": Case(
        "holds string, no numbers", write=text(CSV), name="mine.csv", strings={"frequency": "word"}
    ),
    "a frequency of nothing": Case(
        "row 2 has a frequency of 0; all must be above 0",
        write=text("word,f\nxyxy,1\nyxyx,0\nxxyy,2\nyyxx,4\n"),
        name="mine.csv",
        strings={"frequency": "f"},
    ),
    "no typicality": Case(
        "row 2 of 'f' is no finite number",
        write=text("word,f\nxyxy,1\nyxyx,\nxxyy,2\n"),
        name="mine.csv",
        strings={"typicality": "f"},
    ),
    "one typicality for all": Case(
        "is the same for all strings",
        write=text("word,f\nxyxy,1\nyxyx,1\nxxyy,1\nyyxx,1\n"),
        name="mine.csv",
        strings={"typicality": "f"},
    ),
    "two columns of text": Case(
        "2 columns of text (a, b): say which holds the strings",
        write=text("a,b\nxy,yx\nyx,xy\n"),
        name="mine.csv",
    ),
    "a table without text": Case(
        "has no column of text", write=text("a,b\n1,2\n3,4\n"), name="mine.csv"
    ),
    "a table without rows": Case("has no rows", write=text("word,f\n"), name="mine.csv"),
    "a torn table": Case("cannot be read as CSV", write=text("a,b\n1\n2,3\n"), name="mine.csv"),
    "no parquet": Case("cannot be read as parquet", write=text(GOOD), name="mine.parquet"),
    "a missing string": Case(
        "row 2 has no string", write=parquet(word=["xyxy", None, "yxyx"]), name="mine.parquet"
    ),
    "numbers for strings": Case(
        "holds int64, neither text nor lists",
        write=parquet(word=[1, 2, 3]),
        name="mine.parquet",
        strings={"column": "word"},
    ),
    "no array": Case("cannot be read as .npy", write=text(GOOD), name="mine.npy"),
    "fractions": Case("holds float64, not integers", write=array(np.ones((9, 4))), name="m.npy"),
    "objects": Case(
        "cannot be read as .npy", write=array(np.array([{}, []], dtype=object)), name="m.npy"
    ),
    "a row of numbers": Case(
        "has 1 dimensions; strings need two", write=array(np.arange(9)), name="m.npy"
    ),
    "an empty array": Case("is empty", write=array(np.zeros((0, 4), dtype=int)), name="m.npy"),
    "no module": Case("module 'nowhere_at_all' cannot be", corpus={"path": "nowhere_at_all:f"}),
    "no function": Case(
        "has no function 'g'",
        write=module("f = 3\n"),
        name="made_a.py",
        corpus={"path": "made_a:g"},
    ),
    "a function that fails": Case(
        "made_b:f failed: no luck",
        write=module("def f():\n    raise OSError('no luck')\n"),
        name="made_b.py",
        corpus={"path": "made_b:f"},
    ),
    "a function of nothing": Case(
        "returns no sequence of strings",
        write=module("def f():\n    return 7\n"),
        name="made_c.py",
        corpus={"path": "made_c:f"},
    ),
    "a function that ends the program": Case(
        "made_d:f failed: it ends the program, SystemExit(3)",
        write=module("def f():\n    raise SystemExit(3)\n"),
        name="made_d.py",
        corpus={"path": "made_d:f"},
    ),
    "a module that ends the program": Case(
        "cannot be imported: it ends the program",
        write=module("import sys\nsys.exit('over')\n"),
        name="made_e.py",
        corpus={"path": "made_e:f"},
    ),
    "one string again and again": Case(
        "there is only 1 distinct string,", write=text("abab\n" * 9)
    ),
    "too many numbers": Case(
        "there are 400 different symbols, more than 255",
        write=array(np.arange(400).reshape(100, 4)),
        name="m.npy",
    ),
    "an unknown corpus": Case("there is no corpus 'wrods'", corpus={"source": "wrods"}),
    "a path beside a grammar": Case(
        "goes with corpus.source: strings",
        corpus={"source": "grammar"},
        more="  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}\n",
    ),
    "a grammar beside strings": Case(
        "is none of corpus.source: strings; leave it out",
        write=text(GOOD),
        more="  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2}\n",
    ),
    "an unknown score": Case(
        "must be one of auto, ngram, positional", write=text(GOOD), strings={"score": "trigram"}
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_malformed_corpus_is_one_line_and_exit_2(name, tmp_path, monkeypatch):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    if case.write is not None:
        case.write(tmp_path / case.name)
    corpus = {"source": "strings", "path": case.name, "size": 8, **case.corpus}
    base = f"  corpus: {json.dumps(corpus)}\n  strings: {json.dumps(case.strings)}\n{case.more}"
    rest = "  network: {width: 8}\n  training: {steps: 64}\n"
    Path("mine.yaml").write_text(f"name: mine\nbase:\n{base}{rest}")
    before = sorted(path.name for path in tmp_path.iterdir())
    ended = CliRunner().invoke(app, ["run", "mine.yaml"])
    lines = ended.stderr.splitlines()
    assert ended.exit_code == 2
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: mine.yaml")
    assert case.says in lines[0]
    after = sorted(p.name for p in tmp_path.iterdir() if p.name != "__pycache__")
    assert after == before


def test_there_are_thirty_and_more():
    assert len(CASES) >= 30
