"""Where a report comes from: settings, versions, results, and what went wrong."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.frames.cells import constant, fields_of, symbol, title, value_label
from analysis.frames.wording import DASH, counted, lasting
from analysis.report.findings import Findings
from analysis.report.images import vega_lite_version

PACKAGES = (
    "memophase", "torch", "ray", "numpy", "pandas", "scipy", "pyarrow", "altair",
    "vl-convert-python",
)  # fmt: skip
"""Whose versions are told; none of them is imported for it."""


HERE = Path(__file__).resolve().parents[2]
"""Where this code lies; a checkout, or where it is installed."""

MOST_CENSORED = 300
"""Censored onsets that a page names; the data files hold them all."""


@dataclass(frozen=True)
class Record:
    """What is known of a sweep beside its trainings.

    Attributes:
        sweep: its file with every setting resolved, as text; None where no sweep was run.
        command: that makes the results again.
        last_run: what the last run did with its processors; empty where unknown.
    """

    sweep: str | None = None
    command: str = ""
    last_run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the sweep's text."""
        return "" if self.sweep is None else hashlib.sha256(self.sweep.encode()).hexdigest()


def commit() -> str:
    """The commit of the code that writes the report and whether it was changed since."""
    try:
        head = _git("rev-parse", "HEAD")
        top = _git("rev-parse", "--show-toplevel")
        if Path(top) != HERE:
            return "not from a checkout"
        changed = len(_git("status", "--porcelain").splitlines())
    except (OSError, subprocess.SubprocessError):
        return "not from a checkout"
    return f"{head} with {counted(changed, 'changed file')}" if changed else f"{head}, unchanged"


def _git(*words: str) -> str:
    command = ["git", "-C", str(HERE), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def machine() -> dict[str, str]:
    """The machine that writes the report."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "System": platform.platform(terse=True),
        "Processor": _processor(),
        "Cores": str(cores or "unknown"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def work(findings: Findings, record: Record) -> dict[str, str]:
    """What the trainings took."""
    totals = findings.totals
    said = {
        f"{name.capitalize()}, time of a core": lasting(3600 * hours)
        for name, hours in totals.hours.items()
    }
    if totals.flop is not None:
        said["Optimizer steps"] = f"{totals.flop:.2e} FLOP"
    if totals.memory_mib is not None:
        said["Most memory of a process"] = f"{totals.memory_mib:,.0f} MiB"
    seeds = sorted(int(seed) for seed in findings.trainings["seed"].unique())
    said["Seeds"] = ", ".join(map(str, seeds[:20])) + (" …" if len(seeds) > 20 else "")
    seconds = record.last_run.get("seconds")
    if isinstance(seconds, int | float):
        cores = record.last_run.get("cores")
        on = f" on {counted(int(cores), 'core')}" if isinstance(cores, int | float) else ""
        said["Last run"] = f"{lasting(seconds)}{on}"
    return said


def censored(findings: Findings) -> list[dict[str, str]]:
    """The onsets that lie beyond what was measured, by training: the first `MOST_CENSORED`."""
    named = findings.onsets[findings.onsets["censoring"].isin(["left", "right"])]
    rows = named[named["level"].isna() | (named["onset"] == "partial memorization")]
    return [
        {
            "training": str(row["training"]),
            "cell": f"{row['cell']}, seed {row['seed']}",
            "onset": str(row["onset"]),
            "bound": (
                f"later than {row['after']:,.0f}"
                if row["censoring"] == "right"
                else f"not later than {row['by']:,.0f}"
            ),
        }
        for row in rows.head(MOST_CENSORED).to_dict("records")
    ]


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
        if name not in shared and not name.endswith(".seed") and trainings[name].notna().any()
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
