"""Where a report comes from: settings, versions, results, and what went wrong."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata

import pandas as pd

from analysis.frames.cells import constant, fields_of, symbol, title, value_label
from analysis.frames.wording import DASH
from analysis.report.findings import Findings
from analysis.report.images import vega_lite_version

PACKAGES = (
    "memophase", "torch", "ray", "numpy", "pandas", "scipy", "pyarrow", "altair",
    "vl-convert-python",
)  # fmt: skip
"""Whose versions are told; none of them is imported for it."""


def settings(trainings: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    """What varies, with its values, and what all trainings share."""
    shared = constant(trainings)
    swept = [
        {
            "field": name,
            "title": title(name),
            "values": ", ".join(
                value_label(v) for v in sorted(trainings[name].dropna().unique().tolist())
            ),
        }
        for name in fields_of(trainings)
        if name not in shared and not name.endswith(".seed")
    ]
    fixed = [
        {"field": name, "title": symbol(name), "values": value_label(value)}
        for name, value in shared.items()
    ]
    return {"swept": swept, "fixed": fixed}


def versions() -> dict[str, str]:
    """Package -> its version on the machine that writes the report."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return {**found, "Vega-Lite": vega_lite_version()}


def digest(trainings: pd.DataFrame) -> str:
    """What the report was made from: a hash of every training's identity, state and step."""
    rows = trainings[["training", "state", "step"]].sort_values("training")
    text = "\n".join(" ".join(map(str, row)) for row in rows.itertuples(index=False))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def failures(findings: Findings) -> list[dict[str, str]]:
    """Trainings that ended badly or cannot be read, and why."""
    ended = findings.trainings[findings.trainings["state"].isin(["failed", "diverged"])]
    said = [
        {
            "training": row["training"],
            "cell": f"{row['cell']}, seed {row['seed']}",
            "what": f"{row['state']}: {row['error']}" if row["error"] else row["state"],
            "step": f"{row['step']:,}",
        }
        for row in ended.to_dict("records")
    ]
    unread = [
        {"training": p.training, "cell": DASH, "what": p.what, "step": DASH}
        for p in findings.problems
    ]
    return said + unread
