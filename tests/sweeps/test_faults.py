"""Malformed sweep files and options: every fault with its place, exit code 2, nothing written."""

import json
from pathlib import Path

import pytest

from tests.sweeps.tiny import TINY, memophase, refused

FINE = TINY.splitlines()


def changed(line: int, text: str) -> str:
    """The tiny sweep with one line (from 1) replaced."""
    return "\n".join([*FINE[: line - 1], text, *FINE[line:]]) + "\n"


def added(text: str) -> str:
    return TINY + text + "\n"


FILES = {
    "empty": ("", ["sweep.yaml: is empty"]),
    "only a comment": ("# nothing\n", ["sweep.yaml: is empty"]),
    "a list": ("- a\n- b\n", ["sweep.yaml:1:1: must be a mapping of settings"]),
    "a word": ("demo\n", ["sweep.yaml:1:1: must be a mapping of settings"]),
    "a tab": ("name: x\nbase:\n\tgrammar: {}\n", ["sweep.yaml:3:1: a tab; YAML is indented"]),
    "an open bracket": ("name: [x\n", ["sweep.yaml:2:1: is not valid YAML"]),
    "a bad indent": ("name: x\n  seeds: 2\n", ["sweep.yaml:2:8: is not valid YAML"]),
    "two documents": (TINY + "---\nname: y\n", ["sweep.yaml:11:1: is not valid YAML"]),
    "an undefined alias": ("name: *x\n", ["sweep.yaml:1:7: is not valid YAML"]),
    "deep nesting": ("name: " + "[" * 5000 + "\n", ["sweep.yaml: is nested too deeply"]),
    "nested a hundred deep": (
        "name: " + "[" * 100 + "]" * 100 + "\n",
        ["aliases or nesting make this document too large"],
    ),
    "an alias bomb": (
        "a0: &a0 [x, x]\n"
        + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
        ["aliases or nesting make this document too large"],
    ),
    "an alias to itself": ("name: &a [*a]\n", ["sweep.yaml:1:7: aliases or nesting"]),
    "a control character": ("name: \x01\n", ["sweep.yaml: is not text"]),
    "a tag": ("name: !!python/object:os.system x\n", ["sweep.yaml:1:7: name: the tag"]),
    "a binary tag": ("name: !!binary aGk=\n", ["sweep.yaml:1:7: name: the tag"]),
    "a merge key": ("base: &b {}\n<<: *b\n", ["sweep.yaml:2:1: a key must be a plain word"]),
    "a list as key": ("? [a]\n: 1\n", ["sweep.yaml:1:3: a key must be a plain word"]),
    "a repeated key": (added("seeds: 3"), ["sweep.yaml:11:1: seeds: is given twice"]),
    "a repeated nested key": (
        changed(4, "  network: {width: 8, width: 16}"),
        ["sweep.yaml:4:23: base.network.width: is given twice"],
    ),
    "a repeated level": (
        changed(3, "  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2, zipf: {0: 1, '0': 2}}"),
        ["base.grammar.zipf.0: is given twice"],
    ),
    "no name": (changed(1, ""), ["sweep.yaml:2:1: name: is required"]),
    "a name with a slash": (changed(1, "name: ../x"), ["sweep.yaml:1:1: name: may hold letters"]),
    "a number as name": (changed(1, "name: 5"), ["sweep.yaml:1:1: name: must be a word, not 5"]),
    "an unknown part": (
        added("sedes: 3"),
        ["sweep.yaml:11:1: sedes: unknown field; did you mean 'seeds'?"],
    ),
    "an unknown group": (
        changed(4, "  netwrok: {width: 8}"),
        [
            "sweep.yaml:4:3: base.netwrok: unknown field; did you mean 'network'?",
            "sweep.yaml:2:1: base.network.width: is required",
        ],
    ),
    "an unknown setting": (
        changed(6, "  training: {steps: 32, batch: 8}"),
        ["sweep.yaml:6:25: base.training.batch: unknown field; did you mean 'batch_size'?"],
    ),
    "a missing setting": (
        changed(3, "  grammar: {depth: 2, vocab_size: 4}"),
        ["sweep.yaml:3:3: base.grammar.num_synonyms: is required"],
    ),
    "a group that is a number": (
        changed(4, "  network: 8"),
        ["sweep.yaml:4:3: base.network: must be a mapping of settings, not 8"],
    ),
    "a word for a number": (
        changed(4, "  network: {width: wide}"),
        ["sweep.yaml:4:13: base.network.width: must be a whole number, not 'wide'"],
    ),
    "a fraction for a whole number": (
        changed(4, "  network: {width: 8.5}"),
        ["sweep.yaml:4:13: base.network.width: must be a whole number, not 8.5"],
    ),
    "a training too short to be measured": (
        changed(6, "  training: {batch_size: 8, steps: 2}"),
        ["sweep.yaml:6:29: base.training.steps: in 2 of 2 cells: 2 steps end before the first"],
    ),
    "not a number": (
        changed(6, "  training: {steps: 32, learning_rate: .nan}"),
        ["sweep.yaml:6:25: base.training.learning_rate: must be a number, not nan"],
    ),
    "out of bounds": (
        changed(5, "  diffusion: {num_timesteps: 20}"),
        ["sweep.yaml:5:15: base.diffusion.num_timesteps: must be 21 or more, not 20"],
    ),
    "minutes for a number": (
        changed(6, "  training: {steps: 1:30}"),
        ["sweep.yaml:6:14: base.training.steps: must be a whole number, not '1:30'"],
    ),
    "no for a flag": (
        added("skip_infeasible: no"),
        ["sweep.yaml:11:1: skip_infeasible: must be true or false, not 'no'"],
    ),
    "a seed": (
        changed(4, "  network: {width: 8}\n  seed: 3"),
        ["sweep.yaml:5:3: base.seed: replicas are seeded 0, 1, 2"],
    ),
    "a Zipf level that is a word": (
        changed(3, "  grammar: {depth: 2, vocab_size: 4, num_synonyms: 2, zipf: {root: 1}}"),
        ["base.grammar.zipf: level 'root' must be a whole number"],
    ),
    "a negative exponent": (
        changed(9, "  grammar.zipf.0: [-1]\n  corpus.size: [4]"),
        ["sweep.yaml:9:20: grid.grammar.zipf.0.0: exponent -1 of level 0 must be 0 or more"],
    ),
    "no seeds": (changed(10, "seeds: 0"), ["sweep.yaml:10:1: seeds: must be 1 or more, not 0"]),
    "half a seed": (changed(10, "seeds: 1.5"), ["sweep.yaml:10:1: seeds: must be a whole number"]),
    "a grid that is a list": (
        changed(9, "  - corpus.size"),
        ["sweep.yaml:8:1: grid: must be a mapping"],
    ),
    "an unknown axis": (
        changed(9, "  corpus.sise: [4, 8]"),
        ["sweep.yaml:9:3: grid.corpus.sise: unknown field; did you mean 'corpus.size'?"],
    ),
    "an axis over a group": (
        changed(9, "  corpus: [4, 8]"),
        ["sweep.yaml:9:3: grid.corpus: is a group of settings; name one of them, as in"],
    ),
    "an axis over seeds": (
        changed(9, "  seed: [4, 8]"),
        ["sweep.yaml:9:3: grid.seed: replicas are"],
    ),
    "an axis with one number": (
        changed(9, "  corpus.size: 4"),
        ["grid.corpus.size: must be a list"],
    ),
    "an axis without values": (
        changed(9, "  corpus.size: []"),
        ["grid.corpus.size: has no values"],
    ),
    "a value twice": (changed(9, "  corpus.size: [4, 8, 4]"), ["value 4 is given twice"]),
    "a number within a word": (
        changed(4, "  network: {width: eighteen}"),
        ["base.network.width: must be a whole number, not 'eighteen'"],
    ),
    "a setting outside base": (
        added("steps: 3"),
        ["sweep.yaml:11:1: steps: unknown field; did you mean 'base.training.steps'?"],
    ),
    "a group outside base": (
        added("training: {steps: 3}"),
        ["sweep.yaml:11:1: training: is a group of a training's settings; it goes into base"],
    ),
    "a list in base": (
        changed(4, "  network: {width: [8, 16]}"),
        [
            "sweep.yaml:4:13: base.network.width: must be a whole number, not [8, 16]; "
            "an axis takes several: grid: {network.width: [8, 16]}"
        ],
    ),
    "too many axes of a report": (
        added("report: {axes: [corpus.size, corpus.size, corpus.size]}"),
        ["sweep.yaml:11:10: report.axes: must name 1 or 2 axes, not 3"],
    ),
    "an axis of a report that is no word": (
        added("report: {axes: [1]}"),
        ["sweep.yaml:11:17: report.axes.0: must be a word, not 1"],
    ),
    "no GPUs and no memory": (
        added("resources: {gpus_per_pack: .inf, memory_gib_per_pack: 0}"),
        [
            "sweep.yaml:11:13: resources.gpus_per_pack: must be a share from 0 to 1",
            "sweep.yaml:11:34: resources.memory_gib_per_pack: must be auto or a number above 0",
        ],
    ),
    "a bad value": (
        changed(9, "  corpus.size: [4, eight, 0]"),
        [
            "sweep.yaml:9:20: grid.corpus.size.1: must be a whole number, not 'eight'",
            "sweep.yaml:9:27: grid.corpus.size.2: must be 1 or more, not 0",
        ],
    ),
    "an unknown form": (changed(9, "  corpus.size: {log3: [1, 2]}"), ["'log3' is no way to write"]),
    "log2 the wrong way": (
        changed(9, "  corpus.size: {log2: [3, 1]}"),
        ["log2 goes from the smaller"],
    ),
    "log2 of one number": (changed(9, "  corpus.size: {log2: 3}"), ["log2 takes [a, b]"]),
    "log2 out of reach": (changed(9, "  corpus.size: {log2: [1, 999]}"), ["log2 takes [a, b]"]),
    "linspace of two numbers": (
        changed(9, "  corpus.size: {linspace: [1, 2]}"),
        ["linspace takes"],
    ),
    "a range in a grid search": (
        changed(9, "  corpus.size: {uniform: [4, 8]}"),
        ["sweep.yaml:9:3: grid.corpus.size: a range needs `search: {kind: random"],
    ),
    "unequal coupled axes": (
        added("zip:\n  network.width: [8, 16]\n  grammar.depth: [2, 3, 4]"),
        ["sweep.yaml:11:1: zip: coupled axes need equally many values, not network.width 2"],
    ),
    "an axis in grid and zip": (
        added("zip:\n  corpus.size: [4, 8]"),
        ["sweep.yaml:12:3: zip.corpus.size: overlaps the axis corpus.size"],
    ),
    "an axis within another": (
        changed(9, "  grammar.zipf: [{0: 1}]\n  grammar.zipf.1: [1]\n  corpus.size: [4]"),
        ["sweep.yaml:10:3: grid.grammar.zipf.1: overlaps the axis grammar.zipf"],
    ),
    "zip that is a number": (added("zip: 3"), ["sweep.yaml:11:1: zip: must be a mapping of axes"]),
    "too many trainings": (
        changed(9, "  corpus.size: {linspace: [1, 9000, 9000]}\n  network.width: {log2: [0, 15]}"),
        ["sweep.yaml:8:1: grid: this sweep has 288000 trainings, more than 100000"],
    ),
    "infeasible cells": (
        changed(9, "  corpus.size: [4, 16, 17, 64]"),
        [
            "sweep.yaml:9:3: corpus.size: at size=17: 17 training and 17 control strings",
            "sweep.yaml:9:3: corpus.size: at size=64: 64 training",
            "skip_infeasible: 2 of 4 cells cannot be trained",
        ],
    ),
    "one cause in some cells": (
        changed(9, "  corpus.size: [4, 99]\n  network.width: [8, 16, 24]"),
        [
            "sweep.yaml:9:3: corpus.size: at size=99, in 3 of 6 cells: 99 training",
            "skip_infeasible: 3 of 6 cells cannot be trained (first: size=99 width=8); "
            "`skip_infeasible: true` leaves them out",
        ],
    ),
    "one cause in all cells": (
        changed(9, "  corpus.size: [4, 5, 8]\n  diffusion.num_timesteps: [21, 22, 23]").replace(
            "generated: 40", "generated: 40, reverse_steps: 24"
        ),
        [
            "base.measurement.reverse_steps: at num_timesteps=21, in 3 of 9 cells: must be",
            "base.measurement.reverse_steps: at num_timesteps=22, in 3 of 9 cells: must be",
            "base.measurement.reverse_steps: at num_timesteps=23, in 3 of 9 cells: must be",
            "sweep.yaml:8:1: grid: no cell of this sweep can be trained",
        ],
    ),
    "no feasible cell": (
        changed(9, "  corpus.size: [64]\nskip_infeasible: true"),
        [
            "sweep.yaml:9:3: corpus.size: at size=64: 64 training",
            "sweep.yaml:8:1: grid: no cell of this sweep can be trained",
        ],
    ),
    "a network of no known kind": (
        changed(9, "  corpus.size: [4]\n  network.kind: [unet, perceptron]"),
        ["there is no model 'perceptron' here; known are transformer, unet, unet-reference"],
    ),
    "an infeasible base": (
        TINY.replace("num_synonyms: 2", "num_synonyms: 9")
        .replace("grid:\n  corpus.size: [4, 8]\n", "")
        .replace("network: {width: 8}", "network: {width: 8}\n  corpus: {size: 4}"),
        ["sweep.yaml:3:3: base.grammar: "],
    ),
    "equal cells": (
        changed(9, "  corpus.size: [4]\n  grammar.zipf: [{0: 0}, {1: 0}]"),
        ["sweep.yaml:8:1: grid: cells size=4 zipf={0:0} and size=4 zipf={1:0} are the same"],
    ),
    "cells of different length": (
        changed(9, "  corpus.size: [4]\n  training.steps: [32, 64]"),
        ["are the same training but for its length; keep the longest"],
    ),
    "a search that does not exist": (
        added("search: {kind: annealing}"),
        ["sweep.yaml:11:10: search.kind: there is no search 'annealing'; there are grid, random"],
    ),
    "a random search of no size": (
        added("search: {kind: random}"),
        ["sweep.yaml:11:1: search.num_samples: is required for a random search"],
    ),
    "more samples than cells": (
        added("search: {kind: random, num_samples: 5}"),
        ["sweep.yaml:11:24: search.num_samples: only 2 different cells were found, not 5"],
    ),
    "resources that are words": (
        added("resources: {cpus_per_pack: two, members_per_pack: all, gpus_per_pack: 1.5}"),
        [
            "sweep.yaml:11:13: resources.cpus_per_pack: must be a whole number, not 'two'",
            "sweep.yaml:11:33: resources.members_per_pack: must be auto or a whole number",
            "sweep.yaml:11:56: resources.gpus_per_pack: must be a share from 0 to 1",
        ],
    ),
    "an unknown resource": (
        added("resources: {cpu_per_pack: 1}"),
        ["sweep.yaml:11:13: resources.cpu_per_pack: unknown field; did you mean 'cpus_per_pack'?"],
    ),
    "a report over no axis": (
        added("report: {axes: [corpus.size, network.width], facet: grammar.dept}"),
        [
            "report.axes.1: 'network.width' is no axis of this sweep; known are corpus.size",
            "report.facet: 'grammar.dept' is no axis of this sweep",
        ],
    ),
    "faults of every part": (
        "base: {grammar: {depth: deep}}\ngrid: {corpus.sise: [1]}\nseeds: many\nsearch: 3\n",
        [
            "sweep.yaml:1:1: name: is required",
            "sweep.yaml:1:18: base.grammar.depth: must be a whole number, not 'deep'",
            "sweep.yaml:1:8: base.grammar.vocab_size: is required",
            "sweep.yaml:2:8: grid.corpus.sise: unknown field",
            "sweep.yaml:3:1: seeds: must be a whole number, not 'many'",
            "sweep.yaml:4:1: search: must be a mapping, not 3",
        ],
    ),
}

