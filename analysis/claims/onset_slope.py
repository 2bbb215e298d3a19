"""What claims about the slope of an onset share: result, sentence and figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.charts.figure import Figure
from analysis.charts.onsets import SHOWN, OnsetAxes, onset_chart, onset_table
from analysis.charts.theme import Theme
from analysis.claims.claim import Result
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import EQUAL, Judgement, Verdict
from analysis.statistics.onset_slopes import OnsetSlope
from analysis.statistics.seeds import Estimate

if TYPE_CHECKING:
    import altair as alt

METHOD = (
    "one slope per seed within cells that differ in nothing else, Student’s t over seeds; where "
    "onsets are censored, a normal accelerated-failure-time fit with seeds jackknifed"
)

UNDECIDED_EQUAL = f"the interval lies neither inside nor outside ±{EQUAL:g} of the value"


@dataclass(frozen=True, kw_only=True)
class OnsetResult(Result):
    """A claim about the slope of an onset with the numbers behind it.

    Its frame: `trainings`, of the slope that decides.

    Attributes:
        name: of that slope in the sentence.
        slope: the one that decides, and that the figure shows.
        beside: other estimates that the sentence gives, by name.
    """

    name: str
    slope: OnsetSlope
    beside: Mapping[str, Estimate]


def onset_result(
    slope: OnsetSlope,
    judgement: Judgement,
    *,
    name: str,
    untested: str,
    beside: Mapping[str, Estimate] | None = None,
    notes: Sequence[str] = (),
) -> OnsetResult:
    """The result of a claim that one slope decides.

    Args:
        slope: the slope.
        judgement: what its estimate says.
        name: of the slope in the sentence.
        untested: what the claim needs, where nothing was tested.
        beside: other estimates, by name.
        notes: what else to say of the trainings.
    """
    return OnsetResult(
        estimate=slope.estimate,
        judgement=judgement,
        basis="; ".join([basis(slope.frame), slope.how, *notes]),
        remedy=remedy(judgement.verdict, slope.estimate, untested),
        frames={"trainings": slope.frame},
        name=name,
        slope=slope,
        beside=beside or {},
    )


def needed(what: str, field: str) -> str:
    """What it takes for an onset to have a slope on a setting."""
    return (
        f"two seeds with {what} known at two values or more of {field} and all else equal: vary "
        f"{field}, or train longer"
    )


def onset_sentence(
    found: OnsetResult,
    holds: Mapping[Verdict, str],
    undecided: str = "the interval does not exclude zero",
) -> str:
    """The claim in one sentence, with all of its numbers that are defined."""
    slopes = {found.name: found.estimate, **found.beside}
    numbers = [estimated(name, one) for name, one in slopes.items() if one.mean is not None]
    return said(found, holds, ", ".join(numbers), undecided)


def onset_figure(found: OnsetResult, *, name: str, title: str, axes: OnsetAxes) -> Figure | None:
    """Every onset and the fitted lines."""
    if found.slope.estimate.mean is None:
        return None
    table = onset_table(found.slope, axes)
    data = f"onsets_{name.replace('-', '_')}"

    def draw(theme: Theme) -> alt.TopLevelMixin:
        return onset_chart(table, theme, data, axes)

    return Figure(
        name=name,
        title=title,
        caption=(
            "Circles: the onset of a training. Triangles: it lies beyond what was measured. Lines: "
            "the mean slope over seeds, through the middle of the cells that differ in nothing "
            f"else; at most {SHOWN} groups of such cells are drawn."
        ),
        data={data: table},
        draw=draw,
    )
