"""C15: the token recovery of training and unseen strings merges as N grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.forests import forest_figure
from analysis.claims.needs import several_seeds, several_sizes
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.trials import settings_of
from analysis.claims.verdicts import all_of, below_zero
from analysis.frames.wording import counted
from analysis.statistics.matching import alike
from analysis.statistics.recovery_gaps import recovery_gaps
from analysis.statistics.seeds import Estimate, mean_over_seeds
from analysis.statistics.slopes import SIZE, slopes
from study.config import TrialConfig


@dataclass(frozen=True, kw_only=True)
class RecoveryMerges(Result):
    """C15 with the numbers behind it; its estimate is the slope at equal epochs.

    Its frame: `trainings`, from `recovery_gaps`.

    Attributes:
        at_steps: the slope at equal steps: mean and interval over seeds.
    """

    at_steps: Estimate


def test(tables: Mapping[str, pd.DataFrame]) -> RecoveryMerges:
    """Recovery of D less that of C, at medium noise, falls with log N ([Pham 2026]).

    It has to fall both at equal steps, where larger corpora are seen less often, and at equal
    epochs, where they are not. One slope per seed among trainings that differ in N alone; Student's
    t over seeds. The claim is the conjunction.
    """
    trainings = recovery_gaps(tables)
    epochs, steps = (
        mean_over_seeds(slopes(trainings.assign(y=trainings[name])).tolist())
        for name in ("at_epochs", "at_steps")
    )
    judgement = all_of(below_zero(epochs), below_zero(steps))
    without = trainings[trainings["left_out"].isna() & trainings["left_out_at_epochs"].notna()]
    fewer = [
        f"{counted(count, 'training')} at equal steps only: {why}"
        for why, count in without["left_out_at_epochs"].value_counts().items()
    ]
    return RecoveryMerges(
        estimate=epochs,
        judgement=judgement,
        basis="; ".join([basis(trainings), *fewer]),
        remedy=remedy(judgement.verdict, epochs, UNTESTED),
        frames={"trainings": trainings},
        at_steps=steps,
    )


UNTESTED = (
    "corpora of several sizes, all else equal, measured at common steps and at common numbers of "
    "epochs: lower measurement.first_step, or train longer"
)


def sentence(found: RecoveryMerges) -> str:
    """C15 in one sentence."""
    slopes_said = (
        f"{estimated('slope of the recovery gap on log N at equal epochs', found.estimate)}, "
        f"{estimated('at equal steps', found.at_steps)}"
    )
    return said(
        found,
        {
            "supported": (
                "the more strings, the more alike are training and unseen strings recovered"
            ),
            "contradicted": (
                "at equal epochs or at equal steps the gap in recovery widens with more strings"
            ),
        },
        slopes_said,
    )


def figure(found: RecoveryMerges) -> Figure | None:
    """The slope at equal epochs by what else differs."""
    trainings = found.frames["trainings"]
    each = slopes(trainings.assign(y=trainings["at_epochs"]), by=["row"])
    return forest_figure(
        found.estimate,
        each.rename("value").reset_index(),
        name=CLAIM.name,
        title="Does recovery merge as the corpus grows?",
        caption=(
            "Slope on log N of the share of redrawn leaves recovered, training less control "
            "strings, at medium noise and equal epochs."
        ),
        axis="slope: merging ← 0 → parting",
        symbol="slope",
    )


def common_epochs(trials: Sequence[TrialConfig]) -> str | None:
    """A smaller corpus must have been measured by the epochs that the largest one ends with."""
    frame = settings_of(trials).assign(
        first=[trial.measured_steps[0] for trial in trials],
        last=[trial.last_step for trial in trials],
    )
    for _, group in frame.groupby(alike(frame, but=SIZE)):
        sizes = group.sort_values("corpus.size")
        largest = sizes.iloc[-1]
        smaller = sizes[sizes["corpus.size"] < largest["corpus.size"]]
        reached = largest["last"] * smaller["corpus.size"] / largest["corpus.size"]
        if (smaller["first"] <= reached).any():
            return None
    return (
        "by the epochs that the largest corpus ends with no smaller one is measured yet: lower "
        "measurement.first_step or raise training.steps"
    )


CLAIM = Claim(
    id="C15",
    name="recovery-merges",
    statement="Token recovery of training and unseen strings merges as N grows",
    source="arXiv 2604.26841",
    quantity="slope of training less held-out token recovery at medium noise on log N",
    method=(
        "at equal epochs and at equal steps, one slope per seed among trainings that differ in N "
        "alone, then Student’s t over seeds"
    ),
    needs=(several_sizes, common_epochs, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
