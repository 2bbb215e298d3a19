"""The machine's limit: the matrix products of a network and its optimizer, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.crew import Run
from study.models.weights import NetworkShape

Product = tuple[Tensor, Tensor, Tensor]
"""Two factors, and where their product is written."""


def training_ceiling(shape: NetworkShape, members: int, strings: int, device: torch.device) -> Run:
    """All products of a step, forward and backward, and one fused Adam over all weights."""
    products: list[Product] = []
    for name in _weights(shape):
        forward, in_weight, in_input = _products(shape, name, members, strings, device)
        products += [forward, in_weight] + [in_input] * (name != "embedding")
    flat = torch.randn(members * shape.numel, device=device)
    flat.grad = torch.randn_like(flat)
    adam = torch.optim.Adam([flat], fused=True)

    def run() -> None:
        for a, b, out in products:
            torch.bmm(a, b, out=out)
        adam.step()

    return run


def generation_ceiling(
    shape: NetworkShape, members: int, strings: int, device: torch.device
) -> Run:
    """The products of one reverse step whose inputs are too many to be looked up."""
    looked_up = _looked_up(shape, strings)
    products = [
        _products(shape, name, members, strings, device)[0]
        for name in _weights(shape)
        if name not in looked_up
    ]

    def run() -> None:
        for a, b, out in products:
            torch.bmm(a, b, out=out)

    return run


def _weights(shape: NetworkShape) -> list[str]:
    return [name for name, sizes in shape.parameters.items() if len(sizes) == 2]


def _products(
    shape: NetworkShape, name: str, members: int, strings: int, device: torch.device
) -> tuple[Product, Product, Product]:
    """Forward, and backward into the weight and into what it was multiplied with."""
    w = torch.randn(members, *shape.parameters[name], device=device)
    rows, reads_out = _rows(shape, name, strings), name.startswith("readout")
    h = torch.randn(members, rows, w.shape[2 if reads_out else 1], device=device)
    if reads_out:  # symbols come first
        y = torch.bmm(w, h.mT)
        return (w, h.mT, y), (y, h, torch.empty_like(w)), (y.mT, w, torch.empty_like(h))
    y = torch.bmm(h, w)
    return (h, w, y), (h.mT, y, torch.empty_like(w)), (y, w.mT, torch.empty_like(h))


def _rows(shape: NetworkShape, name: str, strings: int) -> int:
    _, _, level = name.partition(".")
    return strings * shape.tuple_size ** (int(level) if level.isdigit() else shape.depth)


def _looked_up(shape: NetworkShape, strings: int) -> set[str]:
    """Weights that meet few distinct features where t is equal for all strings."""
    names, values = {"embedding", "readout.skip"}, shape.vocab_size
    for level in reversed(range(shape.depth)):
        values **= shape.tuple_size
        if values > strings * shape.tuple_size**level / 2:
            break
        names |= {f"down.{level}", f"skip.{level}"}
    return names
