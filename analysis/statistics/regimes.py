"""Regimes: what a training does at a step, and what a cell does by the majority of its seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.frames.generated import generated
from analysis.frames.tables import columns_of, in_parts

UNDERFIT, GENERALIZING, PARTIAL, MEMORIZING = "underfit", "generalizing", "slop", "memorizing"
REGIMES = (UNDERFIT, GENERALIZING, PARTIAL, MEMORIZING)
"""In the order of every legend; partial memorization is drawn as "slop" ([Aparicio 2026])."""


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Every threshold of the analysis, in one place.

    Attributes:
        memorizing: E from which a training memorizes; also the onset of memorization.
        partial: λ_l - λ_l^fit, or E, beyond which a training memorizes in parts.
        standard_errors: standard errors by which `partial` must be exceeded (one-sided 1 %).
        partial_onset: λ at the smallest defined level >= 1 at which partial memorization sets in.
        generalizing: V from which a training generalizes; also the onset of generalization.
        loss_fall: share of the held-out loss's fall at which generalization by loss sets in.
        slope_from, slope_to: E between which the typicality slope is averaged.
        learner_excess: excess_fit beyond which a perfect learner of the rules would itself look
            like a memorizer, so that claims are not tested.
    """

    memorizing: float = 0.5
    partial: float = 0.1
    standard_errors: float = 2.33
    partial_onset: float = 0.5
    generalizing: float = 0.5
    loss_fall: float = 0.9
    slope_from: float = 0.1
    slope_to: float = 0.7
    learner_excess: float = 0.05


THRESHOLDS = Thresholds()

_LEVELS = [
    "level", "partial_memorization", "partial_memorization_fit", "partial_memorization_se",
]  # fmt: skip


def regimes(tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS) -> pd.DataFrame:
    """The regime of every (training, step) with generated strings, and the numbers it rests on.

    In this order: memorizing, E >= 0.5; partial memorization, some defined level l >= 1 with
    λ_l - λ_l^fit - 2.33·SE > 0.1, or E - 2.33·SE > 0.1; generalizing, V >= 0.5; underfit
    otherwise. Where a number that decides is undefined, so is the regime: V is, and nothing reads
    generalizing or underfit, where more than a quarter of all strings are grammatical.

    Returns:
        `training`, `step`, `regime`, `excess_copies` (E), `excess_copies_margin` (E - 2.33·SE),
        `partial_margin` (the largest λ_l - λ_l^fit - 2.33·SE, missing if no level is defined),
        `partial_level` (its level) and `novel_validity` (V).
    """
    curves = generated(tables["curves"])[
        ["training", "step", "excess_copies", "excess_copies_se", "novel_validity"]
    ]
    margins = in_parts(tables, lambda part: _margins(columns_of(part, "levels", _LEVELS), at))
    frame = curves.merge(margins, on=["training", "step"], how="left")
    excess, validity = frame["excess_copies"], frame["novel_validity"]
    margin = excess - at.standard_errors * frame["excess_copies_se"]
    partial = (frame["partial_margin"] > at.partial) | (margin > at.partial)
    frame["excess_copies_margin"] = margin
    frame["regime"] = np.select(
        [
            excess.isna(),
            excess >= at.memorizing,
            partial,
            validity.isna(),
            validity >= at.generalizing,
        ],
        [None, MEMORIZING, PARTIAL, None, GENERALIZING],  # type: ignore[list-item]
        default=UNDERFIT,
    )
    return frame.drop(columns="excess_copies_se")


def _margins(levels: pd.DataFrame, at: Thresholds) -> pd.DataFrame:
    """The level >= 1 at which partial memorization exceeds the perfect learner's the most."""
    margin = (
        levels["partial_memorization"]
        - levels["partial_memorization_fit"]
        - at.standard_errors * levels["partial_memorization_se"]
    )
    frame = levels.assign(partial_margin=margin, partial_level=levels["level"])
    frame = frame[(frame["level"] >= 1) & margin.notna()]
    best = frame.sort_values("partial_margin", ascending=False, kind="stable")
    best = best.drop_duplicates(["training", "step"])
    return best[["training", "step", "partial_margin", "partial_level"]]


def last_steps(regime: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """The rows that speak for their cell: those at the latest step of any of its seeds.

    Seeds that lag behind (still running, failed, diverged) do not vote: an early step would read
    as underfit. `provisional` marks cells that have not reached the step they are to end at.

    Returns:
        The rows of `regime` with `cell`, `seed` and `provisional`.
    """
    frame = regime.merge(trainings[["training", "cell", "seed"]], on="training")
    reached = trainings.groupby("cell")[["step", "last_step"]].max()
    unfinished = reached["step"] < reached["last_step"]
    frame["provisional"] = frame["cell"].map(unfinished)
    latest = frame.groupby("cell")["step"].transform("max")
    return frame[frame["step"] == latest].reset_index(drop=True)


def cell_regimes(last: pd.DataFrame) -> pd.DataFrame:
    """The regime of each cell: that of most of its seeds, and the runner-up.

    Equal counts go to the regime that claims less, the earlier one in `REGIMES`; the runner-up
    then has the same share. Seeds whose regime is undefined do not vote.

    Args:
        last: from `last_steps`.

    Returns:
        `cell`, `step`, `seeds` (that vote), `regime`, `share`, `runner_up`, `runner_up_share`
        and `provisional`; regimes are missing where no seed votes.
    """
    first = last.drop_duplicates("cell").set_index("cell")
    votes = pd.crosstab(last["cell"], last["regime"]).reindex(
        index=first.index, columns=list(REGIMES), fill_value=0
    )
    counts, seeds = votes.to_numpy(), votes.sum(axis=1).to_numpy()
    ranked = np.argsort(-counts, axis=1, kind="stable")
    table = pd.DataFrame({"cell": first.index, "step": first["step"].to_numpy(), "seeds": seeds})
    for place, (name, share) in enumerate((("regime", "share"), ("runner_up", "runner_up_share"))):
        chosen = ranked[:, place]
        count = counts[np.arange(len(counts)), chosen]
        table[name] = [REGIMES[i] if n else None for i, n in zip(chosen, count, strict=True)]
        table[share] = [n / of if n else None for n, of in zip(count, seeds, strict=True)]
    return table.assign(provisional=first["provisional"].to_numpy())
