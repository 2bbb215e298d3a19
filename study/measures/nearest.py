"""The ratio rule for images: a generated image far nearer to one image of D than to any other.

Where copies are seldom exact, an image counts as a copy if its distance to the nearest image of D
is below a third of that to the second nearest (the rule of Yoon et al., *Diffusion Probabilistic
Models Generalize when They Fail to Memorize*, 2023, used by [Bonnaire 2025]). Distances are Hamming
distances here, pixels that differ. Against C, which the model never saw, the rule reads chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from study.corpus import Corpus
from study.measures.declared import Column, Curve

RATIO = 1 / 3
ROWS = 256
"""Generated images that are compared at once; bounds the memory."""


@dataclass(frozen=True)
class NearestImages:
    """The distinct images of D (N, d) and of C (N, d), equally many: nearest are nearer in more."""

    training: NDArray[np.unsignedinteger[Any]]
    control: NDArray[np.unsignedinteger[Any]]

    @classmethod
    def of(cls, corpus: Corpus) -> NearestImages | None:
        """Those of a corpus; None where its strings are no images, or there are fewer than two."""
        if corpus.stand_in is None or not corpus.stand_in.image:
            return None
        sides = [side.strings[side.distinct] for side in (corpus.training, corpus.control)]
        size = min(map(len, sides))
        return cls(*(side[:size] for side in sides)) if size > 1 else None

    def copied(self, images: NDArray[Any]) -> tuple[float, float]:
        """Shares of images (G, d) that the rule calls copies of D, and of C."""
        shares = (float(_follows(images, side).mean()) for side in (self.training, self.control))
        return next(shares), next(shares)


def _follows(images: NDArray[Any], side: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the nearest of a side is below a third as far as the second nearest, (G,)."""
    found = []
    for start in range(0, len(images), ROWS):
        part = images[start : start + ROWS]
        apart = (part[:, None, :] != side[None, :, :]).sum(axis=2)
        nearest = np.partition(apart, 1, axis=1)[:, :2]
        found.append(nearest[:, 0] < RATIO * nearest[:, 1])
    return np.concatenate(found)


def ratio_copies(nearest: NearestImages | None, images: NDArray[Any]) -> dict[str, float | None]:
    """The columns of `curves`."""
    training, control = (None, None) if nearest is None else nearest.copied(images)
    return {"ratio_copies": training, "ratio_copies_control": control}


_NO_IMAGES = "of strings that are no images"

COLUMNS = (
    Column(
        name="ratio_copies",
        table="curves",
        meaning="share of generated images whose Hamming distance to the nearest training image is "
        "below a third of that to the second nearest",
        unit="share",
        range="[0, 1]",
        memorizer="1",
        source="[Bonnaire 2025]",
        null=_NO_IMAGES,
        generated=True,
        curve=Curve(panel="nearest", name="near copies by the ratio rule", first=True),
    ),
    Column(
        name="ratio_copies_control",
        table="curves",
        meaning="the same against as many controls",
        unit="share",
        range="[0, 1]",
        null=_NO_IMAGES,
        generated=True,
        curve=Curve(panel="nearest", name="the same against controls", obvious=True),
    ),
)
