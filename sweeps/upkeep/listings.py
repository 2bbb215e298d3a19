"""One `sweep.json` of several: the listing of a study that ran in more than one place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from study.config import TrialConfig
from study.config.settings import flattened, identity
from study.store.results import Results
from sweeps.faults import UsageError
from sweeps.space import axes, fields
from sweeps.status import folder

Document = dict[str, Any]

AXES = 2
"""Of a phase diagram."""


def read(results: Results, location: str) -> Document | None:
    """The listing of a results folder; None where it holds no study.

    Raises:
        UsageError: when `sweep.json` is garbled or was written by a newer version.
    """
    if folder.read(results) is None:
        return None
    document = json.loads(results.store.read(folder.FILE))
    if "skipped" not in document or "base" not in document.get("sweep", {}):
        what = "lacks what its sweep said; run the sweep there once more, which writes it anew"
        raise UsageError.of(what, place=f"{location}/{folder.FILE}")
    return document


def merged(documents: Sequence[Document]) -> Document:
    """One listing of all trainings, laid out as the first.

    What was an axis in one place and one value in another, or one value in each and another in
    each, is an axis of all. A training that several list ends at the last step that one asks for.

    Args:
        documents: listings of one study, with one training each at least.
    """
    first = documents[0]
    if all(document == first for document in documents):
        return first
    configs = [_config(document) for document in documents]
    names = _axes(documents, configs)
    trainings: dict[str, Document] = {}
    for document, config in zip(documents, configs, strict=True):
        constant = _settings(config)
        for listed in document["trainings"]:
            earlier = trainings.get(listed["hash"])
            if earlier is None:
                cell = {name: listed["cell"].get(name, constant.get(name)) for name in names}
                same = list(listed["cell"]) == names
                label = listed["label"] if same else axes.label(cell)
                trainings[listed["hash"]] = {**listed, "cell": cell, "label": label}
            else:
                earlier["last_step"] = max(earlier["last_step"], listed["last_step"])
    skipped = dict.fromkeys(label for document in documents for label in document["skipped"])
    return {
        **first,
        "report": _layout(documents),
        "skipped": list(skipped),
        "trainings": list(trainings.values()),
    }


def _axes(documents: Sequence[Document], configs: Sequence[TrialConfig]) -> list[str]:
    """The axes of all, and the settings that tell the sweeps apart."""
    swept = [name for each in documents for name in each["trainings"][0]["cell"]]
    given = [flattened(identity(config)) for config in configs]
    apart = [
        name
        for name in dict.fromkeys(name for settings in given for name in settings)
        if any(settings.get(name) != given[0].get(name) for settings in given)
    ]
    free = [name for name in apart if not any(_overlap(name, axis) for axis in swept)]
    return list(dict.fromkeys([*swept, *free]))


def _config(document: Document) -> TrialConfig:
    """The first training of a listing, as a replica of seed 0: what all share but for the axes."""
    cell: Mapping[str, Any] = document["trainings"][0]["cell"]
    settings = fields.with_settings(document["sweep"]["base"], cell)
    return replace(TrialConfig.from_dict(settings), seed=0)


def _settings(config: TrialConfig) -> dict[str, Any]:
    """Dotted setting -> value; axes over whole groups of Zipf exponents among them."""
    return config.flat() | {"grammar.zipf": config.to_dict()["grammar"]["zipf"]}


def _overlap(name: str, axis: str) -> bool:
    return name == axis or name.startswith(f"{axis}.") or axis.startswith(f"{name}.")


def _layout(documents: Sequence[Document]) -> Document:
    reports = [document["report"] for document in documents]
    drawn = list(dict.fromkeys(axis for report in reports for axis in report["axes"]))
    facets = [report["facet"] for report in reports if report["facet"] not in (None, *drawn[:AXES])]
    return {"axes": drawn[:AXES], "facet": next(iter([*facets, *drawn[AXES:]]), None)}
