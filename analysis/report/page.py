"""The page of a report: one HTML file that needs no network and no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.charts.figure import Figure
from analysis.charts.theme import LIGHT, regime_colours
from analysis.frames.dictionary import data_dictionary
from analysis.frames.wording import number
from analysis.report import maps, packing, provenance, strings, views, words
from analysis.report.findings import Findings
from analysis.report.provenance import Record
from analysis.report.verdict_rows import compared_rows, verdict_rows
from analysis.statistics.regimes import THRESHOLDS

NOTHING = Record()
"""Of a sweep of which no more is known than its trainings."""

TEMPLATES = Path(__file__).parent / "templates"


def page(
    findings: Findings,
    figures: Sequence[Figure],
    images: Mapping[str, str],
    bundle: str,
    *,
    title: str,
    record: Record = NOTHING,
) -> str:
    """The whole page.

    Args:
        findings: what it says.
        figures: what it shows, in order.
        images: name of a figure -> address of its image, for readers without scripts.
        bundle: Vega, Vega-Lite and Vega-Embed in one script.
        title: its heading; any text, it is escaped.
        record: what is known of the sweep beside its trainings.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    notes = words.strata_notes(findings)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["lead"] = words.lead
    environment.filters["rest"] = words.rest
    return environment.get_template("report.html").render(
        title=title,
        findings=findings,
        words=words,
        thresholds=THRESHOLDS,
        figures={f.name: f for f in figures},
        images=images,
        completeness=_completeness(findings),
        regions=words.region_rows(findings),
        regimes=regime_colours(LIGHT),
        cells=words.summary_rows(findings),
        claims=findings.claims,
        verdicts=verdict_rows(findings.claims),
        compared=compared_rows(list(findings.sides.values())) if findings.sides else [],
        differences=words.difference_rows(findings),
        exponents=words.exponent_rows(findings),
        stratum=notes.get(findings.picked, ""),
        settings=provenance.settings(findings.trainings),
        versions=provenance.versions(),
        digest=provenance.digest(findings.trainings),
        failures=provenance.failures(findings),
        record=record,
        work=provenance.work(findings, record),
        machine=provenance.machine(),
        commit=provenance.commit(),
        censored=provenance.censored(findings),
        dictionary=data_dictionary().to_dict("records"),
        specs=packing.script({f.name: packing.spec(f) for f in figures}),
        data=packing.data(
            figures,
            {
                "maps": maps.document(findings.maps, findings.cells),
                "strings": strings.document(findings.generated),
                "views": views.document(findings.views),
                "strata": notes,
            },
        ),
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
        script=_script(),
        bundle=bundle.replace("</script", "<\\/script"),
    )


SCRIPTS = ("data", "state", "fit", "maps", "table", "strings", "report")
"""In the order in which they define what the later ones use."""


def _script() -> str:
    """The page's own scripts, which see each other and nothing sees them."""
    parts = [(TEMPLATES / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join(['(() => {\n"use strict";', *parts, "})();"])


def _completeness(findings: Findings) -> list[dict[str, Any]]:
    """Segments of the bar of progress; only states that occur."""
    counts = {name: count for name, count in findings.counts.items() if count}
    total = sum(counts.values())
    return [
        {"state": name.replace(" ", "-"), "name": name, "count": count, "share": count / total}
        for name, count in counts.items()
    ]
