"""C13: below N*_0 memorization comes before the top rules: partial generalization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.forests import forest_figure
from analysis.claims.needs import a_grammar, several_seeds, several_sizes
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.trials import settings_of
from analysis.claims.verdicts import above_zero
from analysis.statistics.regimes import THRESHOLDS
from analysis.statistics.root_validity import before_memorizing
from analysis.statistics.sample_complexity import enough_strings
from analysis.statistics.seeds import mean_over_seeds
from analysis.statistics.slopes import slopes
from study.config import TrialConfig


def test(tables: Mapping[str, pd.DataFrame]) -> Result:
    """Conditional root validity of non-copied strings rises with ln(N/N*_0) ([Favero 2025b]).

    It is read at the last step with E < 0.1, of the strings that are no copies
    (`uncopied_validity`). One slope per seed among trainings that differ in N alone; Student's t
    over seeds. The result has a frame `trainings`, from `before_memorizing`.
    """
    trainings = before_memorizing(tables)
    slope = mean_over_seeds(slopes(trainings).tolist())
    judgement = above_zero(slope)
    return Result(
        estimate=slope,
        judgement=judgement,
        basis=basis(trainings),
        remedy=remedy(judgement.verdict, slope, UNTESTED),
        frames={"trainings": trainings},
    )


WHEN = f"at the last step with E < {THRESHOLDS.slope_from:g}"
UNTESTED = (
    f"corpora of several sizes around N*_0 = v·m^(L+1), each with a measured step at which E < "
    f"{THRESHOLDS.slope_from:g} and strings that are no copies"
)


def sentence(found: Result) -> str:
    """C13 in one sentence."""
    return said(
        found,
        {
            "supported": "the fewer strings, the less of the top rules is known before copying",
            "contradicted": "the fewer strings, the more of the top rules is known before copying",
        },
        estimated("slope of root validity on ln(N/N*_0)", found.estimate),
    )


def figure(found: Result) -> Figure | None:
    """The slope by what else differs."""
    trainings = found.frames["trainings"]
    each = slopes(trainings, by=["row"]).rename("value").reset_index()
    return forest_figure(
        found.estimate,
        each,
        name=CLAIM.name,
        title="Does memorization come before the top rules?",
        caption=(
            "Slope on ln(N/N*_0) of the conditional root validity of strings that are no copies, "
            f"{WHEN}, N*_0 = v·m^(L+1)."
        ),
        axis="slope: top rules known with few strings ← 0 → only with many",
        symbol="slope",
    )


def few_strings(trials: Sequence[TrialConfig]) -> str | None:
    """The claim is about corpora that are too small for the top rules."""
    trainings = settings_of(trials)
    if (trainings["corpus.size"] < enough_strings(trainings, 0)).any():
        return None
    return "no corpus is smaller than N*_0 = v·m^(L+1): lower corpus.size"


CLAIM = Claim(
    id="C13",
    name="partial-generalization",
    statement="Below N*_0 = v·m^(L+1) memorization comes before the top rules",
    source="Favero et al., arXiv 2505.16959",
    quantity=(
        f"slope of the conditional root validity of non-copied strings, {WHEN}, on ln(N/N*_0)"
    ),
    method=(
        "one slope per seed among trainings that differ in N alone, then Student’s t over seeds"
    ),
    needs=(a_grammar, several_sizes, few_strings, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
