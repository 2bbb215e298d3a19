"""The page of a report: one HTML file that needs no network and no other file."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.charts.theme import LIGHT, regime_colours
from analysis.frames.dictionary import data_dictionary
from analysis.frames.memory import hand_back
from analysis.frames.wording import number
from analysis.report import maps, packing, provenance, strings, views, words
from analysis.report.findings import Findings
from analysis.report.packing import Data
from analysis.report.plates import Plate
from analysis.report.provenance import Record
from analysis.report.verdict_rows import compared_rows, verdict_rows
from analysis.statistics.regimes import THRESHOLDS

if TYPE_CHECKING:
    import jinja2

NOTHING = Record()
"""Of a sweep of which no more is known than its trainings."""

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Page:
    """A page that lacks its images yet.

    Attributes:
        text: of the page.
        images: name of a figure -> what stands in the text for the address of its image.
        parts: what stands in the text -> what belongs there; it is most of the page, and put
            together it would be in memory several times over.
    """

    text: str
    images: Mapping[str, str]
    parts: Mapping[str, str]

    def illustrated(self, images: Mapping[str, str]) -> Iterator[str]:
        """The whole page, in parts.

        Args:
            images: name of a figure -> address of its image, for readers without scripts.
        """
        belongs = {**self.parts, **{gap: images[name] for name, gap in self.images.items()}}
        between = re.split(f"({'|'.join(map(re.escape, belongs))})", self.text)
        return (belongs.get(part, part) for part in between)


def page(
    findings: Findings,
    plates: Mapping[str, Plate],
    data: Data,
    bundle: str,
    *,
    title: str,
    record: Record = NOTHING,
) -> Page:
    """The whole page but for its images, which may still be drawn.

    Args:
        findings: what it says.
        plates: name -> what it shows, in order.
        data: what they draw.
        bundle: Vega, Vega-Lite and Vega-Embed in one script.
        title: its heading; any text, it is escaped.
        record: what is known of the sweep beside its trainings.
    """
    notes = words.strata_notes(findings)
    mark = secrets.token_hex(8)  # nothing that findings or titles say can hold it
    images = {name: f"image:{mark}:{i};" for i, name in enumerate(plates)}
    gaps = {name: f"{name}:{mark};" for name in ("data", "specs", "bundle")}
    parts = {
        gaps["data"]: data.packed(),
        gaps["specs"]: packing.script({name: plate.spec for name, plate in plates.items()}),
        gaps["bundle"]: bundle.replace("</script", "<\\/script"),
    }
    hand_back()
    text = (
        _environment()
        .get_template("report.html")
        .render(
            title=title,
            findings=findings,
            words=words,
            thresholds=THRESHOLDS,
            figures=plates,
            images=images,
            gaps=gaps,
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
            style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
            script=_script(),
        )
    )
    return Page(text, images, parts)


def data_of(findings: Findings) -> Data:
    """What the page shows beside figures, packed; figures are to follow."""
    return Data(
        {
            "maps": maps.document(findings.maps, findings.cells),
            "strings": strings.document(findings.generated),
            "views": views.document(findings.views),
            "strata": words.strata_notes(findings),
        }
    )


def _environment() -> jinja2.Environment:
    """The templates, and what they can do with words."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
    return environment


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
