"""Packs of transformers beside plain torch and beside the matrix products of both.

`OMP_NUM_THREADS=1 python -m benchmarks.transformer --width 64 --members 4`: one core, processor
time, the quickest of turns taken one after the other, absorbing noise. Plain is one model at a time
of torch's own layers, `torch.optim.Adam` and autograd of the weighted cross-entropy, in eager mode.
"""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.crew import Run
from benchmarks.turns import STRINGS, asked, pack_step, quickest, trials
from study.kernels.memory import keep_freed_memory
from study.models.transformer import TransformerShape
from study.processes.absorbing import Absorbing


class Plain(nn.Module):
    """Torch's own layers: tokens, masks among them, (B, d) to logits (B, d, v)."""

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        W = shape.width
        self.embedding = nn.Embedding(shape.vocab_size + 1, W)
        self.positions = nn.Parameter(torch.randn(shape.leaves, W))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                W, shape.heads, 4 * W, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(shape.layers)
        )
        self.norm, self.readout = nn.LayerNorm(W), nn.Linear(W, shape.vocab_size)

    def forward(self, x_t: Tensor) -> Tensor:
        """Logits (B, d, v)."""
        h = self.embedding(x_t) + self.positions
        for layer in self.layers:
            h = layer(h)
        return self.readout(self.norm(h))


def plain_step(shape: TransformerShape, batch: int) -> Run:
    """Noising, loss, gradient and Adam of one model."""
    network, noise = Plain(shape), Absorbing.build(200, shape.vocab_size)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    strings = torch.randint(shape.vocab_size, (STRINGS, shape.leaves))

    def run() -> None:
        x_0 = strings[torch.randint(STRINGS, (batch,))]
        t = torch.randint(1, 201, (batch,))
        x_t = noise.noised(x_0, t, torch.rand(x_0.shape))
        now, before = noise.alpha_bar[t], noise.alpha_bar[t - 1]
        weight = ((before - now) / (1 - now)).unsqueeze(1) * (x_t == noise.mask)
        adam.zero_grad()
        losses = F.cross_entropy(network(x_t).transpose(1, 2), x_0, reduction="none")
        (losses * weight).mean().backward()
        adam.step()

    return run


def products(shape: TransformerShape, members: int, batch: int) -> Run:
    """The products with weights of a step, forward and backward; attention's own are left out."""
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for name, sizes in shape.parameters.items():
        if len(sizes) == 1 or name == "positions":
            continue
        w = torch.randn(members, *sizes)
        h = torch.randn(members, batch * shape.leaves, sizes[0])
        y = torch.bmm(h, w)
        found += [(h, w, y), (h.mT, y, torch.empty_like(w))]
        if name != "embedding":
            found.append((y, w.mT, torch.empty_like(h)))

    def run() -> None:
        for a, b, out in found:
            torch.bmm(a, b, out=out)

    return run


def main() -> None:
    """Measure and print, in milliseconds of a step of one model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transformer", description=__doc__)
    options = asked(parser, width=64, depth=3, members=4, batch=64)
    torch.set_num_threads(1)
    keep_freed_memory()
    K, batch = options.members, options.batch
    configs = trials(options, "transformer", "absorbing")
    shape = TransformerShape.of(configs[0])
    contenders = {
        "pack": (pack_step(configs), K),
        "its products": (products(shape, K, batch), K),
        "plain": (plain_step(shape, batch), 1),
        "plain's products": (products(shape, 1, batch), 1),
    }
    best = quickest(contenders, options)
    times = ", ".join(f"{name} {1e3 * own:.2f} ms" for name, own in best.items())
    pack, own, plain = best["pack"], best["its products"], best["plain"]
    print(f"W={options.width} d={shape.leaves} K={K}: {times}; {plain / pack:.2f}x plain,")
    print(f"  {own / pack:.0%} of its products; were they all, it would be {plain / own:.2f}x")


if __name__ == "__main__":
    main()
