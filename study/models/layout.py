"""Where every weight of a pack lies.

All weights lie in one flat buffer, parameter by parameter, so that the optimizer is one operation
and every parameter is a contiguous (K, *shape).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from study.randomness import generator


class Layout:
    """The parameters of one network, and how those of a pack share a flat buffer."""

    @cached_property
    def parameters(self) -> Mapping[str, tuple[int, ...]]:
        """Parameter name -> its shape for one member, in the order of the buffer."""
        raise NotImplementedError

    @cached_property
    def numel(self) -> int:
        """Numbers of one member, padding included."""
        return sum(map(math.prod, self.parameters.values()))

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """Every parameter as a view (K, *shape) of the flat buffer (K·numel,)."""
        members = len(flat) // self.numel
        sizes = (members * math.prod(shape) for shape in self.parameters.values())
        ranges = pairwise(accumulate(sizes, initial=0))
        return {
            name: flat[start:end].view(members, *shape)
            for (name, shape), (start, end) in zip(self.parameters.items(), ranges, strict=True)
        }

    def rows(self, flat: Tensor) -> Tensor:
        """The flat buffer by member: (K·numel,) -> (K, numel), a copy."""
        return torch.cat([view.flatten(1) for view in self.views(flat).values()], dim=1)

    def row(self, flat: Tensor, member: int) -> Tensor:
        """One member of the flat buffer: (K·numel,) -> (numel,), a copy."""
        return torch.cat([view[member].flatten() for view in self.views(flat).values()])

    def flattened(self, rows: Tensor) -> Tensor:
        """The inverse of `rows`."""
        sizes = [math.prod(shape) for shape in self.parameters.values()]
        return torch.cat([part.flatten() for part in rows.split(sizes, dim=1)])


def standard_normal(layout: Layout, seeds: Sequence[int]) -> Tensor:
    """Flat weights (K·numel,) drawn from N(0, 1), LayerNorm scales 1 and shifts 0.

    Drawn on the CPU, so that a training starts alike on every device.
    """
    flat = torch.zeros(len(seeds) * layout.numel)
    views = layout.views(flat)
    for k, seed in enumerate(seeds):
        stream = generator(torch.device("cpu"), seed, "initialization")
        for name, view in views.items():
            if name.endswith(".scale"):
                view[k] = 1.0
            elif not name.endswith(".shift"):
                view[k] = torch.randn(view.shape[1:], generator=stream)
    return flat
