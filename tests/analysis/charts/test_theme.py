"""Colours that everyone can tell apart, on either ground."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.charts.theme import DARK, LIGHT, REGIME_COLOURS, THEMES, regime_colours

# Linear RGB as seen without one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1.
SEEN = {
    "by everyone": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    x = TO_XYZ @ rgb / (TO_XYZ @ np.ones(3))
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float((TO_XYZ @ linear(c))[1]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_regime_has_one_colour_in_both_themes():
    assert regime_colours(LIGHT) == regime_colours(DARK)


@pytest.mark.parametrize("view", SEEN)
def test_regimes_are_told_apart_whoever_looks(view):
    seen = [lab(np.clip(np.asarray(SEEN[view]) @ linear(c), 0, 1)) for c in REGIME_COLOURS]
    apart = [np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)]
    assert min(apart) > 30


def test_regimes_are_told_apart_in_grey():
    lightness = sorted(lab(np.full(3, (TO_XYZ @ linear(c))[1]))[0] for c in REGIME_COLOURS)
    assert min(np.diff(lightness)) > 10


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_regimes_stand_out_from_either_ground(theme):
    against = [contrast(colour, theme.background) for colour in theme.regimes]
    assert min(against) > 1.5
    assert contrast(theme.regimes[-1], theme.background) > 2.7
