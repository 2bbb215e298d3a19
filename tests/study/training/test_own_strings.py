"""Trainings on strings of one's own: read, trained in packs, resumed, loaded and measured again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from study.__main__ import main
from study.config import ConfigError, TrialConfig
from study.corpus.pools import pool_of, ready
from study.models.kinds import kind_of
from study.store.results import FOLDER, Results
from study.store.status import DamagedTraining
from study.training.loading import load_training
from study.training.remeasure import measure_again
from study.training.run import run_pack

WORDS = [a + b + c + d for a in "xyz" for b in "uvxyz" for c in "xyz" for d in "xyuz"]


def document(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "corpus": {"source": "strings", "path": "words.txt", "size": 24, "control_size": 40},
        "network": {"width": 8},
        "training": {"steps": 32, "batch_size": 8, "keep": "log2"},
        "diffusion": {"num_timesteps": 24},
        "measurement": {
            "first_step": 8,
            "likelihood_per_octave": 1,
            "budget": None,
            "generated": 64,
            "loss_strings": 16,
            "noise_strings": 16,
        },
    }
    for name, value in changes.items():
        section, _, field = name.partition("__")
        found = {**found, section: {**found.get(section, {}), field: value} if field else value}
    return found


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    return tmp_path


def config(**changes: Any) -> TrialConfig:
    return TrialConfig.from_dict(ready(document(**changes)))


def held(name: str) -> Results:
    results, pool = Results.open(name), pool_of(document())
    assert pool is not None
    results.hold(pool)
    return results


def bytes_of(results: Results, status: Any) -> dict[str, bytes]:
    return {name: results.read(status, name) for name in status.files if name != "timing"}


@pytest.mark.parametrize("process", ["uniform", "absorbing"])
@pytest.mark.parametrize("kind", ["unet", "transformer"])
def test_alone_in_a_pack_and_resumed_the_bytes_are_equal(here, kind, process):
    changes = {"network__kind": kind, "diffusion__process": process}
    seeds = [config(seed=seed, **changes) for seed in range(2)]
    together = held("together")
    statuses = run_pack(seeds, together)
    in_steps = held("steps")
    run_pack([config(training__steps=8, **changes)], in_steps)
    (resumed,) = run_pack(seeds[:1], in_steps)
    assert bytes_of(together, statuses[0]) == bytes_of(in_steps, resumed)
    curves = together.table(statuses[0], "curves").to_pylist()[-1]
    known = ("excess_copies", "excess_fit", "memorizer_loss", "gap_fraction", "heldout_loss")
    unknown = ("position", "off_line", "root_validity", "novel_validity", "mass_training")
    assert all(curves[name] is not None for name in known)
    assert all(curves[name] is None for name in unknown)
    noise = together.table(statuses[0], "noise")
    assert noise["kl_grammar"].null_count == len(noise)
    assert noise["kl_memorizer"].null_count < len(noise)


def test_a_training_is_loaded_and_measured_again_where_its_file_is_gone(here):
    results = held("results")
    own = config()
    (status,) = run_pack([own], results)
    (here / "words.txt").unlink()
    loaded = load_training(f"results/{FOLDER}/{status.training}")
    assert loaded.generate(5).shape == (5, 4)
    assert loaded.config.pool.alphabet == list("uvxyz")
    text = ["".join(own.pool.alphabet[t] for t in s) for s in loaded.corpus.training.strings]
    assert set(text) <= set(WORDS)
    (again,) = measure_again(
        results, [status.training], Results.open("again"), measurement={"generated": 32}
    )
    assert again.state == "finished"
    assert load_training(f"again/{FOLDER}/{again.training}").corpus.law is None


def test_missing_and_torn_strings_are_told(here):
    results = held("results")
    (status,) = run_pack([config()], results)
    (file,) = Path("results/pools").iterdir()
    file.write_bytes(b"torn")
    with pytest.raises(DamagedTraining, match=r"its strings, pools/.*: cannot be read"):
        load_training(f"results/{FOLDER}/{status.training}")
    held("results")
    assert load_training(f"results/{FOLDER}/{status.training}").step == status.step
    file.unlink()
    with pytest.raises(DamagedTraining, match="are missing"):
        load_training(f"results/{FOLDER}/{status.training}")


def test_one_training_from_a_file_beside_its_configuration(here, tmp_path_factory, monkeypatch):
    (here / "config.json").write_text(json.dumps(document()))
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert main([str(here / "config.json"), "--out", "out"]) == 0
    results = Results.open("out")
    (training,) = results.trainings()
    assert results.config(training).pool.strings == len(WORDS)


def test_any_length_fits_the_transformer_and_no_other(here):
    (here / "words.txt").write_text("\n".join(word + word[:2] for word in WORDS))
    six = config(network__kind="transformer")
    assert kind_of(six).any_length
    results, pool = Results.open("six"), pool_of(document())
    assert pool is not None
    results.hold(pool)
    (status,) = run_pack([six], results)
    levels = results.table(status, "levels").to_pylist()
    assert {row["level"] for row in levels} == {0, 1}
    for kind in ("unet", "unet-reference"):
        with pytest.raises(
            ConfigError, match=r"strings\.length: 4 and strings\.cut: true"
        ) as caught:
            kind_of(config(network__kind=kind))
        assert f"leaves {len({w[:4] for w in WORDS})} strings" in str(caught.value)
    cut = config(strings__length=4, strings__cut=True)
    assert cut.shape.depth == 2
    assert cut.hash == _hash_of_the_short_words(here)


def _hash_of_the_short_words(here: Path) -> str:
    (here / "short.txt").write_text("\n".join(WORDS))
    return config(corpus__path="short.txt").hash


def test_integers_and_functions_are_the_same_strings_as_text(here):
    tokens = np.array([["uvxyz".index(symbol) for symbol in word] for word in WORDS])
    np.save(here / "words.npy", tokens)
    code = "def words():\n    return Path('words.txt').read_text().split()\n"
    (here / "making.py").write_text(f"from pathlib import Path\n\n{code}")
    own = config()
    assert config(corpus__path="words.npy").hash == own.hash
    assert config(corpus__path="making:words").hash == own.hash


def test_shipped_digits_are_images_with_near_copies(tmp_path):
    own = {
        **document(measurement__generated=20, measurement__noise_strings=4, training__steps=8),
        "corpus": {"source": "digits", "size": 24, "control_size": 40},
    }
    results, pool = Results.open(tmp_path), pool_of(own)
    assert pool is not None and pool.image
    results.hold(pool)
    (status,) = run_pack([TrialConfig.from_dict(ready(own))], results)
    (curves,) = results.table(status, "curves").to_pylist()
    assert 0 <= curves["ratio_copies"] <= 1
    assert 0 <= curves["ratio_copies_control"] <= 1
    levels = results.table(status, "levels").to_pylist()
    assert [row["level"] for row in levels] == [0, 1, 2, 3]
