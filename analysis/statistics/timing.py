"""When is measured what, and what share of the time that takes, over seeds."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.frames.generated import generated
from analysis.frames.tables import columns_of
from analysis.statistics.seeds import columns_over_seeds, runs
from analysis.statistics.series import Series, named, without_level

ACTIVITIES = {
    "training_seconds": "training",
    "measuring_seconds": "measuring",
    "generating_seconds": "generating",
}
"""Column of the table `timing` -> what the time went to."""

SCHEDULE = {"known": "likelihood and noise", "emitted": "generated strings"}
"""Column of what this module counts -> what was measured."""

SHARES_OF_TIME = {f"{name}_share": activity for name, activity in ACTIVITIES.items()}

PANELS = {"schedule": SCHEDULE, "seconds": ACTIVITIES, "share": SHARES_OF_TIME}
"""Panel -> its columns and what they are called."""

SERIES = [
    Series(panel, column, name) for panel, own in PANELS.items() for column, name in own.items()
]


def timing_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Measurements and seconds of a training until every measured step, over seeds.

    The trainings of a pack share its seconds equally. What was written before a kind of time was
    recorded is undefined.

    Returns:
        `panel`, `series`, `level` (missing), `cell`, `step`, `mean`, `lower`, `upper`, `seeds` and
        `run`.
    """
    frame = _until_step(tables)
    keys, columns = ["cell", "step"], [series.column for series in SERIES]
    table = named(columns_over_seeds(frame, by=keys, columns=columns), SERIES)
    curve = ["cell", "panel", "series"]
    ordered = table.sort_values([*curve, "step"], ignore_index=True)
    return runs(without_level(ordered), by=curve)


def _until_step(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Per training and step, the sums over its steps so far."""
    columns = ["members", *ACTIVITIES]
    frame = columns_of(tables, "timing", columns).sort_values(
        ["training", "step"], ignore_index=True
    )
    emitted = generated(tables["curves"])[["training", "step"]].assign(emitted=1)
    frame = frame.merge(emitted, on=["training", "step"], how="left").assign(known=1)
    frame["emitted"] = frame["emitted"].fillna(0)
    # Where nothing was generated, generating took no time; other gaps are unknown.
    spent = frame["generating_seconds"].where(frame["emitted"] > 0, 0.0)
    frame = frame.assign(generating_seconds=spent)
    sums = frame.groupby("training")[[*ACTIVITIES, *SCHEDULE]].cumsum()
    shared = sums[list(ACTIVITIES)].div(frame["members"].fillna(1).astype(float), axis=0)
    shares = shared.div(shared.sum(axis=1, skipna=False), axis=0).add_suffix("_share")
    cells = tables["trainings"].set_index("training")["cell"]
    keys = frame[["training", "step"]].assign(cell=frame["training"].map(cells))
    return pd.concat([keys, sums[list(SCHEDULE)], shared, shares], axis=1)
