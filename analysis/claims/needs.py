"""What claims need of a sweep: each looks at its trainings before any of them has run."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.claims.claim import Need
from analysis.claims.trials import settings_of
from analysis.frames.cells import title
from analysis.frames.strata import FEW, UNIFORM, why_single_of
from analysis.statistics.matching import alike
from analysis.statistics.onset_slopes import equal_but
from analysis.statistics.slopes import SIZE
from study.config import TrialConfig


def several_seeds(trials: Sequence[TrialConfig]) -> str | None:
    """An interval needs two values of the unit of replication."""
    if len({trial.seed for trial in trials}) > 1:
        return None
    return "a single seed has no interval: set seeds to 2 or more"


def several_sizes(trials: Sequence[TrialConfig]) -> str | None:
    """What depends on N shows in corpora of several sizes, all else equal."""
    trainings = settings_of(trials)
    sizes = trainings.groupby(alike(trainings, but=SIZE))["corpus.size"]
    if (sizes.min() < sizes.max()).any():
        return None
    return "no two cells differ in N alone: give corpus.size several values"


def several_generated_steps(trials: Sequence[TrialConfig]) -> str | None:
    """What comes first shows in strings of several steps."""
    if any(len(trial.generated_steps) > 1 for trial in trials):
        return None
    return (
        "strings are generated at a single step: lower measurement.first_step or raise "
        "training.steps"
    )


def has_typical_parts(trial: TrialConfig) -> bool:
    """Whether some rules, or without a grammar some strings, are more typical than others."""
    return trial.grammar is None or any(a > 0 for a in trial.grammar.zipf.values())


def a_grammar(trials: Sequence[TrialConfig]) -> str | None:
    """What is claimed of rules needs strings that have some."""
    if any(trial.grammar is not None for trial in trials):
        return None
    return "these strings have no grammar, and so no rules: set corpus.source to grammar"


def several_strata(trials: Sequence[TrialConfig]) -> str | None:
    """Slopes over typicality need strings that differ in it, and controls for two strata."""
    reasons = [why_single_of(trial) for trial in trials]
    if None in reasons:
        return None
    return FEW if FEW in reasons else UNIFORM


def varied(field: str) -> Need:
    """Slopes on a setting need cells that differ in it and in nothing else."""

    def need(trials: Sequence[TrialConfig]) -> str | None:
        trainings = settings_of(trials)
        values = trainings.groupby(equal_but(trainings, [field]))[field].agg(["min", "max"])
        if (values["min"] < values["max"]).any():
            return None
        return f"no two cells differ in {title(field)} alone: give {field} several values"

    return need
