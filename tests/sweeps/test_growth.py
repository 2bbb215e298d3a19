"""Ten thousand finished trainings are planned, run again and told of in seconds."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from study.config import TrialConfig
from study.store.status import Entry, Status
from sweeps.files import spec
from tests.sweeps.tiny import command

pytestmark = pytest.mark.long

SWEEP = f"""\
name: growth
base:
  grammar: {{vocab_size: 6, num_synonyms: 4}}
  training: {{steps: 65536}}
  measurement: {{budget: null}}
grid:
  corpus.size: {[round(32 * 2 ** (k / 4)) for k in range(40)]}
  network.width: {{linspace: [8, 200, 25]}}
zip:
  grammar.depth: [3, 4]
  grammar.zipf: [{{2: 1.0}}, {{3: 1.0}}]
seeds: 5
"""

BYTES = {
    "checkpoint": 71_000,
    "curves": 10_900,
    "emissions": 1_700,
    "levels": 8_900,
    "likelihood": 4_100,
    "noise": 23_500,
    "rules": 4_800,
    "samples": 4_500,
    "strings": 3_600,
    "timing": 2_700,
    "typicality": 10_800,
}
"""The files of a training of 21 measured steps and width 16. Nothing here looks into them."""

BOUNDS = {"plan": 5.0, "status": 5.0, "run": 15.0}
"""Seconds of the whole process."""


def published(folder: Path, config: TrialConfig, hash_: str) -> None:
    """What `Results.publish` writes, without waiting for the disk."""
    own, noise = folder / "trainings" / hash_, random.Random(hash_)
    own.mkdir(parents=True)
    (own / "config.json").write_text(json.dumps(config.to_dict()))
    files = {}
    for name, size in BYTES.items():
        data, file = noise.randbytes(size), f"{name}-{config.last_step:09d}"
        (own / file).write_bytes(data)
        files[name] = Entry(file, size, hashlib.sha256(data).hexdigest())
    status = Status(training=hash_, state="finished", step=config.last_step, files=files)
    (own / "status.json").write_bytes(status.to_bytes())


def timed(*arguments: str, cwd: Path, expect: int = 0) -> tuple[float, str]:
    """Seconds that the command line took as a process of its own, and what it printed."""
    begun = time.perf_counter()
    done = subprocess.run(
        command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    seconds = time.perf_counter() - begun
    assert done.returncode == expect, done.stdout + done.stderr
    return seconds, done.stdout


def test_ten_thousand_finished_trainings_take_seconds(tmp_path: Path):
    (tmp_path / "growth.yaml").write_text(SWEEP)
    trainings = spec.loads(SWEEP).trainings
    results = tmp_path / "results" / "growth"
    for training in trainings:
        published(results, training.config, training.hash)

    seconds = {}
    seconds["run"], told = timed("run", "growth.yaml", cwd=tmp_path)
    assert "10000 of 10000 trainings done; nothing was left to train" in told
    seconds["plan"], told = timed("plan", "growth.yaml", "--json", cwd=tmp_path)
    planned = json.loads(told)
    assert (planned["trainings"], planned["unfinished"]) == (10_000, 0)
    seconds["status"], told = timed("status", str(results), "--json", cwd=tmp_path)
    assert json.loads(told)["done"] == 10_000
    print("\n" + " ".join(f"{name}={each:.1f}s" for name, each in seconds.items()), file=sys.stderr)
    assert {name for name, each in seconds.items() if each > BOUNDS[name]} == set()

    lost, cut = trainings[17].hash, trainings[4711].hash
    (results / "trainings" / lost / "status.json").unlink()
    file = results / "trainings" / cut / "status.json"
    file.write_bytes(file.read_bytes()[:-9])
    stood = json.loads(timed("status", str(results), "--json", cwd=tmp_path)[1])
    assert (stood["done"], stood["waiting"], stood["damaged"]) == (9_998, 1, 1)
    planned = json.loads(timed("plan", "growth.yaml", "--no-time", "--json", cwd=tmp_path)[1])
    assert planned["unfinished"] == 2
