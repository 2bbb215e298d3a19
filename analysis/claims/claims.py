"""Published claims put to the test: each with an effect, an interval over seeds and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import pandas as pd

from analysis.statistics.regimes import THRESHOLDS, Thresholds
from analysis.statistics.seeds import Estimate, mean_over_seeds, over_seeds

Verdict = Literal["supported", "contradicted", "inconclusive", "not tested by this sweep"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a sweep says about one published claim.

    Attributes:
        id: e.g. `C1`.
        statement, source: the claim and who made it.
        quantity: what `effect` measures.
        effect, lower, upper: mean over seeds and its 95 % Student t interval, where defined.
        seeds: with a value; the unit of replication.
        verdict: by whether the interval excludes zero.
        basis: which trainings the numbers come from, and which were left out and why.
        remedy: what would test it, where this sweep does not decide.
    """

    id: str
    statement: str
    source: str
    quantity: str
    effect: float | None
    lower: float | None
    upper: float | None
    seeds: int
    verdict: Verdict
    basis: str
    remedy: str


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """One row per claim."""
    return pd.DataFrame([asdict(claim) for claim in claims])


def verdict_above_zero(estimate: Estimate) -> Verdict:
    """Whether an effect is above zero: by its interval, unadjusted."""
    if estimate.mean is None:
        return "not tested by this sweep"
    if estimate.lower is None or estimate.upper is None:
        return "inconclusive"
    if estimate.lower > 0:
        return "supported"
    return "contradicted" if estimate.upper < 0 else "inconclusive"


class TypicalFirst(NamedTuple):
    """C1 with the numbers behind it.

    Attributes:
        claim: the verdict over all cells, on T.
        relative: A = T/E over the same steps: mean and interval over seeds.
        trainings: one row per training: `training`, `cell`, `seed`, `steps` (in the window),
            `typicality_slope` (mean T over them), `relative_slope` (mean A), `likelihood_slope`
            (mean T_L), `left_out` (why, or missing).
        cells: per cell `mean`, `lower`, `upper` of T and `seeds`.
    """

    claim: Claim
    relative: Estimate
    trainings: pd.DataFrame
    cells: pd.DataFrame


STATEMENT = "Typical strings are copied first"
TOO_SMALL = "a perfect learner of the rules would look like a memorizer"
UNKNOWN = "what a perfect learner of the rules would show is undefined"
OUTSIDE = "no measured step in the window of E"
UNDEFINED = "T is undefined, all strings lie in one stratum"
UNPAIRED = "T_L is undefined, strata are too few or have too few controls"


SLOPES = ["typicality_slope", "relative_slope", "likelihood_slope"]


def typical_first(tables: Mapping[str, pd.DataFrame], at: Thresholds = THRESHOLDS) -> TypicalFirst:
    """C1, typical strings are copied first ([S]): T > 0 while copying sets in.

    T is averaged over the steps of a training with 0.1 <= E <= 0.7, then over the cells of a seed;
    the interval is Student's t over seeds. Trainings with excess_fit > 0.05 are left out.
    """
    trainings = _slopes(tables, at)
    tested = trainings[trainings["typicality_slope"].notna()]
    by_seed = tested.groupby("seed")[["typicality_slope", "relative_slope"]].mean()
    slope = mean_over_seeds(by_seed["typicality_slope"].tolist())
    relative = mean_over_seeds(by_seed["relative_slope"].tolist())
    cells = over_seeds(tested, by=["cell"], value="typicality_slope")
    verdict = verdict_above_zero(slope)
    claim = Claim(
        id="C1",
        statement=STATEMENT,
        source="Aparicio Rodriguez et al., arXiv 2605.30642",
        quantity=f"mean typicality slope T while {at.slope_from:g} ≤ E ≤ {at.slope_to:g}",
        effect=slope.mean,
        lower=slope.lower,
        upper=slope.upper,
        seeds=slope.seeds,
        verdict=verdict,
        basis=_basis(trainings),
        remedy=_remedy(verdict, slope, at),
    )
    return TypicalFirst(claim, relative, trainings, cells)


