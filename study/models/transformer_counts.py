"""What one transformer takes, counted from its configuration before anything is built.

Every layer maps each leaf W → 3W → W around attention and W → 4W → W after it; attention itself
takes 2·d·W at each of d leaves. The embedding maps v → W and the readout W → v. Elementwise work is
left out.
"""

from __future__ import annotations

from math import sqrt

from study.config import TrialConfig

MULTIPLE = 8
"""Widths that are a multiple of it can be packed."""


def layers_of(config: TrialConfig) -> int:
    """Layers, with their default resolved: as many as the grammar has levels."""
    return config.network.layers or config.shape.depth


def forward_macs(config: TrialConfig) -> int:
    """Multiply-accumulates of one string's forward pass: d·(layers·(12W² + 2d·W) + 2v·W)."""
    d, W = config.shape.num_leaves, config.network.width
    return d * (layers_of(config) * (12 * W + 2 * d) + 2 * config.shape.vocab_size) * W


def num_weights(config: TrialConfig) -> int:
    """Learned numbers of one network: layers·(12W² + 4W) + (2v + d + 2)·W."""
    quadratic, linear = _of_width(config, layers_of(config))
    return quadratic * config.network.width**2 + linear * config.network.width


def matched_width(config: TrialConfig, weights: int, layers: int | None = None) -> int:
    """The width whose transformer comes nearest to so many learned numbers, a multiple of 8.

    Args:
        config: a training on the strings that it reads, of whichever network.
        weights: learned numbers.
        layers: of the transformer; None: as many as the grammar has levels.
    """
    a, b = _of_width(config, layers or config.shape.depth)
    exact = (sqrt(b * b + 4 * a * weights) - b) / (2 * a)
    below = max(MULTIPLE, int(exact / MULTIPLE) * MULTIPLE)
    return min((below, below + MULTIPLE), key=lambda W: abs(a * W * W + b * W - weights))


def _of_width(config: TrialConfig, layers: int) -> tuple[int, int]:
    """How often W² and W are among the learned numbers."""
    linear = 4 * layers + 2 * config.shape.vocab_size + config.shape.num_leaves + 2
    return 12 * layers, linear
