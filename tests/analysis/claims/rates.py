"""How often each claim comes out how where the truth is known: the table of docs/claims.md.

    python -m tests.analysis.claims.rates [--kept FILE]

A number is worked out once and kept, so that the command may be interrupted and goes on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from analysis.claims.verdicts import CONTRADICTED, SUPPORTED, Verdict, above_zero, all_of
from analysis.statistics.partial_window import partial_windows
from analysis.statistics.sample_complexity import (
    learned_sizes,
    positions,
    synonym_slopes,
    vocabulary_slopes,
)
from analysis.statistics.typicality_slopes import typicality_slopes, with_both
from tests.analysis.claims import onset_draws, simulated, test_onset_claims, test_simulated
from tests.analysis.claims import test_simulated_learning as learning
from tests.analysis.claims import test_simulated_noise as noise
from tests.analysis.claims.simulated import CLEAR, REPETITIONS

COVERED = 1000
"""Sweeps by which coverage is told to ± 0.7 points."""

SOME = 400
"""The same of C12, ± 1.1 points: a sweep of it is many trainings."""

SEEDS = (3, 5, 10)

VERDICTS: Mapping[str, Verdict] = {
    "supported": SUPPORTED,
    "none": SUPPORTED,
    "reversed": CONTRADICTED,
}
"""Whether the claim holds -> the verdict that is counted."""

NAMES = (*VERDICTS, *map(str, SEEDS))


def stream(name: str, *purpose: int) -> np.random.Generator:
    """Random numbers of a claim's own."""
    return np.random.default_rng([*name.encode(), *purpose])


Row = dict[str, float | None]
"""`supported`, `none`, `reversed`: shares; `3`, `5`, `10`: coverage at so many seeds."""


def together(module: Any, name: str) -> Row:
    """Of a claim whose effect by seed is worked out for all sweeps at once."""
    one = module.SIMULATIONS[name]
    unit = test_simulated.SPREAD if module is test_simulated else learning.SPREAD

    def effects(seeds: int, effect: float, repetitions: int) -> Any:
        tables = one.draw(stream(name, seeds), seeds * repetitions, effect)
        return one.effects(tables, *((seeds,) if module is test_simulated else ()))

    row = _rates(lambda effect: simulated.verdicts(effects(5, effect, REPETITIONS), 5))
    for seeds in SEEDS:
        found = simulated.estimates(effects(seeds, 6.0, COVERED), seeds)
        row[str(seeds)] = _covered(found, 6.0 * unit)
    return row


def c5() -> Row:
    """The conjunction: both halves hold, neither, or relaxation the other way."""

    def share(effect: float) -> Mapping[str, float]:
        tables = test_simulated.overproducing_sweeps(
            stream("C5"), 5 * REPETITIONS, abs(effect), effect
        )
        windows = partial_windows(tables)
        halves = [
            [above_zero(x) for x in simulated.estimates(test_simulated.by_seed(windows, name), 5)]
            for name in ("overproduction", "relaxation")
        ]
        return simulated.rates([all_of(*both) for both in zip(*halves, strict=True)])

    return {**together(test_simulated, "C5"), **_rates(share)}


def c16() -> Row:
    """The conjunction: both signs hold, neither is there, or both are the other way round."""

    def share(effect: float) -> Mapping[str, float]:
        tables = test_simulated.copying_sweeps(stream("C16"), 5 * REPETITIONS, effect)
        slopes = with_both(typicality_slopes(tables))
        copying, knowledge = (
            simulated.estimates(sign * test_simulated.by_seed(slopes, name), 5)
            for sign, name in ((1, "typicality_slope"), (-1, "likelihood_slope"))
        )
        pairs = zip(copying, knowledge, strict=True)
        return simulated.rates([all_of(above_zero(a), above_zero(b)) for a, b in pairs])

    return {**together(test_simulated, "C16"), **_rates(share)}


def c20() -> Row:
    """Both signs in each of two combinations; the estimate is that of C1 and covers as it does."""

    def share(effect: float) -> Mapping[str, float]:
        parts = []
        for combination in range(2):
            rng = stream("C20", combination)
            tables = test_simulated.copying_sweeps(rng, 5 * REPETITIONS, effect)
            slopes = with_both(typicality_slopes(tables))
            for sign, name in ((1, "typicality_slope"), (-1, "likelihood_slope")):
                found = simulated.estimates(sign * test_simulated.by_seed(slopes, name), 5)
                parts.append([above_zero(one) for one in found])
        return simulated.rates([all_of(*each) for each in zip(*parts, strict=True)])

    return _rates(share)


