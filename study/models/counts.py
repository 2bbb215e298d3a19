"""What one U-Net takes, counted from its configuration before anything is built.

On the way down a node's s children are joined (s·W → W), on the way up a node and its skip are
spread over s children (2W → s·W), the embedding maps v → W and the readout 2W → v at every leaf
([Favero 2025a]). Elementwise work is left out: it is not what grows.
"""

from __future__ import annotations

from study.config import TrialConfig


def forward_macs(config: TrialConfig) -> int:
    """Multiply-accumulates of one string's forward pass: Σ_l s^l·(s·W² + 2W·s·W) + s^L·3·v·W."""
    s, W = config.shape.tuple_size, config.network.width
    nodes = sum(s**level for level in range(config.shape.depth))
    return nodes * 3 * s * W * W + config.shape.num_leaves * 3 * config.shape.vocab_size * W


def num_weights(config: TrialConfig) -> int:
    """Learned numbers of one network; nodes of one level share theirs."""
    s, W = config.shape.tuple_size, config.network.width
    return config.shape.depth * (3 * s * W * W + 4 * W) + 3 * config.shape.vocab_size * W
