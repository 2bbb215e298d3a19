"""Curves over training, over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.frames.cells import with_cells
from analysis.frames.generated import at_generated_steps
from analysis.frames.tables import columns_of, in_parts
from analysis.statistics.seeds import columns_over_seeds, runs
from analysis.statistics.series import Series, named, without_level
from study.measures import registry


def curves_table(tables: Mapping[str, pd.DataFrame], series: Sequence[Series]) -> pd.DataFrame:
    """Every curve of every cell over its seeds.

    A point stands on the seeds that were measured at its step, `seeds` says how many; undefined
    points have no row and leave a gap.

    Args:
        tables: `trainings`, `curves` and `levels`.
        series: columns of `curves`, and without a name columns of `levels`.

    Returns:
        `panel`, `series`, `level` (missing for whole strings), `cell`, `step`, `mean`, `lower`,
        `upper`, `seeds` and `run`, which counts the stretches without a gap.
    """
    keys = ["cell", "panel", "series"]

    def drawn(part: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        return runs(_joined(part, series).sort_values([*keys, "step"]), by=keys)

    return in_parts(tables, drawn).sort_values([*keys, "step"], ignore_index=True)


def _joined(tables: Mapping[str, pd.DataFrame], series: Sequence[Series]) -> pd.DataFrame:
    whole = [one for one in series if one.name is not None]
    each = [one for one in series if one.name is None]
    strings = named(_over_seeds(tables, "curves", [one.column for one in whole], []), whole)
    levels = named(_over_seeds(tables, "levels", [one.column for one in each], ["level"]), each)
    levels["series"] = "level " + levels["level"].astype(str)
    parts = [without_level(strings), levels.astype({"level": "Int64"})]
    return pd.concat(parts, ignore_index=True)


def _over_seeds(
    tables: Mapping[str, pd.DataFrame], name: str, columns: Sequence[str], more: list[str]
) -> pd.DataFrame:
    """Columns of a table over seeds, those that need generated strings only where there are any.

    Columns that are nowhere defined, and levels at which a column never is, have no rows.
    """
    trainings, keys = tables["trainings"], ["cell", "step", *more]
    frame = columns_of(tables, name, [*more, *columns])
    decided = registry.needs_generated(name)
    emitted = [column for column in columns if column in decided]
    known = [column for column in columns if column not in decided]
    parts = []
    for own in (emitted, known):
        if not own:
            continue
        rows = frame[["training", *keys[1:], *own]]
        if own is emitted:
            rows = at_generated_steps(rows, columns_of(tables, "curves", ["copy_fraction"]))
        long = columns_over_seeds(with_cells(rows, trainings), by=keys, columns=own)
        parts.append(long[long.groupby([*more, "column"])["seeds"].transform("sum") > 0])
    table = pd.concat(parts)
    return table.assign(cell=table["cell"].astype(trainings["cell"].dtype))