def _slopes(tables: Mapping[str, pd.DataFrame], at: Thresholds) -> pd.DataFrame:
    """Mean T and A of every training over the window of E, or why it has none."""
    curves = tables["curves"]
    inside = curves[curves["excess_copies"].between(at.slope_from, at.slope_to)]
    window = inside[inside["typicality_slope"].notna()].groupby("training")
    means = window[SLOPES].mean()
    means["steps"] = window.size()
    frame = tables["trainings"][["training", "cell", "seed"]].merge(
        means.reset_index(), on="training", how="left"
    )
    frame["steps"] = frame["steps"].fillna(0).astype(int)
    learner = frame["training"].map(curves.groupby("training")["excess_fit"].max())
    frame["left_out"] = None
    entered = frame["training"].isin(inside["training"])
    frame.loc[frame["steps"] == 0, "left_out"] = UNDEFINED
    frame.loc[~entered, "left_out"] = OUTSIDE
    frame.loc[learner.isna() & (frame["steps"] > 0), "left_out"] = UNKNOWN
    frame.loc[learner > at.learner_excess, "left_out"] = TOO_SMALL
    frame.loc[frame["left_out"].notna(), SLOPES] = None
    return frame


class OutlierFirst(NamedTuple):
    """C16 with the numbers behind it.

    Attributes:
        claim: the verdict; its effect is T_L.
        copying, likelihood: T and T_L of the same trainings: means and intervals over seeds.
        trainings: as of `TypicalFirst`, with those left out that have no T_L.
        both: trainings with T > 0 and T_L < 0.
    """

    claim: Claim
    copying: Estimate
    likelihood: Estimate
    trainings: pd.DataFrame
    both: int

    @property
    def paired(self) -> int:
        """Trainings with T and T_L."""
        return int(self.trainings["left_out"].isna().sum())


def outlier_first(found: TypicalFirst, at: Thresholds = THRESHOLDS) -> OutlierFirst:
    """C16, copying goes typical-first while likelihood betrays the outliers first.

    T > 0 and T_L < 0 over the same steps of the same trainings, those of C1; each is averaged over
    the cells of a seed, Student's t over seeds. The claim is the conjunction: supported where both
    intervals say so, contradicted where one says the opposite.
    """
    trainings = found.trainings.copy()
    unpaired = trainings["left_out"].isna() & trainings["likelihood_slope"].isna()
    trainings.loc[unpaired, "left_out"] = UNPAIRED
    tested = trainings[trainings["left_out"].isna()]
    by_seed = tested.groupby("seed")[["typicality_slope", "likelihood_slope"]].mean()
    copying = mean_over_seeds(by_seed["typicality_slope"].tolist())
    likelihood = mean_over_seeds(by_seed["likelihood_slope"].tolist())
    verdict = verdict_of_both(verdict_above_zero(copying), verdict_below_zero(likelihood))
    claim = Claim(
        id="C16",
        statement="Typical strings first in copying, outliers first in likelihood",
        source="this project",
        quantity=(
            f"mean slopes T and T_L of the same trainings while {at.slope_from:g} ≤ E ≤ "
            f"{at.slope_to:g}"
        ),
        effect=likelihood.mean,
        lower=likelihood.lower,
        upper=likelihood.upper,
        seeds=likelihood.seeds,
        verdict=verdict,
        basis=_basis(trainings),
        remedy=_remedy(verdict, likelihood, at),
    )
    both = (tested["typicality_slope"] > 0) & (tested["likelihood_slope"] < 0)
    return OutlierFirst(claim, copying, likelihood, trainings, int(both.sum()))


def verdict_below_zero(estimate: Estimate) -> Verdict:
    """Whether an effect is below zero: by its interval, unadjusted."""
    opposite: dict[Verdict, Verdict] = {"supported": "contradicted", "contradicted": "supported"}
    verdict = verdict_above_zero(estimate)
    return opposite.get(verdict, verdict)


def verdict_of_both(one: Verdict, other: Verdict) -> Verdict:
    """Whether two things hold: the weaker verdict of the two."""
    ranked: list[Verdict] = [
        "not tested by this sweep", "contradicted", "inconclusive", "supported",
    ]  # fmt: skip
    return min(one, other, key=ranked.index)


def _basis(trainings: pd.DataFrame) -> str:
    tested = trainings[trainings["left_out"].isna()]
    said = [f"{len(tested)} trainings in {tested['cell'].nunique()} cells"]
    for reason, count in trainings["left_out"].value_counts().items():
        said.append(f"{count} left out: {reason}")
    return "; ".join(said)


def _remedy(verdict: Verdict, slope: Estimate, at: Thresholds) -> str:
    window = f"{at.slope_from:g} ≤ E ≤ {at.slope_to:g}"
    if verdict == "not tested by this sweep":
        return (
            f"trainings that pass through {window} at a measured step, on corpora with excess_fit "
            f"≤ {at.learner_excess:g} large enough for several strata: train longer, measure more "
            "often, or change the corpus size"
        )
    if verdict == "inconclusive":
        return "a second seed" if slope.seeds < 2 else "more seeds"
    return ""
