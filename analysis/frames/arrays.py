"""The tables of a sweep as one labelled array per quantity, for those who work with xarray."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.frames.cells import distinguishing, symbol, title
from analysis.frames.errors import AnalysisError
from study.measures import registry
from study.measures.declared import Column

if TYPE_CHECKING:
    import xarray

KEYS = ("training", "step", "level")

LARGEST = 20_000_000
"""Values of one array beyond which nobody wants it: 160 MB."""


def dataset(tables: Mapping[str, pd.DataFrame]) -> xarray.Dataset:
    """`curves` and `levels` with a dimension for every setting that varies, seed, step and level.

    Args:
        tables: `trainings`, `curves` and `levels`.

    Returns:
        Their columns; those of `levels` that `curves` has as well are called `…_by_level`. What was
        not measured, or is undefined, is NaN. The coordinate `training` holds the hashes, empty
        where there is no training. Attributes: `symbol`, where there is one, and `units`.

    Raises:
        AnalysisError: when xarray is not installed, or the settings vary so irregularly that nearly
            all of the array would be empty.
    """
    xarray = _xarray()
    trainings = tables["trainings"]
    settings = [*distinguishing(trainings), "seed"]
    places = {
        name: pd.factorize(trainings[name], sort=True, use_na_sentinel=False) for name in settings
    }
    values = {name: np.asarray(distinct) for name, (_, distinct) in places.items()}
    values |= {
        "step": np.unique(tables["curves"]["step"]),
        "level": np.unique(tables["levels"]["level"]),
    }
    place = pd.DataFrame({name: codes for name, (codes, _) in places.items()})
    place.index = pd.Index(trainings["training"])
    _check_size(values, len(trainings))
    found: dict[str, Any] = {}
    for table, more in (("curves", ["step"]), ("levels", ["step", "level"])):
        frame, dims = tables[table], [*settings, *more]
        declared = {column.name: column for column in registry.columns(table)}
        at = [place[name].reindex(frame["training"]).to_numpy() for name in settings]
        at += [np.searchsorted(values[name], frame[name]) for name in more]
        shape = [len(values[name]) for name in dims]
        for column in [name for name in frame.columns if name not in KEYS]:
            array = np.full(shape, np.nan)
            array[tuple(at)] = frame[column].to_numpy(dtype=float, na_value=np.nan)
            name = f"{column}_by_level" if column in found else str(column)
            found[name] = (dims, array, _attributes(declared[column]))
    hashes = np.full([len(values[name]) for name in settings], "", dtype=object)
    hashes[tuple(place[name] for name in settings)] = trainings["training"]
    coordinates: dict[str, Any] = {name: (name, own, _named(name)) for name, own in values.items()}
    return xarray.Dataset(found, {**coordinates, "training": (settings, hashes)})


def _xarray() -> Any:
    try:
        import xarray
    except ModuleNotFoundError:
        raise AnalysisError("xarray is not installed: pip install 'memophase[xarray]'") from None
    return xarray


def _check_size(values: Mapping[str, NDArray[Any]], trainings: int) -> None:
    size = math.prod(map(len, values.values()))
    if size > LARGEST:
        spans = " x ".join(f"{len(own)} {name}" for name, own in values.items())
        raise AnalysisError(
            f"{trainings} trainings would lie in an array of {size:,} values ({spans}); take the "
            "frames, or fewer trainings (load(..., only=hashes))"
        )


def _attributes(column: Column) -> dict[str, str]:
    """Its symbol, where it has one, and its unit; `1` where it has none."""
    symbol = {"symbol": column.symbol} if column.symbol else {}
    return {**symbol, "units": column.unit or "1"}


def _named(setting: str) -> dict[str, str]:
    """Symbol and title of a setting; steps, levels and seeds are their own names."""
    return {"symbol": symbol(setting), "long_name": title(setting)} if "." in setting else {}