OPTIONS = {
    "no value": (["seeds"], ["--set seeds: is not of the form key=value"]),
    "no key": (["=3"], ["--set =3: is not of the form key=value"]),
    "an unknown key": (["sedes=3"], ["--set sedes=3: sedes: unknown field; did you mean 'seeds'?"]),
    "an unknown setting": (
        ["training.stpes=3"],
        ["--set training.stpes=3: training.stpes: unknown field; did you mean 'training.steps'?"],
    ),
    "the last word of a setting": (
        ["steps=512"],
        ["--set steps=512: steps: unknown field; did you mean 'training.steps'?"],
    ),
    "the last word of a part of the file": (
        ["num_samples=3"],
        ["num_samples: unknown field; did you mean 'search.num_samples'?"],
    ),
    "a mistyped last word": (["widht=8"], ["did you mean 'search.width' or 'network.width'?"]),
    "nothing like a setting": (["xyzzy=8"], ["xyzzy: unknown field; `memophase settings` lists"]),
    "a group": (["training=3"], ["--set training=3: training: is a group of settings"]),
    "a seed": (["seed=3"], ["--set seed=3: seed: replicas are seeded"]),
    "a bad value": (["seeds=x"], ["--set seeds=x: seeds: must be a whole number, not 'x'"]),
    "bad YAML": (["network.width=[1"], ["--set network.width=[1: is not valid YAML"]),
    "a list outside the grid": (
        ["network.width=[8, 16]"],
        [
            "--set network.width=[8, 16]: base.network.width: must be a whole number, not [8, 16]; "
            "an axis takes several: --set 'grid.network.width=[8, 16]'"
        ],
    ),
    "an infeasible value": (
        ["corpus.size=99"],
        ["--set corpus.size=99: corpus.size: at size=99: 99"],
    ),
    "steps beyond counting": (
        ["training.steps=1e300"],
        ["base.training.steps: must be 1000000000000 or less"],
    ),
    "a schedule that no memory holds": (
        ["diffusion.num_timesteps=99999999999"],
        ["base.diffusion.num_timesteps: must be 100000 or less, not 99999999999"],
    ),
    "an axis of the report twice": (
        ["report.axes=[corpus.size, corpus.size]"],
        ["report.axes: names 'corpus.size' twice"],
    ),
    "an axis of the report as its facet": (
        ["report={axes: [corpus.size], facet: corpus.size}"],
        ["report.facet: 'corpus.size' is one of report.axes already"],
    ),
    "several": (
        ["seeds=x", "nonsense", "network.width=0"],
        [
            "--set seeds=x: seeds: must be",
            "--set nonsense: is not of the form",
            "--set network.width=0: base.network.width: must be 1 or more, not 0",
        ],
    ),
}


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", FILES)
def test_every_fault_of_a_file_is_told_with_its_place(case: str, tmp_path: Path):
    text, expected = FILES[case]
    Path("sweep.yaml").write_text(text)
    lines = refused(memophase("run", "sweep.yaml"))
    for part in expected:
        assert any(part in line for line in lines), (part, lines)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.yaml"]


