"""Malformed searches: every fault with its place, exit code 2, nothing written."""

from pathlib import Path

import pytest

from tests.sweeps.tiny import TINY, memophase

GRID = """\
grid:
  corpus.size: [2, 4, 8]
  network.width: [8, 16]
"""
BOUNDARY = TINY.replace("grid:\n  corpus.size: [4, 8]\n", GRID)
SPANS = BOUNDARY.replace("[2, 4, 8]", "{loguniform: [2, 8]}")


def search(text: str, sweep: str = BOUNDARY) -> str:
    return f"{sweep}search: {{{text}}}\n"


def boundary(text: str = "", sweep: str = BOUNDARY) -> str:
    return search(f"kind: boundary{', ' + text if text else ''}", sweep)


def optuna(text: str, sweep: str = SPANS) -> str:
    return search(f"kind: optuna, {text}", sweep)


BEST = "objectives: {novel_validity: max}, num_samples: 4"

CASES = {
    "no kind of that name": (search("kind: bayes"), ["search.kind: there is no search 'bayes'"]),
    "a kind that is no word": (search("kind: [grid]"), ["search.kind: there is no search"]),
    "a kind of nothing": (search("kind: null"), ["search.kind: there is no search 'None'"]),
    "a list of searches": (BOUNDARY + "search: [grid]\n", ["search: must be a mapping"]),
    "a word for a search": (BOUNDARY + "search: grid\n", ["search: must be a mapping, not 'grid'"]),
    "an option of another search": (
        search("kind: grid, level: 0.5"),
        ["search.level: goes with `kind: boundary` only"],
    ),
    "an option of two others": (
        search("kind: grid, seed: 1"),
        ["search.seed: goes with `kind: random` or `kind: boundary` or `kind: optuna` only"],
    ),
    "a mistyped option": (
        boundary("widht: 1"),
        ["search.widht: unknown field; did you mean 'width"],
    ),
    "an option of no search": (boundary("zebra: 1"), ["search.zebra: unknown field; known are"]),
    "random without a number": (
        search("kind: random"),
        ["search.num_samples: is required for a random search"],
    ),
    "random of none": (
        search("kind: random, num_samples: 0"),
        ["search.num_samples: must be 1 or more, not 0"],
    ),
    "random of a half": (
        search("kind: random, num_samples: 1.5"),
        ["search.num_samples: must be a whole number, not 1.5"],
    ),
    "random of too many": (
        search("kind: random, num_samples: 60000"),
        ["this sweep has 120000 trainings, more than 100000"],
    ),
    "a negative seed": (
        search("kind: random, num_samples: 2, seed: -1"),
        ["search.seed: must be 0 or more, not -1"],
    ),
    "a level beyond its measure": (
        boundary("level: 1.5"),
        ["search.level: must lie between 0 and 1, where excess_copies does, not 1.5"],
    ),
    "a level at an end": (boundary("level: 0"), ["search.level: must lie between 0 and 1"]),
    "a level that is a word": (
        boundary("level: half"),
        ["search.level: must be a number, not 'half'"],
    ),
    "a level that is no number": (boundary("level: .nan"), ["search.level: must be a number, not"]),
    "a width of nothing": (boundary("width: 0"), ["search.width: must be above 0, not 0"]),
    "a negative width": (boundary("width: -1"), ["search.width: must be above 0, not -1"]),
    "a budget of nothing": (boundary("budget: 0"), ["search.budget: must be above 0, not 0"]),
    "a budget in words": (
        boundary("budget: 1 hour"),
        ["search.budget: must be a number, not '1 hour'"],
    ),
    "an infinite budget": (boundary("budget: .inf"), ["search.budget: must be a number, not inf"]),
    "a coverage of all": (boundary("coverage: 1"), ["search.coverage: must be 0.999 or less"]),
    "a coverage in per cent": (
        boundary("coverage: 95"),
        ["search.coverage: must be 0.999 or less"],
    ),
    "a measure that is mistyped": (
        boundary("measure: exces_copies"),
        ["search.measure: 'exces_copies' is not measured; did you mean 'excess_copies'?"],
    ),
    "a measure that is none": (
        boundary("measure: loss"),
        ["search.measure: 'loss' is not measured"],
    ),
    "a measure without its level": (
        boundary("measure: partial_memorization"),
        ["search.measure: 'partial_memorization' has a value for each level; name one, as in"],
    ),
    "a measure with a level too many": (
        boundary("measure: excess_copies.1"),
        ["search.measure: 'excess_copies' has no levels; write 'excess_copies'"],
    ),
    "a level of a measure in words": (
        boundary("measure: validity.root"),
        ["search.measure: 'validity' has a value for each level; name one"],
    ),
    "a level that no grammar of the sweep has": (
        boundary("measure: partial_memorization.7"),
        ["search.measure: 'partial_memorization.7' needs a level that no cell has"],
    ),
    "a key as a measure": (boundary("measure: step"), ["search.measure: 'step' is not measured"]),
    "a measure that is a number": (
        boundary("measure: 3"),
        ["search.measure: must be a word, not 3"],
    ),
    "a boundary over a range": (
        boundary(sweep=SPANS),
        ["grid.corpus.size: a boundary search takes values to choose from; write a list"],
    ),
    "a boundary over words": (
        boundary(
            sweep=BOUNDARY.replace("network.width: [8, 16]", "network.kind: [unet, transformer]")
        ),
        ["grid.network.kind: a boundary search takes axes of different numbers"],
    ),
    "a boundary over steps": (
        boundary(sweep=BOUNDARY.replace("network.width: [8, 16]", "training.steps: [32, 64]")),
        ["grid.training.steps: every training is read at all its steps; set the largest in base"],
    ),
    "a boundary of a point": (
        boundary(sweep=TINY.replace("[4, 8]", "[4]")),
        ["grid: a boundary search needs an axis with several values"],
    ),
    "a boundary of all that can be trained, one cell": (
        boundary(
            sweep=TINY.replace("[4, 8]", "[8, 800]").replace(
                "seeds: 2", "seeds: 2\nskip_infeasible: true"
            )
        ),
        ["grid: a boundary search needs two cells that can be trained"],
    ),
    "a boundary of no cell": (
        boundary(
            sweep=TINY.replace("[4, 8]", "[700, 800]").replace(
                "seeds: 2", "seeds: 2\nskip_infeasible: true"
            )
        ),
        [
            "size=700: 700 training",
            "size=800: 800 training",
            "grid: no cell of this sweep can be trained",
        ],
    ),
    "a boundary of single seeds": (
        boundary(sweep=BOUNDARY.replace("seeds: 2", "seeds: 1")),
        ["seeds: a boundary search needs 2 or more"],
    ),
    "optuna without what it needs": (
        search("kind: optuna", SPANS),
        [
            "search.objectives: is required for a optuna search",
            "search.num_samples: is required for a optuna search",
        ],
    ),
    "an objective without a direction": (
        optuna("objectives: [novel_validity], num_samples: 4"),
        ["search.objectives: must map 1 to 3 measures to max or min"],
    ),
    "an objective in a wrong direction": (
        optuna("objectives: {novel_validity: up}, num_samples: 4"),
        ["search.objectives: 'novel_validity' is made max or min, not 'up'"],
    ),
    "an objective that is not measured": (
        optuna("objectives: {validty: max}, num_samples: 4"),
        ["search.objectives: 'validty' is not measured; did you mean 'validity'?"],
    ),
    "no objective": (
        optuna("objectives: {}, num_samples: 4"),
        ["search.objectives: must map 1 to 3 measures to max or min"],
    ),
    "four objectives": (
        optuna(
            "objectives: {novel_validity: max, excess_copies: min, root_validity: max, "
            "copy_fraction: min}, num_samples: 4"
        ),
        ["search.objectives: must map 1 to 3 measures to max or min"],
    ),
    "a constraint without a side": (
        optuna(BEST + ", constraints: {excess_copies: 0.1}"),
        ["search.constraints: 'excess_copies' takes a bound, as {max: 0.1} or {min: 0.1}"],
    ),
    "a constraint of both sides": (
        optuna(BEST + ", constraints: {excess_copies: {max: 0.1, min: 0}}"),
        ["search.constraints: 'excess_copies' takes a bound"],
    ),
    "a constraint at a word": (
        optuna(BEST + ", constraints: {excess_copies: {max: small}}"),
        ["search.constraints: the bound of 'excess_copies' must be a number, not 'small'"],
    ),
    "a constraint on what is not measured": (
        optuna(BEST + ", constraints: {copies: {max: 0.1}}"),
        ["search.constraints: 'copies' is not measured"],
    ),
    "a list of constraints": (
        optuna(BEST + ", constraints: [excess_copies]"),
        ["search.constraints: must map measures to a bound"],
    ),
    "a sampler that is none": (
        optuna(BEST + ", sampler: cma"),
        ["search.sampler: must be one of tpe, gp, not 'cma'"],
    ),
    "a step that is none": (
        optuna(BEST + ", read: first"),
        ["search.read: must be one of last, best, not 'first'"],
    ),
    "no cells": (
        optuna("objectives: {novel_validity: max}, num_samples: 0"),
        ["search.num_samples: must be 1 or more, not 0"],
    ),
    "nothing to choose": (
        optuna(
            BEST,
            TINY.replace("grid:\n  corpus.size: [4, 8]\n", "").replace(
                "network: {width: 8}", "network: {width: 8}\n  corpus: {size: 4}"
            ),
        ),
        ["grid: an optuna search needs an axis"],
    ),
    "steps as an axis": (
        optuna(BEST, BOUNDARY.replace("network.width: [8, 16]", "training.steps: [32, 64]")),
        ["grid.training.steps: every training is read at all its steps; see search.read"],
    ),
    "corners that no training can have": (
        optuna(BEST, SPANS.replace("[2, 8]", "[2, 800]")),
        ["corpus.size: at size=800, in 2 of 4 cells: ", "skip_infeasible"],
    ),
    "a range whose ends are turned": (
        optuna(BEST, SPANS.replace("[2, 8]", "[8, 2]")),
        ["grid.corpus.size: loguniform takes [a, b] with a < b"],
    ),
    "a list of measures": (
        boundary("measure: [excess_copies, root_validity]"),
        ["search.measure: must be a word, not ['excess_copies', 'root_validity']"],
    ),
    "a level of a measure below the root": (
        boundary("measure: partial_memorization.-1"),
        ["search.measure: 'partial_memorization' has a value for each level; name one"],
    ),
    "a boundary over yes and no": (
        boundary(sweep=BOUNDARY.replace("network.width: [8, 16]", "corpus.unique: [true, false]")),
        ["grid.corpus.unique: a boundary search takes axes of different numbers"],
    ),
    "a boundary over whole tails": (
        boundary(sweep=BOUNDARY.replace("network.width: [8, 16]", "grammar.zipf: [{}, {0: 1}]")),
        ["grid.grammar.zipf: a boundary search takes axes of different numbers"],
    ),
    "a kind given twice": (search("kind: grid, kind: random"), ["search.kind: is given twice"]),
    "a search of nothing": (BOUNDARY + "search:\n", ["search: must be a mapping, not None"]),
    "an option without a name": (boundary("null: 2"), ["search.None: unknown field"]),
    "a bound that is no number": (
        optuna(BEST + ", constraints: {excess_copies: {max: .nan}}"),
        ["search.constraints: the bound of 'excess_copies' must be a number, not nan"],
    ),
    "an objective below the deepest level": (
        optuna("objectives: {validity.9: max}, num_samples: 4"),
        ["search.objectives: 'validity.9' needs a level that no cell has; the deepest is 2"],
    ),
    "a coupled range": (
        optuna(
            BEST,
            SPANS.replace(
                "seeds: 2",
                "zip: {training.learning_rate: {loguniform: [0.01, 0.1]}}\nseeds: 2",
            ),
        ),
        ["zip.training.learning_rate: a random range cannot be coupled; write a list"],
    ),
    "a range without an end": (
        optuna(BEST, SPANS.replace("[2, 8]", "[2, .inf]")),
        ["grid.corpus.size: loguniform takes [a, b] with a < b, not [2, inf]"],
    ),
    "a range from nothing": (
        optuna(BEST, SPANS.replace("[2, 8]", "[0, 8]")),
        ["grid.corpus.size: loguniform needs ends above 0, not [0, 8]"],
    ),
    "faults of every option at once": (
        boundary("measure: loss, level: high, width: -2, coverage: 2, budget: 0, seed: x"),
        [
            "search.measure: 'loss' is not measured",
            "search.level: must be a number, not 'high'",
            "search.width: must be above 0, not -2",
            "search.coverage: must be 0.999 or less, not 2",
            "search.budget: must be above 0, not 0",
            "search.seed: must be a whole number, not 'x'",
        ],
    ),
    "faults of the search and of the rest": (
        optuna(
            "sampler: x",
            SPANS.replace("width: [8, 16]", "wdth: [8]").replace("seeds: 2", "seeds: x"),
        ),
        [
            "grid.network.wdth: unknown field",
            "seeds: must be a whole number, not 'x'",
            "search.sampler: must be one of tpe, gp, not 'x'",
            "search.objectives: is required",
            "search.num_samples: is required",
        ],
    ),
}


@pytest.mark.parametrize(
    ("case", "command"),
    [*((case, "plan") for case in CASES), ("no kind of that name", "run"), ("no objective", "run")],
)
def test_every_fault_of_a_search_is_told_and_nothing_is_written(
    case: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    text, expected = CASES[case]
    Path("sweep.yaml").write_text(text)
    result = memophase(command, "sweep.yaml")
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == len(expected), lines
    assert all(line.startswith("error: sweep.yaml:") for line in lines)
    for words in expected:
        assert any(words in line for line in lines), (words, lines)
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.yaml"]


def test_there_are_many():
    assert len(CASES) >= 40