def c18() -> Row:
    """A window raised, none, or both ends; where none is, a gap as large in all."""

    def share(effect: float) -> Mapping[str, float]:
        ends = max(0.0, -effect)
        return noise.rates(stream("C18"), 5, max(0.0, effect), ends=ends)

    row = _rates(share)
    for seeds in SEEDS:
        tables = noise.noisy_sweeps(stream("C18", seeds), seeds * COVERED, 6.0)
        row[str(seeds)] = _covered(noise.estimates(tables, seeds), 6.0 * noise.UNIT)
    return row


def c12() -> Row:
    """N is that of N*_l, at the edge of its order of magnitude, or of another one."""

    def sizes(seeds: int, repetitions: int, position: float) -> Any:
        rng = stream("C12", seeds)
        return learned_sizes(learning.sized_sweeps(rng, seeds * repetitions, position=position))

    def share(position: float) -> Mapping[str, float]:
        found = sizes(5, REPETITIONS, position)
        parts = [
            simulated.estimates(of(found), 5)
            for of in (positions, vocabulary_slopes, synonym_slopes)
        ]
        judged = [learning.enough_strings.conjunction(*each) for each in zip(*parts, strict=True)]
        return simulated.rates(judged)

    row = _rates(share, (0.0, 0.5, 0.8))
    for seeds in SEEDS:
        found = simulated.estimates(positions(sizes(seeds, SOME, 0.1)), seeds)
        row[str(seeds)] = _covered(found, 0.1)
    return row


def onset(id: str, name: str) -> Row:
    """One number of a claim on onsets, a seventh of which are censored."""
    claim, design, slopes = test_onset_claims.CASES[id]
    which = {"none": 1, "reversed": 2}.get(name, 0)
    counted = name in VERDICTS
    seeds, repetitions = (8, REPETITIONS) if counted else (int(name), COVERED)
    rng = stream(id, which, seeds)
    if id not in onset_draws.PARTS:
        tests = (claim.test(design.tables(slopes[which], seeds, rng)) for _ in range(repetitions))
        judged = [found.judgement for found in tests]
        return {name: simulated.rates(judged).get(VERDICTS[name], 0.0)}
    found = [onset_draws.found(id, slopes[which], seeds, rng) for _ in range(repetitions)]
    if counted:
        judged = [onset_draws.judgement(id, one) for one in found]
        return {name: simulated.rates(judged).get(VERDICTS[name], 0.0)}
    return {name: _covered([one[0] for one in found], 0.0 if id == "C17" else slopes[0])}


def _rates(
    share: Callable[[float], Mapping[str, float]],
    effects: Sequence[float] = (CLEAR, 0.0, -CLEAR),
) -> Row:
    """Supported where it holds, supported where it does not, contradicted where reversed."""
    holds, none, reversed_ = (share(effect) for effect in effects)
    shares = zip(VERDICTS.items(), (holds, none, reversed_), strict=True)
    return {name: share.get(verdict, 0.0) for (name, verdict), share in shares}


def _covered(found: Sequence[Any], truth: float) -> float:
    told = [one for one in found if one.lower is not None]
    return float(np.mean([one.lower <= truth <= one.upper for one in told]))


WHOLE: dict[str, Callable[[], Row]] = {
    "C1": lambda: together(test_simulated, "C1"),
    "C2": lambda: together(test_simulated, "C2"),
    "C5": c5,
    "C11": lambda: together(learning, "C11"),
    "C12": c12,
    "C13": lambda: together(learning, "C13"),
    "C14": lambda: together(learning, "C14"),
    "C15": lambda: together(learning, "C15"),
    "C16": c16,
    "C18": c18,
    "C19": lambda: together(test_simulated, "C19"),
    "C20": c20,
}
"""Claims of which all numbers are worked out at once."""


def missing(rows: Mapping[str, Row]) -> Iterator[tuple[str, Callable[[], Row]]]:
    """What is not kept: a claim, and what works some or all of its numbers out."""
    yield from ((id, work) for id, work in WHOLE.items() if id not in rows)
    for name in NAMES:
        for id in test_onset_claims.CASES:
            exact = id == "C10" and name not in VERDICTS
            if not exact and name not in rows.get(id, {}):
                yield id, partial(onset, id, name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Work out what is not kept, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kept", type=Path, default=Path("claims-rates.json"))
    kept = parser.parse_args(arguments).kept
    rows: dict[str, Row] = json.loads(kept.read_text()) if kept.exists() else {}
    for id, work in missing(dict(rows)):
        rows[id] = {**rows.get(id, {}), **work()}
        kept.write_text(json.dumps(rows, indent=1))
    print(
        "| claim | holds: supported | does not: supported | reversed: contradicted | 3 | 5 | 10 |"
    )
    print("|---|---|---|---|---|---|---|")
    for id in sorted(rows, key=lambda id: (int(id.strip("Cb")), id)):
        shares = [rows[id].get(name) for name in NAMES]
        print(f"| {id} |", " | ".join("–" if x is None else f"{100 * x:.1f}" for x in shares), "|")


if __name__ == "__main__":
    main()