@pytest.mark.parametrize("case", [case for case in FILES if case != "faults of every part"])
def test_a_file_has_no_faults_but_those_it_is_made_for(case: str):
    text, expected = FILES[case]
    Path("sweep.yaml").write_text(text)
    lines = refused(memophase("plan", "sweep.yaml", "--no-time"))
    assert len(lines) <= max(2, len(expected)), lines


def test_a_sweep_without_a_feasible_cell_is_told_the_cause_once():
    text = changed(9, "  corpus.size: [4, 5, 8]\n  network.width: [8, 16, 24]")
    Path("sweep.yaml").write_text(text.replace("generated: 40", "generated: 40, reverse_steps: 30"))
    (line,) = refused(memophase("plan", "sweep.yaml", "--no-time"))
    assert "base.measurement.reverse_steps: in 9 of 9 cells: must be at most" in line
    assert "skip_infeasible" not in line


def test_a_list_for_a_setting_is_answered_by_an_option_that_works():
    Path("sweep.yaml").write_text(TINY)
    (line,) = refused(memophase("plan", "sweep.yaml", "--set", "grammar.vocab_size=[4,6]"))
    advice = line.partition("an axis takes several: --set ")[2]
    assert advice == "'grid.grammar.vocab_size=[4,6]'"
    told = memophase("plan", "sweep.yaml", "--no-time", "--json", "--set", advice.strip("'"))
    assert json.loads(told.stdout)["cells"] == 4


