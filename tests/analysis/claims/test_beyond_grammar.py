"""C20: a row for each combination of network, noise and strings, and what they say together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.claims.beyond_grammar import CLAIM, other_settings
from analysis.statistics.typicality_slopes import OUTSIDE
from tests.study.small import small

KINDS, PROCESSES, SOURCES = ("unet", "transformer"), ("uniform", "absorbing"), ("grammar", "words")


def tables(
    copying: dict[str, float] | None = None, likelihood: float | None = -0.1, *, late: str = ""
) -> dict[str, pd.DataFrame]:
    """Three seeds of every combination; T_E of some combinations differs from 0.1."""
    rng = np.random.default_rng(0)
    trainings, curves = [], []
    for kind in KINDS:
        for process in PROCESSES:
            for source in SOURCES:
                name = f"{kind} · {process} · {source}"
                for seed in range(3):
                    training = f"{name} {seed}"
                    trainings.append(
                        {
                            "training": training,
                            "cell": name,
                            "seed": seed,
                            "network.kind": kind,
                            "diffusion.process": process,
                            "corpus.source": source,
                        }
                    )
                    slope = (copying or {}).get(name, 0.1) + rng.normal(scale=0.005)
                    known = likelihood
                    curves.append(
                        {
                            "training": training,
                            "step": 64,
                            "excess_copies": 0.0 if name == late else 0.4,
                            "excess_fit": 0.01,
                            "typicality_slope": slope,
                            "relative_slope": slope / 0.4,
                            "likelihood_slope": (
                                None if known is None else known + rng.normal(scale=0.005)
                            ),
                        }
                    )
    frame = pd.DataFrame(curves).astype({"likelihood_slope": float})
    return {"trainings": pd.DataFrame(trainings), "curves": frame}


def test_every_combination_is_a_row_and_all_must_hold():
    found = CLAIM.test(tables())
    assert found.verdict == "supported"
    rows = found.frames["rows"]
    assert len(rows) == len(found.rows) == 8
    assert set(rows["typical_first"]) == set(rows["outlier_first"]) == {"supported"}
    own = found.frames["trainings"]
    one = own[own["combination"] == "unet · uniform · words"]
    row = rows.set_index("combination").loc["unet · uniform · words"]
    assert row["typicality_slope"] == pytest.approx(one["typicality_slope"].mean())
    assert row["likelihood_slope_upper"] < 0
    assert "C1 supported in 8 and C16 in 8 of 8 combinations" in CLAIM.sentence(found)
    figure = CLAIM.figure(found)
    assert figure is not None
    (drawn,) = figure.data.values()
    assert {"unet · uniform · words, T_E", "unet · uniform · words, T_L"} <= set(drawn["row"])


def test_one_combination_of_the_other_sign_contradicts():
    found = CLAIM.test(tables({"transformer · absorbing · words": -0.1}))
    assert found.verdict == "contradicted"
    assert "C1 supported in 7 and C16 in 7 of 8" in CLAIM.sentence(found)


def test_a_combination_that_does_not_copy_is_named_and_takes_no_part():
    late = "unet · absorbing · words"
    found = CLAIM.test(tables(late=late))
    assert found.verdict == "supported"
    assert f"7 combinations tested; no slope of {late}" in found.basis
    assert OUTSIDE in found.basis


def test_without_enough_controls_copying_alone_decides():
    found = CLAIM.test(tables(likelihood=None))
    assert found.verdict == "supported"
    assert found.rows[0].likelihood.mean is None
    assert found.rows[0].outlier_first.verdict == "not tested by this sweep"


def test_a_single_combination_says_what_c1_and_c16_say_already():
    whole = tables()
    alone = whole["trainings"]["cell"] == "unet · uniform · grammar"
    kept = whole["trainings"][alone]
    curves = whole["curves"][whole["curves"]["training"].isin(kept["training"])]
    found = CLAIM.test({"trainings": kept, "curves": curves})
    assert found.verdict == "not tested by this sweep"
    assert "2 or more combinations" in CLAIM.sentence(found)


def test_what_it_needs():
    same = [small(seed=seed) for seed in range(2)]
    assert "vary network.kind" in (other_settings(same) or "")
    assert other_settings([*same, small(diffusion__process="absorbing")]) is None
