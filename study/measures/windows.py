"""The readings of noisy strings, averaged over all noise and in ten windows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from study.measures.declared import NO_LAW, Column, Curve

if TYPE_CHECKING:
    from study.measures.noise import Noisings
    from study.measures.optima import Optima

WINDOWS = 10
"""Equal parts of t = 1 … T over which everything is averaged."""

TRAINING, HELDOUT = 0, 1
"""The sides of `Noisings.side`."""


@dataclass(frozen=True)
class Windows:
    """Readings of one training, averaged over both sides and the noise windows.

    readings  name -> (B,), from `measure_noise`
    window    (B,) of each noisy string
    side      (B,)
    leaves    d
    optima    of its training strings
    """

    readings: dict[str, NDArray[np.float64]]
    window: NDArray[np.int64]
    side: NDArray[np.int64]
    leaves: int
    optima: Optima

    @classmethod
    def of(
        cls,
        readings: dict[str, NDArray[np.float64]],
        noisings: Noisings,
        optima: Optima,
        num_timesteps: int,
    ) -> Windows:
        """Sort the readings into windows of t."""
        window = (noisings.t.cpu().numpy() - 1) * WINDOWS // num_timesteps
        side = noisings.side.cpu().numpy()
        return cls(readings, window, side, noisings.x_0.shape[1], optima)

    def curves(self) -> dict[str, float | None]:
        """Of the table `curves`: losses, gap fraction and position over all noise."""
        training, heldout = (self._mean("loss", self.side == k) for k in (TRAINING, HELDOUT))
        position, off_line = self.optima.position(self._training_sums(None))
        return {
            "training_loss": training,
            "heldout_loss": heldout,
            "memorizer_loss": float(self.optima.loss.mean()),
            "gap_fraction": self._gap_fraction(),
            "position": position,
            "off_line": off_line,
        }

    def _gap_fraction(self) -> float | None:
        """Of losses less the grammar's at the same noisy strings; see `gap_fraction`."""
        loss, own = self.readings["loss"], self.side == TRAINING
        grammar = self.optima.grammar_loss
        if grammar is None:
            return gap_fraction(loss[own], loss[~own], self.optima.loss)
        beyond = loss - grammar
        return gap_fraction(beyond[own], beyond[~own], self.optima.loss - grammar[own])

    def noise(self, num_timesteps: int) -> dict[str, list[Any]]:
        """The rows of the table `noise`, one per window; without draws everything is None."""
        edges = [-(-w * num_timesteps // WINDOWS) for w in range(WINDOWS + 1)]
        rows = [self._window(w) for w in range(WINDOWS)]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return {
            "window": list(range(WINDOWS)),
            "first_t": [edge + 1 for edge in edges[:-1]],
            "last_t": edges[1:],
            **columns,
        }

    def _window(self, window: int) -> dict[str, float | None]:
        here = self.window == window
        row: dict[str, float | None] = {}
        for name, side in (("training", TRAINING), ("heldout", HELDOUT)):
            chosen = here & (self.side == side)
            row[f"{name}_loss"] = self._mean("loss", chosen)
            row[f"{name}_recovery"] = self._ratio("recovered", "redrawn", chosen)
            row[f"{name}_entropy"] = self._per_leaf("entropy", chosen)
        own = here & (self.side == TRAINING)
        loss = self.optima.loss[self.window[self.side == TRAINING] == window]
        row["memorizer_loss"] = float(loss.mean()) if len(loss) else None
        row["kl_memorizer"] = self._per_leaf("kl_memorizer", own)
        known = self.optima.grammar is not None
        row["kl_grammar"] = self._per_leaf("kl_grammar", own) if known else None
        row["position"], row["off_line"] = self.optima.position(self._training_sums(window))
        return row

    def _training_sums(self, window: int | None) -> dict[str, float]:
        chosen = (self.side == TRAINING) & ((self.window == window) | (window is None))
        return {name: float(self.readings[name][chosen].sum()) for name in self.optima.READINGS}

    def _mean(self, name: str, chosen: NDArray[np.bool_]) -> float | None:
        return float(self.readings[name][chosen].mean()) if chosen.any() else None

    def _per_leaf(self, name: str, chosen: NDArray[np.bool_]) -> float | None:
        mean = self._mean(name, chosen)
        return None if mean is None else mean / self.leaves

    def _ratio(self, part: str, whole: str, chosen: NDArray[np.bool_]) -> float | None:
        total = self.readings[whole][chosen].sum()
        return float(self.readings[part][chosen].sum() / total) if total else None


def gap_fraction(
    training: NDArray[np.float64], heldout: NDArray[np.float64], memorizer: NDArray[np.float64]
) -> float | None:
    """(held-out - train)/(held-out - memorizer's train): 0 for the grammar, 1 for empirical Bayes.

    Of losses beyond the exact grammar's, of noised training strings (R,), controls (R',) and, of
    empirical Bayes, the training strings again (R,). The two sides hold different strings, and 96
    of each differ in their mean loss by chance, by the same amount at every step. What the grammar
    itself loses on these noisy strings has that difference in it and, D and C being exchangeable,
    no other: E[g_C - g_D] = 0. So it is taken off both, which moves no expectation of numerator or
    denominator, and leaves exactly 0 for the grammar and 1 for empirical Bayes, whatever was drawn.
    Of strings without a grammar the losses are taken as they are.

    None without noisy strings of either side, and where the network is no worse on held-out strings
    than the memorizer on its own.
    """
    if not len(training) or not len(heldout):
        return None
    outside = float(heldout.mean())
    whole = outside - float(memorizer.mean())
    return (outside - float(training.mean())) / whole if whole > 0 else None


_NOISY = "over fixed noisings of"
_NO_DRAWS = "without draws in the window"

COLUMNS = (
    Column(
        name="batch_loss",
        table="curves",
        meaning="mean loss of the batches since the measurement before",
        formula="KL(q(x_{t-1} | x_t, x_0) ‖ p_θ(x_{t-1} | x_t)), mean over leaves",
        unit="nats per leaf",
        range="≥ 0",
        source="[D3PM] eq. 1",
        null="where a training is measured again",
        curve=Curve(panel="loss", name="batches", obvious=True),
    ),
    Column(
        name="training_loss",
        table="curves",
        meaning=f"mean loss {_NOISY} training strings, over all noise",
        unit="nats per leaf",
        range="≥ 0",
        curve=Curve(panel="loss", name="training strings", first=True, obvious=True),
    ),
    Column(
        name="heldout_loss",
        table="curves",
        meaning=f"mean loss {_NOISY} controls, over all noise",
        unit="nats per leaf",
        range="≥ 0",
        curve=Curve(panel="loss", name="controls", first=True, obvious=True),
    ),
    Column(
        name="memorizer_loss",
        table="curves",
        meaning="mean loss of empirical Bayes, the perfect memorizer, on the same noisy training "
        "strings",
        unit="nats per leaf",
        range="≥ 0",
        curve=Curve(panel="loss", name="perfect memorizer", obvious=True),
    ),
    Column(
        name="gap_fraction",
        table="curves",
        meaning="gap between held-out and training loss as a share of a perfect memorizer’s",
        formula="(held-out - train)/(held-out - empirical Bayes’ training loss), of losses beyond "
        "the exact grammar’s on the same noisy strings",
        unit="share",
        range="any",
        grammar="0, exactly",
        memorizer="1, exactly",
        null="where the network is no worse on controls than empirical Bayes on training strings",
        curve=Curve(panel="knowledge", name="loss gap"),
    ),
    Column(
        name="position",
        table="curves",
        meaning="where the network stands between the grammar (0) and a perfect memorizer (1)",
        formula="Σ(θ-g)·(e-g)/Σ|e-g|²",
        range="any",
        grammar="0",
        memorizer="1",
        null=f"where off-line > 1, where the optima are one, and {NO_LAW}",
        curve=Curve(panel="knowledge", name="position"),
    ),
    Column(
        name="off_line",
        table="curves",
        meaning="squared distance from the line between them, in units of their own",
        formula="Σ|θ-g|²/Σ|e-g|² - position²",
        range="≥ 0",
        grammar="0",
        memorizer="0",
        null=f"where the optima are one, and {NO_LAW}",
        curve=Curve(panel="knowledge", name="off-line"),
    ),
    Column(
        name="training_loss",
        table="noise",
        meaning="mean loss of noised training strings",
        unit="nats per leaf",
        range="≥ 0",
        null=_NO_DRAWS,
        curve=Curve(panel="loss", name="training strings", obvious=True),
    ),
    Column(
        name="heldout_loss",
        table="noise",
        meaning="mean loss of noised controls",
        unit="nats per leaf",
        range="≥ 0",
        null=_NO_DRAWS,
        curve=Curve(panel="loss", name="controls", obvious=True),
    ),
    Column(
        name="memorizer_loss",
        table="noise",
        meaning="mean loss of empirical Bayes on the same noisy training strings",
        unit="nats per leaf",
        range="≥ 0",
        null=_NO_DRAWS,
        curve=Curve(panel="loss", name="perfect memorizer", obvious=True),
    ),
    Column(
        name="training_recovery",
        table="noise",
        meaning="share of the redrawn leaves of training strings whose likeliest value is the true "
        "one",
        unit="share",
        range="[0, 1]",
        source="[Pham 2026]",
        null="without redrawn leaves in the window",
        curve=Curve(panel="recovery", name="training strings"),
    ),
    Column(
        name="heldout_recovery",
        table="noise",
        meaning="share of the redrawn leaves of controls whose likeliest value is the true one",
        unit="share",
        range="[0, 1]",
        source="[Pham 2026]",
        null="without redrawn leaves in the window",
        curve=Curve(panel="recovery", name="controls", obvious=True),
    ),
    Column(
        name="training_entropy",
        table="noise",
        meaning="entropy of the network’s posterior of a leaf, of noised training strings",
        formula="of p_θ(x_0 | x_t)",
        source="[Pham 2026]",
        unit="nats per leaf",
        range="≥ 0",
        null=_NO_DRAWS,
        curve=Curve(panel="entropy", name="training strings"),
    ),
    Column(
        name="heldout_entropy",
        table="noise",
        meaning="entropy of the network’s posterior of a leaf, of noised controls",
        formula="of p_θ(x_0 | x_t)",
        source="[Pham 2026]",
        unit="nats per leaf",
        range="≥ 0",
        null=_NO_DRAWS,
        curve=Curve(panel="entropy", name="controls", obvious=True),
    ),
    Column(
        name="kl_memorizer",
        table="noise",
        meaning="divergence of the network’s posterior of a leaf from a perfect memorizer’s",
        formula="KL(e ‖ θ)",
        memorizer="0",
        unit="nats per leaf",
        range="≥ 0",
        null=_NO_DRAWS,
        curve=Curve(panel="kl", name="of a perfect memorizer"),
    ),
    Column(
        name="kl_grammar",
        table="noise",
        meaning="divergence of the network’s posterior of a leaf from the grammar’s",
        formula="KL(g ‖ θ)",
        grammar="0",
        unit="nats per leaf",
        range="≥ 0",
        null=f"{_NO_DRAWS}, and {NO_LAW}",
        curve=Curve(panel="kl", name="of the grammar"),
    ),
    Column(
        name="position",
        table="noise",
        meaning="where the network stands between the two optima at this noise",
        formula="as `curves.position`",
        range="any",
        grammar="0",
        memorizer="1",
        null=f"where off-line > 1, where the optima are one, and {NO_LAW}",
        curve=Curve(panel="position", name="0 grammar, 1 perfect memorizer"),
    ),
    Column(
        name="off_line",
        table="noise",
        meaning="squared distance from the line between the two optima at this noise, in units of "
        "their own",
        formula="as `curves.off_line`",
        range="≥ 0",
        grammar="0",
        memorizer="0",
        null=f"where the optima are one, and {NO_LAW}",
        curve=Curve(panel="off-line", name="1 as far off as the optima lie apart"),
    ),
    Column(
        name="first_t",
        table="noise",
        meaning="first noise step t of the window",
        range="1 … T",
        kind="integer",
    ),
    Column(
        name="last_t",
        table="noise",
        meaning="last noise step t of the window",
        range="1 … T",
        kind="integer",
    ),
)
