"""Copying: how often training strings are generated, and how often their controls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.corpus import Strata
from study.measures.declared import NO_LAW, Column, Curve, with_error
from study.measures.reference import Reference, of_distinct, stratum_excess
from study.measures.substrings import CONTROL, TRAINING


@dataclass(frozen=True)
class Copies:
    """Which strings of the corpus a sample of G strings emits.

    size     G
    emitted  (K,) how often each distinct string of the corpus was generated, in the order of
             reference.strings
    """

    reference: Reference
    size: int
    emitted: NDArray[np.int64]

    @classmethod
    def of(cls, reference: Reference, places: NDArray[np.int64]) -> Copies:
        """Count the copies among G strings, given where each stands in the corpus (-1: nowhere)."""
        found = places[places >= 0]
        emitted = np.bincount(found, minlength=len(reference.strings.keys))
        return cls(reference, len(places), emitted)

    @cached_property
    def training(self) -> NDArray[np.float64]:
        """c_Db (S,), shares of the generated strings that lie in each stratum of D."""
        return self._shares(TRAINING, self.reference.stratum)

    @cached_property
    def control(self) -> NDArray[np.float64]:
        """c_Cb (S,), likewise of C."""
        return self._shares(CONTROL, self.reference.stratum)

    @property
    def emitted_training(self) -> NDArray[np.float64]:
        """Share (S,) of each stratum's distinct training strings emitted at least once."""
        return self._emitted_share(TRAINING)

    @property
    def emitted_control(self) -> NDArray[np.float64]:
        """Likewise of its controls."""
        return self._emitted_share(CONTROL)

    @property
    def copy_fraction(self) -> float:
        """Share c of the generated strings that are training strings and not controls too."""
        return self._copies(TRAINING)

    @property
    def control_copy_fraction(self) -> float:
        """Share of the generated strings that are controls and not training strings too."""
        return self._copies(CONTROL)

    @cached_property
    def excess(self) -> NDArray[np.float64]:
        """(c_Db - ρ_b·c_Cb) / e (S,): copies of each stratum beyond those due to typicality.

        e is the share of training strings that are not controls too, 1 for a unique corpus:
        divided by it, a memorizer of all training strings shows 1 in total.
        """
        return stratum_excess(self.reference.strata, self.training, self.control) / self._counted

    @property
    def excess_copies(self) -> float:
        """E = Σ_b (c_Db - ρ_b·c_Cb): 0 for the grammar, 1 for a memorizer, w for a mixture."""
        return float(self.excess.sum())

    @property
    def excess_copies_se(self) -> float:
        """Standard error of E; see `weighted_excess`."""
        return self.weighted_excess(np.ones(len(self.reference.strata)))[1]

    def weighted_excess(self, weights: NDArray[np.float64]) -> tuple[float, float]:
        """X = Σ_b w_b·(c_Db - ρ_b·c_Cb) and its standard error over generated strings.

        SE² = [Σ_b w_b²·(c_Db + ρ_b²·(c_Cb + p(C_b)/G)) - X²] / G

        X is the mean over generated strings of w_b in D_b, -w_b·ρ_b in C_b and 0 elsewhere. Without
        p(C_b)/G the bracket is the variance of these values, which would take a stratum whose
        controls were not met for one whose controls cannot be. So one string more is added, drawn
        from the grammar: a control of stratum b with probability p(C_b). Under the grammar
        E[SE²] = Var X·(1 + x/G) with |x| < 1, however rare its copies are; under any other model
        the addition is at most Σ_b w_b²·ρ_b²·p(C_b)/G². (A floor of one string, max(c_Cb, 1/G),
        would state 1.3 times the error with one expected copy per stratum, 5 times with 0.02.)
        Where the law of the strings is unknown, the one more is drawn from their source, a control
        of stratum b with probability n_Cb over all of its strings, and `_luck` is added.

        Where next to nothing is copied E and its error are next to 0 together; what G strings do
        not show may still have a rate of up to 3/G.
        """
        chance = self.reference.chance_control
        return self._weighted(weights, self.reference.strata, self.training, self.control, chance)

    def slope_over(self, strata: Strata) -> tuple[float, float]:
        """Σ_b z_b·(c_Db - ρ_b·c_Cb) over other strata of the same strings, and its SE."""
        stratum = of_distinct(strata, self.reference.strings)
        training, control = (self._shares(side, stratum) for side in (TRAINING, CONTROL))
        if strata.mass_control is None:
            raise ValueError("strata by level need the law of the strings")
        return self._weighted(strata.z, strata, training, control, strata.mass_control)

    def _weighted(
        self,
        weights: NDArray[np.float64],
        strata: Strata,
        training: NDArray[np.float64],
        control: NDArray[np.float64],
        chance: NDArray[np.float64],
    ) -> tuple[float, float]:
        total = float(weights @ stratum_excess(strata, training, control)) / self._counted
        seen = control + chance / self.size
        moments = training + strata.mass_ratio**2 * seen
        error = self._error(float(weights**2 @ moments), total)
        if self.reference.corpus.law is not None:
            return total, error
        luck = max(float(weights**2 @ self._luck), 0.0) / self._counted**2
        return total, float(np.sqrt(error**2 + luck))

    @property
    def _luck(self) -> NDArray[np.float64]:
        """Variance (S,) of c_Db - ρ_b·c_Cb over which strings fell on which side.

        Where the law is known ρ_b makes up for the sides' masses; where it is not, a model that has
        seen neither side may still prefer some strings, which a coin put into D or into C. Of a
        fixed number on each side, q(D_b) - ρ_b·q(C_b) has the variance (1 + ρ_b)·n_Db·S², S² that
        of q(x) over the strings of the stratum. By exchangeability the controls tell it, with k_x
        copies of string x and n = n_Cb without bias:
        (ρ_b + ρ_b²)·[Σ_x k_x(k_x - 1) - Σ_{x≠y} k_x·k_y/(n - 1)]/G²; of one control alone the
        second sum is left out.
        """
        strata, k = self.reference.strata, self.emitted
        ratio, others = strata.mass_ratio, np.maximum(strata.num_control - 1, 1)
        total, squares = (
            self._per_stratum(CONTROL, self.reference.stratum, counts) for counts in (k, k**2)
        )
        return (ratio + ratio**2) * (squares - total - (total**2 - squares) / others) / self.size**2

    def _copies(self, side: int) -> float:
        return int(self.emitted[self.reference.strings.sides == side].sum()) / self.size

    @property
    def _counted(self) -> float:
        return self.reference.strings.exclusive_share

    def _error(self, second_moment: float, mean: float) -> float:
        """Standard error of a mean over the generated strings, both scaled by 1/e."""
        variance = second_moment / self._counted**2 - mean**2
        return float(np.sqrt(max(variance, 0.0) / self.size))

    def _emitted_share(self, side: int) -> NDArray[np.float64]:
        members = self._per_stratum(side, self.reference.stratum, np.ones_like(self.emitted))
        return self._per_stratum(side, self.reference.stratum, self.emitted > 0) / members

    def _shares(self, side: int, stratum: NDArray[np.int64]) -> NDArray[np.float64]:
        return self._per_stratum(side, stratum, self.emitted) / self.size

    def _per_stratum(
        self, side: int, stratum: NDArray[np.int64], weights: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Sums of weights (K,) over the strings of one side alone, by their stratum (K,)."""
        of_side = self.reference.strings.sides == side
        num = int(stratum.max()) + 1
        return np.bincount(stratum[of_side], weights[of_side], num).astype(np.float64)


COLUMNS = (
    Column(
        name="copy_fraction",
        table="curves",
        symbol="c",
        meaning="share of generated strings that are training strings",
        formula="Σ_b c_Db",
        unit="share",
        range="[0, 1]",
        grammar="p(D)",
        memorizer="1",
        generated=True,
        curve=Curve(panel="copying", name="training copied", obvious=True),
    ),
    Column(
        name="control_copy_fraction",
        table="curves",
        meaning="share of generated strings that are controls",
        formula="Σ_b c_Cb",
        unit="share",
        range="[0, 1]",
        grammar="p(C)",
        memorizer="0",
        generated=True,
        curve=Curve(panel="copying", name="controls copied", obvious=True),
    ),
    Column(
        name="mass_training",
        table="curves",
        symbol="p(D)",
        meaning="exact probability of all training strings",
        unit="probability",
        range="[0, 1]",
        null=NO_LAW,
        generated=True,
    ),
    Column(
        name="mass_control",
        table="curves",
        symbol="p(C)",
        meaning="exact probability of all controls",
        unit="probability",
        range="[0, 1]",
        null=NO_LAW,
        generated=True,
    ),
    *with_error(
        Column(
            name="excess_copies",
            table="curves",
            symbol="E",
            meaning="copies beyond what this very model emits of unseen strings of equal "
            "typicality",
            formula="Σ_b (c_Db - ρ_b·c_Cb)",
            unit="share",
            range="≤ 1/e_D at the root",
            grammar="0",
            memorizer="1",
            generated=True,
            curve=Curve(panel="copying", name="excess copies E", first=True),
        ),
        formula="√([Σ_b (c_Db + ρ_b²·(c_Cb + p(C_b)/G)) - E²]/G), one string of the grammar added "
        "so that controls not met are no certainty; without a grammar one string of the source, "
        "and (ρ_b + ρ_b²)·Σ_{x in C_b} k_x(k_x - 1)/G² for which strings fell on which side",
    ),
    Column(
        name="excess_fit",
        table="curves",
        meaning="E of the true rule tables with probabilities refitted to D: what a perfect "
        "learner of rules would show; without a grammar, of the n-gram refitted to D",
        unit="share",
        range="≤ 1/e_D at the root",
        generated=True,
    ),
    Column(
        name="copies_training",
        table="typicality",
        symbol="c_Db",
        meaning="share of all generated strings that are training strings of the stratum",
        unit="share",
        range="[0, 1]",
        grammar="p(D_b)",
        memorizer="n_Db/N",
        generated=True,
    ),
    Column(
        name="copies_control",
        table="typicality",
        symbol="c_Cb",
        meaning="share of all generated strings that are controls of the stratum",
        unit="share",
        range="[0, 1]",
        grammar="p(C_b)",
        memorizer="0",
        generated=True,
    ),
    Column(
        name="emitted_training",
        table="typicality",
        meaning="share of the stratum’s distinct training strings generated at least once",
        unit="share",
        range="[0, 1]",
        generated=True,
    ),
    Column(
        name="emitted_control",
        table="typicality",
        meaning="share of the stratum’s distinct controls generated at least once",
        unit="share",
        range="[0, 1]",
        memorizer="0",
        generated=True,
    ),
    Column(
        name="count",
        table="emissions",
        meaning="how often the string was generated; strings that were not have no row",
        unit="strings",
        range="≥ 1",
        generated=True,
        kind="integer",
    ),
)
