"""Sweeps on strings without a grammar: every claim has something to say, and the page says why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis import load
from analysis.claims.outcomes import outcomes
from analysis.claims.registry import claims
from analysis.frames.validity import untold_cells
from analysis.report.findings import find
from analysis.report.folder import write_comparison, write_report
from analysis.report.words import headline
from analysis.statistics.deduplication import NO_SUPPORT
from analysis.statistics.regimes import regimes
from study.config import TrialConfig
from study.corpus.pools import pool_of, ready
from study.store.results import Results
from study.training.run import run_pack
from tests.analysis.report.test_report import packed, read
from tests.study.small import small

OF_RULES = ("C2", "C3", "C4", "C11", "C12", "C13", "C17")
WORDS = [a + b + c + d for a in "xyz" for b in "uvxyz" for c in "xyz" for d in "xyuz"]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    return trained(tmp_path_factory.mktemp("lawless"), (8, 32))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    """Strings of one's own beside a grammar's."""
    folder = trained(tmp_path_factory.mktemp("mixed"), (24,))
    run_pack([small(seed=seed) for seed in range(2)], Results.open(folder))
    return folder


def trained(folder: Path, sizes: tuple[int, ...]) -> Path:
    (folder / "words.txt").write_text("\n".join(WORDS))

    def document(size: int, width: int, seed: int) -> dict[str, object]:
        return {
            "corpus": {"source": "strings", "path": str(folder / "words.txt"), "size": size},
            "network": {"width": width},
            "training": {"steps": 64, "batch_size": 16},
            "diffusion": {"num_timesteps": 24},
            "measurement": {
                "first_step": 16,
                "likelihood_per_octave": 1,
                "budget": None,
                "generated": 64,
                "loss_strings": 24,
                "noise_strings": 8,
            },
            "seed": seed,
        }

    kept = Results.open(folder / "results")
    pool = pool_of(document(8, 8, 0))
    assert pool is not None
    kept.hold(pool)
    for size in sizes:
        configs = [TrialConfig.from_dict(ready(document(size, 8, s))) for s in range(2)]
        run_pack(configs, kept)
    return folder / "results"


def test_every_claim_has_something_to_say(results):
    tables = load(results)
    found = {one.claim.id: one for one in outcomes(tables, claims())}
    for one in found.values():
        assert one.sentence
        assert one.figure is None or one.figure.data
    trials = [Results.open(results).config(name) for name in tables.trainings["training"]]
    for name in OF_RULES:
        assert found[name].result.verdict == "not tested by this sweep"
        assert "no grammar" in found[name].claim.lacks(trials)[0]
    for name in ("C1", "C7", "C14", "C15", "C16", "C18"):
        assert not any("grammar" in lack for lack in found[name].claim.lacks(trials)), name
    assert found["C15"].result.estimate.mean is not None
    assert found["C8"].result.name == "slope of log τ_gen by held-out loss on log N"
    assert found["C8"].result.estimate.mean is not None
    left_out = found["C2"].result.frames["trainings"]["left_out"]
    assert left_out.eq(NO_SUPPORT).all()


def test_nothing_reads_generalizing_and_the_page_says_why(results):
    tables = load(results)
    assert "generalizing" not in set(regimes(tables)["regime"].dropna())
    assert tables.trainings["cell"].tolist()[0] == "N=8"
    said = untold_cells(tables.trainings)
    assert said is not None and "in 2 of 2 cells strings have no grammar" in said
    found = find(tables, axes=["corpus.size"], facet=None, expected=None)
    assert said[1:] in headline(found)


def test_sweeps_of_both_are_told_apart(mixed):
    tables = load(mixed)
    cells = tables.trainings["cell"].unique()
    assert len(cells) == 2
    assert any("source=strings" in cell for cell in cells)
    said = untold_cells(tables.trainings)
    assert said is not None and "in 1 of 2 cells strings have no grammar" in said
    trials = [Results.open(mixed).config(name) for name in tables.trainings["training"]]
    for one in outcomes(tables, claims()):
        assert one.sentence
        assert not any("no grammar" in lack for lack in one.claim.lacks(trials))
    found = find(tables, axes=["corpus.size"], facet=None, expected=None)
    assert "no grammar" in headline(found)


@pytest.mark.long
def test_the_page_is_written(results, tmp_path):
    paths = write_report(results, tmp_path / "page", title="words", axes=["corpus.size"])
    assert "strings have no grammar" in paths.page.read_text(encoding="utf-8")
    strings = pd.read_parquet(tmp_path / "page" / "data" / "generated_strings.parquet")["string"]
    assert len(strings) > 0
    assert strings.str.fullmatch("[uvxyz]{4}").all()
    held = packed(read(paths))["strings"]
    assert {(one["separator"], *one["alphabet"]) for one in held.values()} == {("", *"uvxyz")}


@pytest.mark.long
def test_strings_side_by_side_are_written_out_too(results, tmp_path):
    shutil.copytree(results, tmp_path / "copy")
    opened = [Results.open(place) for place in (results, tmp_path / "copy")]
    sides = dict(zip(("one", "copy"), map(load, opened), strict=True))
    paths = write_comparison(
        sides, tmp_path / "page", title="Both", axes=["corpus.size"], results=opened
    )
    held = packed(read(paths))["strings"]
    assert {(one["separator"], *one["alphabet"]) for one in held.values()} == {("", *"uvxyz")}
    assert "Overproduction of pairs of neighbours" in paths.page.read_text(encoding="utf-8")
    strings = pd.read_parquet(tmp_path / "page" / "data" / "generated_strings.parquet")["string"]
    assert strings.str.fullmatch("[uvxyz]{4}").all()
