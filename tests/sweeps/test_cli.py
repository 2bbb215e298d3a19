"""The command line apart from what runs through Ray."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from study.store.results import Results
from sweeps import presets
from sweeps.files import spec
from tests.sweeps.tiny import ROOT, TINY, command, memophase

COMMANDS = (
    ["plan"],
    ["run"],
    ["status"],
    ["log"],
    ["report"],
    ["measure"],
    ["join"],
    ["prune"],
    ["doctor"],
    ["train"],
    ["settings"],
    ["presets", "show"],
)

SETTINGS = [
    "--set=grammar.depth=2",
    "--set=grammar.vocab_size=4",
    "--set=grammar.num_synonyms=2",
    "--set=network.width=8",
    "--set=corpus.size=4",
    "--set=diffusion.num_timesteps=21",
    "--set=training.batch_size=8",
    "--set=measurement.first_step=8",
    "--set=measurement.generated=40",
    "--set=measurement.budget=null",
    "--set=measurement.likelihood_per_octave=1",
]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)


@pytest.mark.parametrize("name", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_with_an_example(name: list[str]):
    result = memophase(*name, "--help")
    assert result.exit_code == 0
    assert "Example:  memophase " in result.stdout


def test_help_loads_nothing_heavy():
    heavy = ("torch", "ray", "pandas", "numpy", "pyarrow", "altair", "yaml", "scipy")
    code = (
        "import sys; sys.argv = ['memophase', '--help']; from sweeps.cli import main\n"
        "try: main()\n"
        f"finally: print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_python_m_sweeps_is_memophase():
    done = subprocess.run(
        [sys.executable, "-m", "sweeps", "presets"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == presets.names()


def test_a_reader_that_goes_away_is_no_error():
    child = subprocess.Popen(
        command("presets", "show", "demo"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 0


def test_a_preset_can_be_saved_and_planned():
    Path("mine.yaml").write_text(memophase("presets", "show", "demo").stdout)
    result = memophase("plan", "mine.yaml", "--no-time", "--json")
    planned = json.loads(result.stdout)
    assert planned["trainings"] == planned["cells"] * spec.load("demo").file.seeds
    assert planned["core_hours"] is None
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["mine.yaml", "tiny.yaml"]


def test_a_plan_estimates_hours_by_training_a_little_and_writes_nothing():
    result = memophase("plan", "tiny.yaml")
    assert result.exit_code == 0, result.output
    assert "trainings   4, 4 of them unfinished" in result.stdout
    (here,) = [line for line in result.stdout.splitlines() if line.startswith("here")]
    assert re.match(r"here +\d+(s|m\d\ds) to \d+(s|m\d\ds) on \d+ slots", here)
    planned = json.loads(memophase("plan", "tiny.yaml", "--json").stdout)
    for name in ("core_hours", "wall_hours"):
        least, most = planned[name]
        assert 0 < least < most < 0.3
    assert planned["core_hours"][0] < planned["wall_hours"][0]  # Ray starts, too
    assert planned["gpu_hours"] is None
    assert planned["flop"] == sum(
        planned["cost"][f"{part}_flop"] for part in ("training", "generating", "measuring")
    )
    assert [path.name for path in Path.cwd().iterdir()] == ["tiny.yaml"]


def test_a_plan_names_the_cells_whose_generalization_cannot_be_told():
    arguments = ["plan", "tiny.yaml", "--no-time", "--set=grammar.num_synonyms=4"]
    said = "generalization cannot be told in 2 of 2 cells: κ = 1.00 of all strings are grammatical"
    assert memophase(*arguments).stderr == f"note: {said}\n"
    assert memophase("plan", "tiny.yaml", "--no-time").stderr == ""


def test_a_plan_for_gpus_names_the_rates_that_it_assumes_and_fits_their_memory():
    planned = json.loads(memophase("plan", "atlas", "--json").stdout)
    fast, slow = (planned["flop"] / hours / 3600 for hours in planned["gpu_hours"])
    assert (fast, slow) == pytest.approx((1e13, 1e12))
    assert planned["memory_mib"] <= planned["memory_limit_mib"] == 80 * 1024 / 4
    text = memophase("plan", "atlas").stdout
    assert "of one GPU, if one does 1e+13 to 1e+12 FLOP/s, which is assumed, not measured" in text
    small = memophase("plan", "atlas", "--set", "resources.memory_gib_per_pack=0.5").stdout
    assert "more than the 512 MiB that it has" in small  # as one of the widest networks needs


def test_the_command_to_go_on_is_whole_and_can_be_pasted(monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sweeps.running.run.run", interrupted)
    arguments = [
        *("run", "tiny.yaml", "--set", "seeds=1", "--set", "grid.network.width=[8, 16]"),
        *("--results", "my results", "--address", "127.0.0.1:6379", "--report"),
    ]
    told = memophase(*arguments)
    assert told.exit_code == 1
    _, _, again = told.stderr.strip().partition("to go on: ")
    assert shlex.split(again) == ["memophase", *arguments]
    plain = memophase("run", "tiny.yaml").stderr.strip()
    assert plain.endswith("to go on: memophase run tiny.yaml")


def test_one_training_without_ray():
    first = memophase("train", "--out", "out", "--set=training.steps=16", *SETTINGS)
    assert first.exit_code == 0, first.output
    assert [line.split()[0] for line in first.stdout.splitlines()] == [
        "step=8",
        "step=16",
        "finished",
    ]
    results = Results.open("out")
    (training,) = results.trainings()
    assert results.verified(training).step == 16  # type: ignore[union-attr]

    Path("one.yaml").write_text(json.dumps(results.config(training).to_dict()))
    longer = memophase("train", "--out", "out", "--config", "one.yaml", "--set=training.steps=32")
    assert longer.exit_code == 0, longer.output
    assert longer.stdout.splitlines()[0].startswith("step=32 ")
    assert results.trainings() == [training]


def test_faults_of_one_training_have_their_places():
    Path("one.yaml").write_text("grammar:\n  dpeth: 3\nseed: no\n")
    result = memophase("train", "--out", "out", "--config", "one.yaml", "--set=network.width=0")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert "error: one.yaml:2:3: grammar.dpeth: unknown field; did you mean 'depth'?" in lines
    assert "error: one.yaml:3:1: seed: must be a whole number, not 'no'" in lines
    assert "error: --set network.width=0: network.width: must be 1 or more, not 0" in lines
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "tiny.yaml", "--results", "out"),
        ("train", "--out", "out", "--set=training.steps=16", *SETTINGS),
    ],
    ids=["run", "train"],
)
def test_tf32_without_a_gpu_is_refused_before_anything_trains(arguments):
    result = memophase(*arguments, "--set=training.precision=tf32")
    assert result.exit_code == 2
    assert "training.precision: tf32 needs a GPU" in result.stderr
    assert not Path("out/trainings").exists()
