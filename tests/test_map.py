"""What README.md and CONTRIBUTING.md say of the house is so: paths, rooms and names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis.frames import index
from study.store import listing, results, runners
from sweeps.status import folder, usage

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FLOORS = ("rhm", "study", "analysis", "sweeps")
DOCUMENTS = [
    path.relative_to(ROOT)
    for path in sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench*/*.md")})
]

LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")
PATH = re.compile(r"`((?:rhm|study|analysis|sweeps|tests|benchmarks|docs)/[\w./-]*)`")
NAMED = re.compile(r"`(\w+)` (?:in|of) `([\w/]+\.py)`")
"""A name and the file that has it."""
SYMBOL = re.compile(r"`([\w/]+\.py)`, `([\w.]+)`")
"""A file and where to begin in it."""


def block(text: str, first: str) -> list[str]:
    """The lines of the indented block that begins with a word, dedented."""
    lines = text[text.index(f"\n    {first}") + 1 :].splitlines()
    end = next(i for i, line in enumerate(lines) if line and not line.startswith("    "))
    return [line[4:] for line in lines[:end] if line.strip()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_somewhere(document: Path):
    text = (ROOT / document).read_text(encoding="utf-8")
    links = {link for link in LINK.findall(text) if not link.startswith("//")}
    assert [link for link in links if not (ROOT / document.parent / link).exists()] == []


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_path_exists(text: str):
    paths = set(PATH.findall(text))
    assert len(paths) >= 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_tree_has_every_room_once():
    rooms, floor = [], ""
    for line in block(README, "sweeps/"):
        name = line.split()[0]
        if not line.startswith(" "):
            floor = name.rstrip("/")
            assert floor in FLOORS
            named = [word for word in line.split()[1:] if word.endswith((".py", "/"))]
            rooms += [f"{floor}/{each.rstrip('/')}" for each in named]
        elif name.endswith(("/", ".py")):
            rooms.append(f"{floor}/{name.rstrip('/')}")
    assert [room for room in rooms if not (ROOT / room).exists()] == []
    there = {
        str(path.parent.relative_to(ROOT))
        for top in FLOORS
        for path in (ROOT / top).glob("*/__init__.py")
    }
    assert sorted(room for room in rooms if not room.endswith(".py")) == sorted(there)


def test_where_to_start_reading_names_what_is_there():
    start = README[README.index("**Where do I start reading?**") :].partition("\n\n")[0]
    found = SYMBOL.findall(start)
    assert len(found) >= 2
    for path, name in found:
        text = (ROOT / path).read_text(encoding="utf-8")
        for part in name.split("."):
            assert re.search(rf"(class|def) {part}\b", text), (path, name)


def test_the_map_of_the_results_folder_names_what_is_there():
    lines = block(README, "results/demo/")
    named = {
        name.split("/")[0] for line in lines[1:] for name in line.split()[:2] if name[0] != "H"
    }
    files = {listing.FILE, usage.FILE}
    folders = {results.FOLDER, results.POOLS, runners.FOLDER, index.FOLDER}
    there = {*files, *folders, folder.OUTCOME, folder.FAILURES, "report"}
    assert there <= named


def test_what_is_registered_is_named_where_it_is():
    table = CONTRIBUTING[CONTRIBUTING.index("| to add |") :].partition("\n\n")[0]
    found = NAMED.findall(CONTRIBUTING)
    assert len(found) >= 4
    for name, path in found:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(def {name}\b|{name}\b.*=)", text, re.M), (name, path)
    for row in table.splitlines()[2:]:
        assert "`tests/" in row or "golden hashes" in row, row