@pytest.mark.parametrize("case", OPTIONS)
def test_every_fault_of_an_option_is_told_with_its_name(case: str, tmp_path: Path):
    options, expected = OPTIONS[case]
    Path("sweep.yaml").write_text(TINY)
    lines = refused(memophase("run", "sweep.yaml", *(f"--set={option}" for option in options)))
    for part in expected:
        assert any(part in line for line in lines), (part, lines)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.yaml"]


def test_unreadable_files():
    Path("folder").mkdir()
    Path("latin.yaml").write_bytes("name: größe\n".encode("latin-1"))
    Path("image.yaml").write_bytes(bytes(range(256)))
    Path("huge.yaml").write_text("#" * 2_000_000)
    Path("gone.yaml").symlink_to("nowhere.yaml")
    faults = {
        name: refused(memophase("plan", name))
        for name in (
            "folder",
            "latin.yaml",
            "image.yaml",
            "huge.yaml",
            "gone.yaml",
            "dmo",
        )
    }
    assert faults["folder"] == ["error: folder: is a folder, not a file"]
    assert "is not text" in faults["latin.yaml"][0]
    assert "is not text" in faults["image.yaml"][0]
    assert "has 2000000 bytes, more than 1000000" in faults["huge.yaml"][0]
    assert "cannot be read: No such file" in faults["gone.yaml"][0]
    assert faults["dmo"][0].endswith("no preset of that name; did you mean 'demo'?")


def test_yaml_traps_are_gone():
    text = changed(6, "  training: {steps: 3.2e1, batch_size: 010, learning_rate: 1e-3}")
    Path("sweep.yaml").write_text(text.replace("tiny", "on"))
    result = memophase("plan", "sweep.yaml", "--no-time", "--json")
    assert result.exit_code == 0, result.output
    assert '"name": "on"' in result.stdout
