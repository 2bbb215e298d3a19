"""C12: the rules of a level are learned when N exceeds about N*_l = v·m^(L-l+1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.charts.figure import Figure
from analysis.claims.claim import Claim, Result
from analysis.claims.forests import forest_figure
from analysis.claims.needs import a_grammar, several_seeds, several_sizes
from analysis.claims.sentences import basis, estimated, remedy, said
from analysis.claims.verdicts import SUPPORTED, Judgement, all_of, equal_to
from analysis.frames.wording import counted, listed
from analysis.statistics.matching import alike
from analysis.statistics.sample_complexity import (
    MAGNITUDE,
    enough_strings,
    learned_sizes,
    positions,
    spans,
    synonym_slopes,
    vocabulary_slopes,
)
from analysis.statistics.seeds import Estimate, mean_over_seeds
from analysis.statistics.slopes import SIZE
from study.config import TrialConfig


@dataclass(frozen=True, kw_only=True)
class EnoughStrings(Result):
    """C12 with the numbers behind it; its estimate is the position log10(N/N*_l).

    Its frame: `sizes`, from `learned_sizes`.

    Attributes:
        vocabulary: slope of log N on log v, undefined where v was not swept.
        synonyms: slope of log N on (L-l+1)·log m, undefined where m was not swept.
    """

    vocabulary: Estimate
    synonyms: Estimate


def test(tables: Mapping[str, pd.DataFrame]) -> EnoughStrings:
    """The N at which a level is learned equals N*_l, and goes with v and m as N*_l does.

    The claim of [Favero 2025a].

    log10(N/N*_l) within half a power of ten of 0, for [Favero 2025a] gives an order of magnitude;
    where they were swept, exponents of v and m, the latter in units of that of N*_l, within ±0.2 of
    1. Each is averaged, or fitted, by seed; Student's t over seeds. The claim is the conjunction of
    what was swept.
    """
    sizes = learned_sizes(tables)
    return judged(sizes, *(f(sizes) for f in (positions, vocabulary_slopes, synonym_slopes)))


def judged(
    sizes: pd.DataFrame, position: pd.Series, vocabulary: pd.Series, synonyms: pd.Series
) -> EnoughStrings:
    """The claim on the positions and exponents of every seed."""
    at, v, m = (mean_over_seeds(values.tolist()) for values in (position, vocabulary, synonyms))
    judgement = conjunction(at, v, m)
    bounds = counted(int(sizes["bound"].sum()), "onset")
    unswept = [name for name, slope in (("v", v), ("m", m)) if slope.mean is None]
    more = remedy(judgement.verdict, at, UNTESTED)
    if judgement.verdict == SUPPORTED and unswept:
        more = f"several values of {listed(unswept)} to test the exponent as well"
    return EnoughStrings(
        estimate=at,
        judgement=judgement,
        basis=f"{basis(sizes, 'onset')}; {bounds} at their bounds",
        remedy=more,
        frames={"sizes": sizes},
        vocabulary=v,
        synonyms=m,
    )


def conjunction(position: Estimate, vocabulary: Estimate, synonyms: Estimate) -> Judgement:
    """What the position and the exponents that were swept say together."""
    swept = [slope for slope in (vocabulary, synonyms) if slope.mean is not None]
    parts = [equal_to(slope, 1.0) for slope in swept]
    return all_of(equal_to(position, 0.0, within=MAGNITUDE), *parts)


UNTESTED = (
    "corpora of several sizes, from a third of the N*_l = v·m^(L-l+1) of some level to three times "
    "as many (half a power of ten to both sides), with strings that are no copies"
)


def sentence(found: EnoughStrings) -> str:
    """C12 in one sentence."""
    named = {
        "log10(N/N*_l)": found.estimate,
        "exponent of v": found.vocabulary,
        "exponent of m over L-l+1": found.synonyms,
    }
    return said(
        found,
        {
            "supported": "the rules of a level are learned from about N*_l strings",
            "contradicted": "the strings that it takes are not those of N*_l",
        },
        ", ".join(estimated(name, one) for name, one in named.items() if one.mean is not None),
        undecided="an interval lies neither inside nor outside its band",
    )


def figure(found: EnoughStrings) -> Figure | None:
    """The position by level."""
    sizes = found.frames["sizes"].dropna(subset="position").sort_values("level")
    return forest_figure(
        found.estimate,
        sizes.assign(row=[f"level {level}" for level in sizes["level"]], value=sizes["position"]),
        name=CLAIM.name,
        title="How many strings does a level take?",
        caption=(
            "The N at which the rules of a level are learned, against N*_l = v·m^(L-l+1), in "
            "powers of ten; levels count from the root."
        ),
        axis="log₁₀(N/N*): fewer strings ← 0 → more strings",
        symbol="log₁₀(N/N*)",
    )


def sizes_around(trials: Sequence[TrialConfig]) -> str | None:
    """The corpora of some grammar must reach to both sides of N*_l at some level."""
    trainings = pd.DataFrame([trial.flat() for trial in trials if trial.grammar is not None])
    if trainings.empty:
        return None
    sizes = trainings.groupby(alike(trainings, but=SIZE))["corpus.size"]
    smallest, largest = sizes.transform("min"), sizes.transform("max")
    for level in range(int(trainings["grammar.depth"].max())):
        within = trainings["grammar.depth"] > level
        if (within & spans(smallest, largest, enough_strings(trainings, level))).any():
            return None
    return (
        "no N*_l = v·m^(L-l+1) has corpora half a power of ten to both sides: widen the values of "
        "corpus.size"
    )


CLAIM = Claim(
    id="C12",
    name="enough-strings",
    statement="The rules of level l are learned when N exceeds about N*_l = v·m^(L-l+1)",
    source="Favero et al., arXiv 2502.12089; by levels from the root",
    quantity=(
        "log10 of N over N*_l, N where the conditional validity of non-copied strings at the last "
        "step is half the way from chance to 1"
    ),
    method=(
        "averaged over the levels and cells of a seed, then Student’s t over seeds; exponents of v "
        "and m, where swept, as slopes per seed"
    ),
    needs=(a_grammar, several_sizes, sizes_around, several_seeds),
    test=test,
    sentence=sentence,
    figure=figure,
)
