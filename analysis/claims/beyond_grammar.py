"""C20: typical first is no property of the tree, of the uniform kernel, or of grammars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.forests import forest_figure
from analysis.claims.needs import several_seeds, several_strata
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import (
    NOT_TESTED,
    Judgement,
    Verdict,
    above_zero,
    all_of,
    below_zero,
)
from analysis.frames.wording import counted
from analysis.statistics.beyond_grammar import SLOPES, slopes_by_combination
from analysis.statistics.seeds import Estimate, mean_over_seeds
from analysis.statistics.typicality_slopes import slope_over_seeds, untested, window_of
from study.config import TrialConfig
from study.config.sections import GRAMMAR

FEWEST = 2
"""Combinations that a sweep must have; of one alone C1 and C16 say the same."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """C1 and C16 within one combination of network, process and source.

    Attributes:
        combination: its name.
        copying, likelihood: T_E and T_L: mean and interval over seeds.
        typical_first, outlier_first: whether T_E > 0, and whether also T_L < 0.
    """

    combination: str
    copying: Estimate
    likelihood: Estimate
    typical_first: Judgement
    outlier_first: Judgement


@dataclass(frozen=True, kw_only=True)
class BeyondGrammar(Result):
    """C20 with the numbers behind it; its estimate is T_E over all combinations.

    Its frames: `trainings`, from `slopes_by_combination`, and `rows`, one per combination with
    `typicality_slope` (T_E), `likelihood_slope` (T_L), their `lower` and `upper`, `seeds` and the
    verdicts `typical_first` and `outlier_first`.

    Attributes:
        rows: one per combination, in the order of their names.
    """

    rows: tuple[Row, ...]


def test(tables: Mapping[str, pd.DataFrame]) -> BeyondGrammar:
    """T_E > 0 and T_L < 0 within every combination of network, process and source.

    Both are those of C1 and C16, seeds the unit. The claim is the conjunction over the combinations
    that have a slope: supported where every interval says so, contradicted where one says the
    opposite. Fewer than two such combinations test nothing that C1 and C16 do not.
    """
    trainings = slopes_by_combination(tables)
    rows = tuple(
        _row(str(name), group) for name, group in trainings.groupby("combination", sort=True)
    )
    tested = [row for row in rows if row.copying.mean is not None]
    judgement = Judgement(NOT_TESTED, None, holds=False)
    if len(tested) >= FEWEST:
        parts = [part for row in tested for part in _judgements(row)]
        judgement = all_of(*parts)
    estimate = mean_over_seeds(slope_over_seeds(trainings, "typicality_slope"))
    missing = [row.combination for row in rows if row.copying.mean is None]
    without = f"; no slope of {', '.join(missing)}" if missing else ""
    return BeyondGrammar(
        estimate=estimate,
        judgement=judgement,
        basis=f"{counted(len(tested), 'combination')} tested{without}; {basis(trainings)}",
        remedy=remedy(judgement.verdict, estimate, UNTESTED),
        frames={"trainings": trainings, "rows": _frame(rows)},
        rows=rows,
    )


UNTESTED = (
    f"{FEWEST} or more combinations of network.kind, diffusion.process and corpus.source, each "
    f"with {untested()}"
)


def _row(name: str, group: pd.DataFrame) -> Row:
    copying = mean_over_seeds(slope_over_seeds(group, "typicality_slope"))
    likelihood = mean_over_seeds(slope_over_seeds(group, "likelihood_slope"))
    typical = above_zero(copying)
    return Row(
        combination=name,
        copying=copying,
        likelihood=likelihood,
        typical_first=typical,
        outlier_first=all_of(typical, below_zero(likelihood)),
    )


def _judgements(row: Row) -> list[Judgement]:
    """What a row says; T_L takes no part where strata have too few controls for it."""
    defined = row.likelihood.mean is not None
    return [row.outlier_first] if defined else [row.typical_first]


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "combination": row.combination,
            **_columns("typicality_slope", row.copying),
            **_columns("likelihood_slope", row.likelihood),
            "seeds": row.copying.seeds,
            "typical_first": row.typical_first.verdict,
            "outlier_first": row.outlier_first.verdict,
        }
        for row in rows
    )


def _columns(name: str, estimate: Estimate) -> dict[str, float | None]:
    return {name: estimate.mean, f"{name}_lower": estimate.lower, f"{name}_upper": estimate.upper}


def sentence(found: BeyondGrammar) -> str:
    """C20 in one sentence."""
    tested = [row for row in found.rows if row.copying.mean is not None]
    each = "; ".join(
        f"{row.combination}: {estimated('T_E', row.copying)}, {estimated('T_L', row.likelihood)}"
        for row in tested
    )
    holds: dict[Verdict, str] = {
        "supported": (
            "with every network, noise and source of strings typical strings are copied first, and "
            "atypical ones known first"
        ),
        "contradicted": "with some network, noise or source of strings a slope has the other sign",
    }
    first, both = (
        sum(judged.verdict == "supported" for judged in judgements)
        for judgements in (
            [row.typical_first for row in tested],
            [row.outlier_first for row in tested],
        )
    )
    counts = f"C1 supported in {first} and C16 in {both} of {counted(len(tested), 'combination')}"
    return said(found, holds, f"{counts}: {each}")


def figure(found: BeyondGrammar) -> Figure | None:
    """T_E and T_L by combination."""
    trainings = found.frames["trainings"]
    tested = trainings[trainings["left_out"].isna()]
    effects = pd.concat(
        tested[["seed"]].assign(row=tested["combination"] + f", {symbol}", value=tested[column])
        for column, symbol in SLOPES.items()
    ).sort_values("row", kind="stable")
    return forest_figure(
        found.estimate,
        effects,
        name=CLAIM.name,
        title="Typical first beyond trees, uniform noise and grammars?",
        caption=(
            f"Mean slopes while {window_of()}, by network, noise process and source of strings: "
            "T_E by copying, where the claim is above zero, and T_L by likelihood, where it is "
            "below. The uppermost row is T_E over all."
        ),
        axis="slope: atypical first ← 0 → typical first",
        symbol="slope",
    )


def other_settings(trials: Sequence[TrialConfig]) -> str | None:
    """One combination of network, process and source is what C1 and C16 test."""
    found = {
        (t.network.kind, t.diffusion.process, t.pool.sha256 if t.pool else GRAMMAR) for t in trials
    }
    if len(found) >= FEWEST:
        return None
    return (
        "all trainings share network, noise process and source of strings: vary network.kind, "
        "diffusion.process or corpus.source"
    )


CLAIM = Claim(
    id="C20",
    name="beyond-grammar",
    statement=(
        "Typical first in copying and outliers first in likelihood are no property of the "
        "tree-shaped network, of uniform noise, or of grammars"
    ),
    source="this project",
    quantity=(
        f"mean slopes T_E and T_L while {window_of()}, within each combination of network, noise "
        "process and source of strings"
    ),
    method="averaged over the cells of a seed, then Student’s t over seeds; all must hold",
    needs=(other_settings, several_strata, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
