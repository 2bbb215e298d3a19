"""The page of a report: one HTML file that needs no network and no other file."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.charts.theme import THEMES, regime_colours
from analysis.frames.cells import constant, fields_of, symbol, title, value_label
from analysis.report import words
from analysis.report.figure import Figure, cells_columns, data_uri, plain, vega_lite_version
from analysis.report.findings import Findings
from analysis.statistics.regimes import THRESHOLDS

TEMPLATES = Path(__file__).parent / "templates"


def page(
    findings: Findings, figures: Sequence[Figure], images: Mapping[str, str], *, title: str
) -> str:
    """The whole page.

    Args:
        findings: what it says.
        figures: what it shows, in order.
        images: name of a figure -> its SVG, for readers without scripts.
        title: its heading; any text, it is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = words.number
    return environment.get_template("report.html").render(
        title=title,
        findings=findings,
        words=words,
        thresholds=THRESHOLDS,
        figures={f.name: f for f in figures},
        images={name: data_uri(image) for name, image in images.items()},
        completeness=_completeness(findings),
        regimes={name: regime_colours(theme) for name, theme in THEMES.items()},
        cells=words.summary_rows(findings),
        claims=findings.claims,
        sentences=words.claim_sentences(findings),
        settings=_settings(findings.trainings),
        versions=_versions(),
        digest=digest(findings.trainings),
        failures=_failures(findings),
        specs=_script({f.name: _spec(f) for f in figures}),
        data=_data(figures),
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script=(TEMPLATES / "report.js").read_text(encoding="utf-8"),
        bundle=_bundle(),
    )


def _script(document: Any) -> str:
    """JSON that cannot leave its script element, whatever text is in it."""
    return json.dumps(document, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _spec(figure: Figure) -> dict[str, Any]:
    """A figure in both themes, and what changes in it with the picked cell."""
    themes = {name: figure.spec(theme) for name, theme in THEMES.items()}
    return {**themes, "data": list(figure.by_cell), "signals": list(figure.domains)}


def _data(figures: Sequence[Figure]) -> str:
    """All data: JSON, deflated, in base64.

    `whole` is drawn whole, `by_cell` of one cell at a time, `signals` follow the picked cell.
    """
    document = {
        "whole": {n: _columns(t) for f in figures for n, t in f.data.items()},
        "by_cell": {n: cells_columns(t) for f in figures for n, t in f.by_cell.items()},
        "signals": {name: cells for f in figures for name, cells in f.domains.items()},
    }
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Column -> values: rows without their repeated names."""
    return {str(name): plain(table[name]) for name in table.columns}


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script."""
    import vl_convert

    code: str = vl_convert.javascript_bundle(  # pyright: ignore[reportCallIssue] - has a default
        vl_version=vega_lite_version()
    )
    return code.replace("</script", "<\\/script")


def _completeness(findings: Findings) -> list[dict[str, Any]]:
    """Segments of the bar of progress; only states that occur."""
    counts = {name: count for name, count in findings.counts.items() if count}
    total = sum(counts.values())
    return [
        {"state": name.replace(" ", "-"), "name": name, "count": count, "share": count / total}
        for name, count in counts.items()
    ]


def _settings(trainings: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
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


def _versions() -> dict[str, str]:
    names = ("memophase", "numpy", "pandas", "scipy", "pyarrow", "altair", "vl-convert-python")
    found = {"Python": platform.python_version()}
    for name in names:
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


def _failures(findings: Findings) -> list[dict[str, str]]:
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
        {"training": p.training, "cell": words.DASH, "what": p.what, "step": words.DASH}
        for p in findings.problems
    ]
    return said + unread
