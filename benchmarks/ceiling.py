"""The machine's limit: the matrix products of a network and its optimizer, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.timing import Run
from study.weights import NetworkShape


def training_ceiling(shape: NetworkShape, members: int, strings: int, device: torch.device) -> Run:
    """All products of a step, forward and backward, and one fused Adam over all weights."""
    products = []
    for name, (fan_in, fan_out) in _weights(shape).items():
        h, w, y = _operands(members, _rows(shape, name, strings), fan_in, fan_out, device)
        products += [(h, w, y), (h.mT, y, torch.empty_like(w))]
        if name != "embedding":
            products.append((y, w.mT, torch.empty_like(h)))
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
    products = [
        _operands(members, _rows(shape, name, strings), fan_in, fan_out, device)
        for name, (fan_in, fan_out) in _weights(shape).items()
        if name not in _looked_up(shape, strings)
    ]

    def run() -> None:
        for a, b, out in products:
            torch.bmm(a, b, out=out)

    return run


def _weights(shape: NetworkShape) -> dict[str, tuple[int, int]]:
    return {name: (x[0], x[1]) for name, x in shape.parameters.items() if len(x) == 2}


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


def _operands(
    members: int, rows: int, fan_in: int, fan_out: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    h = torch.randn(members, rows, fan_in, device=device)
    w = torch.randn(members, fan_in, fan_out, device=device)
    return h, w, torch.bmm(h, w)
