"""C3 and C4: fatter tails delay memorization, the more so the nearer they are to the root.

A fixed exponent changes the string entropy by the s^l nodes of its level, so that cells which
differ in it differ in two things. At equal string entropy they differ in the tails alone: those
cells decide where a sweep has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd

from analysis.charts.figure import Figure
from analysis.charts.onsets import OnsetAxes
from analysis.claims.claim import Claim
from analysis.claims.needs import a_grammar, several_seeds
from analysis.claims.onset_slope import (
    METHOD,
    OnsetResult,
    onset_figure,
    onset_result,
    onset_sentence,
)
from analysis.claims.sentences import estimated
from analysis.claims.trials import settings_of
from analysis.claims.verdicts import Verdict, above_zero, below_zero
from analysis.statistics.onset_slopes import (
    OnsetSlope,
    equal_but,
    fitted,
    learners,
    log_onsets,
    onset_frame,
)
from analysis.statistics.onsets import MEMORIZATION
from analysis.statistics.tails import (
    entropy_label,
    exponents,
    log_p_spread,
    tail_exponent,
    tail_level,
)
from study.config import TrialConfig

ALONE = "no other cell differs in the Zipf exponents alone"
UNEQUAL = "no other cell has its tail at another level and equal string entropy"

FATTER = (
    "two seeds with τ_mem known at several Zipf exponents, at best at levels of equal string "
    "entropy: vary grammar.zipf, or train longer"
)
HIGHER = (
    "two seeds with τ_mem known for Zipf exponents at several levels, each solved for the same "
    "string entropy: vary grammar.zipf, or train longer"
)


def fatter(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether fatter tails delay memorization: log τ_mem on sd(log p) has a slope above 0.

    The claim of [Aparicio 2026].

    By the cells of equal string entropy where they have a slope, else by all that differ in
    exponents alone; beside it the other one, and the slope on the exponent of a single level.
    """
    trainings = tables["trainings"]
    naive, fair, by_exponent = _groups(trainings)
    spread = pd.Series(float("nan"), trainings.index)
    if _differs(trainings):
        spread = trainings["training"].map(log_p_spread(tables))
    slope_of = _slope_of(tables)
    every = slope_of(spread, naive, alone=ALONE)
    equal = slope_of(spread, fair, alone=UNEQUAL)
    exponent = slope_of(tail_exponent(trainings), by_exponent, alone=ALONE)
    slopes = {"at equal string entropy": equal, "at unequal entropies": every}
    decides = next((name for name, one in slopes.items() if one.estimate.mean is not None), "")
    slope = slopes.pop(decides, every)
    beside = {name: one.estimate for name, one in slopes.items()}
    return onset_result(
        slope,
        above_zero(slope.estimate),
        name=f"slope of log τ_mem on sd(log p) {decides}",
        untested=FATTER,
        beside={**beside, "on the exponent": exponent.estimate},
    )


def higher(tables: Mapping[str, pd.DataFrame]) -> OnsetResult:
    """Whether tails at higher levels delay more ([Aparicio 2026]).

    The slope of log τ_mem on the level with the tail, counted from the root, is below 0 at equal
    string entropy. Beside it that at equal exponents, which does not decide.
    """
    trainings = tables["trainings"]
    others, fair, _ = _groups(trainings)
    level, slope_of = tail_level(trainings), _slope_of(tables)
    exponent = tail_exponent(trainings).map(lambda a: f"a={a:g}", na_action="ignore")
    naive = slope_of(level, _joined(others, exponent), alone=ALONE)
    equal = slope_of(level, fair, alone=UNEQUAL)
    told = naive.estimate.mean is not None and equal.estimate.mean is None
    notes = [estimated("slope at equal exponents", naive.estimate)] if told else []
    return onset_result(
        equal,
        below_zero(equal.estimate),
        name="slope of log τ_mem on the level of the tail at equal string entropy",
        untested=HIGHER,
        beside={"at equal exponents": naive.estimate},
        notes=notes,
    )


