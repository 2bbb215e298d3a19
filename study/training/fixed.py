"""What the measurements of a training reuse at every step: its noise, and the optima under it."""

from __future__ import annotations

from dataclasses import dataclass

from study.config import TrialConfig
from study.measures import Reference
from study.measures.likelihood import Probes
from study.measures.noise import Noisings
from study.measures.optima import Optima
from study.measures.windows import TRAINING
from study.processes.process import Diffusion


@dataclass(frozen=True)
class Fixed:
    """What the measurements of one training reuse at every step."""

    noisings: Noisings
    optima: Optima
    probes: Probes

    @classmethod
    def of(cls, config: TrialConfig, reference: Reference, diffusion: Diffusion) -> Fixed:
        """Draw the noise and work out the two optima under it."""
        corpus = reference.corpus
        noisings = Noisings.draw(config, corpus, diffusion)
        noised = noisings.x_0, noisings.x_t, noisings.t, noisings.side == TRAINING
        return cls(
            noisings,
            Optima.of(corpus, diffusion, *noised),
            Probes.draw(config, reference, diffusion),
        )
