"""The weights of a pack of U-Nets, and what they are at the start.

Bits must not depend on the pack or, on a CPU, on the number of threads. Batched products of two and
more members keep to that at any size; the product of a single member does at multiples of 4 rows
and 8 columns (`is_even`), for which the vocabulary is padded with symbols that never occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from study.config import TrialConfig
from study.models.layout import Layout, standard_normal


@dataclass(frozen=True)
class NetworkShape(Layout):
    """What fixes the shapes of all tensors; equal for the members of a pack."""

    depth: int
    tuple_size: int
    vocab_size: int
    width: int

    @classmethod
    def of(cls, config: TrialConfig) -> NetworkShape:
        """The shape of a training's network."""
        shape = config.shape
        return cls(shape.depth, shape.tuple_size, shape.vocab_size, config.network.width)

    @property
    def padded_vocab(self) -> int:
        """v, rounded up to a multiple of 8."""
        return -(-self.vocab_size // 8) * 8

    @cached_property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        """See `Layout.parameters`.

        `down.l` joins the children of level l + 1 into level l; `up.l` and `skip.l` spread level l
        over its children. A weight is (fan-in, fan-out) but for the readout, which is multiplied
        from the left: the logits lie symbol by symbol, and a product with few columns is slow.
        """
        s, v, W = self.tuple_size, self.padded_vocab, self.width
        shapes: dict[str, tuple[int, ...]] = {"embedding": (v, W)}
        for level in reversed(range(self.depth)):
            shapes |= {f"down.{level}": (s * W, W)}
            shapes |= {f"down.{level}.scale": (W,), f"down.{level}.shift": (W,)}
        for level in range(self.depth):
            shapes |= {f"up.{level}": (W, s * W), f"skip.{level}": (W, s * W)}
            shapes |= {f"up.{level}.scale": (W,), f"up.{level}.shift": (W,)}
        return shapes | {"readout": (v, W), "readout.skip": (v, W)}

    def is_even(self, rows: int) -> bool:
        """Whether a lone member's products of so many rows keep their bits on several threads."""
        return rows % 4 == 0 and self.width % 8 == 0


def initial_weights(shape: NetworkShape, seeds: Sequence[int]) -> Tensor:
    """Flat weights (K·numel,) as `standard_normal` draws them; padding is 0."""
    flat = standard_normal(shape, seeds)
    views, v = shape.views(flat), shape.vocab_size
    views["embedding"][:, v:] = 0
    views["readout"][:, v:] = 0
    views["readout.skip"][:, v:] = 0
    return flat