def several_tails(trials: Sequence[TrialConfig]) -> str | None:
    """Slopes on tails need cells that differ in Zipf exponents and in nothing else."""
    if _differs(settings_of(trials)):
        return None
    return "no two cells differ in their Zipf exponents alone: vary grammar.zipf"


def equal_entropies(trials: Sequence[TrialConfig]) -> str | None:
    """Levels compare fairly where exponents are chosen for equal string entropy."""
    trainings = settings_of(trials)
    _, fair, _ = _groups(trainings)
    levels = tail_level(trainings).groupby(fair).agg(["min", "max"])
    if (levels["min"] < levels["max"]).any():
        return None
    return (
        "no two cells have their tails at different levels and equal string entropy: solve "
        "grammar.zipf for it, level by level"
    )


def _slope_of(tables: Mapping[str, pd.DataFrame]) -> Callable[..., OnsetSlope]:
    """The slope of log τ_mem on a covariate within groups."""
    bounds = log_onsets(tables, MEMORIZATION)
    frame = partial(onset_frame, tables["trainings"], bounds, left_out=learners(tables))
    return lambda *args, **named: fitted(frame(*args, **named))


def _groups(trainings: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """What cells share: all but exponents; string entropy as well; the level of the tail as well.

    At equal entropy only cells with a tail at one level take part.
    """
    others = equal_but(trainings, exponents(trainings))
    level = tail_level(trainings)
    entropy = entropy_label(trainings).where(level.notna())
    named = level.map(lambda value: f"tail at level {value:.0f}", na_action="ignore")
    return others, _joined(others, entropy), _joined(others, named)


def _joined(group: pd.Series, more: pd.Series) -> pd.Series:
    return (group + " · " + more.astype(object)).where(more.notna(), None)


def _differs(trainings: pd.DataFrame) -> bool:
    """Whether some cells differ in their Zipf exponents alone."""
    names = exponents(trainings)
    rows = trainings[names].fillna(0.0).assign(group=equal_but(trainings, names))
    return bool(rows.drop_duplicates()["group"].duplicated().any())


def _fatter_sentence(found: OnsetResult) -> str:
    holds: dict[Verdict, str] = {
        "supported": "the wider log p is spread, the later memorization comes",
        "contradicted": "the wider log p is spread, the earlier memorization comes",
    }
    return onset_sentence(found, holds)


def _higher_sentence(found: OnsetResult) -> str:
    holds: dict[Verdict, str] = {
        "supported": "the nearer to the root the tail, the later memorization comes",
        "contradicted": "the nearer to the leaves the tail, the later memorization comes",
    }
    return onset_sentence(found, holds)


def _fatter_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C3.name,
        title="Do fatter tails delay memorization?",
        axes=OnsetAxes("spread sd(log p), nats", "onset of memorization τ_mem, steps", base=None),
    )


def _higher_figure(found: OnsetResult) -> Figure | None:
    return onset_figure(
        found,
        name=C4.name,
        title="Do tails nearer to the root delay more?",
        axes=OnsetAxes(
            "level of the tail, from the root", "onset of memorization τ_mem, steps", base=None
        ),
    )


C3 = Claim(
    id="C3",
    name="fatter-tails",
    statement="Fatter tails delay memorization",
    source="Aparicio Rodriguez et al., arXiv 2605.30642",
    quantity="slope of log τ_mem on sd(log p) over the training strings",
    method=f"{METHOD}; at equal string entropy where the sweep has such cells",
    needs=(a_grammar, several_tails, several_seeds),
    test=fatter,
    sentence=_fatter_sentence,
    figure=_fatter_figure,
)

C4 = Claim(
    id="C4",
    name="higher-tails",
    statement="The delay is larger for tails at higher levels",
    source="Aparicio Rodriguez et al., arXiv 2605.30642",
    quantity="slope of log τ_mem on the level of the tail, from the root, at equal string entropy",
    method=METHOD,
    needs=(a_grammar, several_tails, equal_entropies, several_seeds),
    test=higher,
    sentence=_higher_sentence,
    figure=_higher_figure,
)
