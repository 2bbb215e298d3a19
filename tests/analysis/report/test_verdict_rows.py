"""The table of all claims."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.claims import claims, outcomes
from analysis.frames.tables import Tables
from analysis.frames.wording import decimals, interval
from analysis.report.folder import ReportPaths
from analysis.report.verdict_rows import Bar, bar, verdict_rows
from analysis.statistics.seeds import Estimate

FINITE = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(FINITE, st.floats(0, 1e6).filter(lambda x: x == 0 or x > 1e-6))
def test_a_bar_keeps_its_side_of_zero_and_its_shape(mean, half):
    drawn = bar(Estimate(mean, mean - half, mean + half, 3))
    assert -1 < drawn.lower <= drawn.mean <= drawn.upper < 1
    assert (drawn.lower > 0, drawn.upper < 0) == (mean - half > 0, mean + half < 0)
    if mean or half:
        assert max(-drawn.lower, drawn.upper) == pytest.approx(0.9)


def test_a_bar_without_an_interval_is_a_dot_and_without_an_effect_nothing():
    assert bar(Estimate(-0.5, None, None, 1)) == Bar(-0.9, None, None)
    assert bar(Estimate(None, None, None, 0)) is None


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.0004, -0.00012, 0.00092), "0.00040 [−0.00012, 0.00092]"),
        ((0.0604, 0.04, 0.0808), "0.060 [0.040, 0.081]"),
        ((3e-17, -1e-16, 1e-16), "0.000 [0.000, 0.000]"),
        ((0.0, None, None), "0.000"),
    ],
)
def test_an_effect_has_the_decimals_that_tell_it_from_zero(ends, said):
    assert interval(*ends, digits=decimals(*ends)) == said


def test_what_is_zero_but_for_rounding_has_no_bar():
    assert bar(Estimate(3e-17, -1e-16, 1e-16, 3)) == Bar(0.0, 0.0, 0.0)


def test_a_bar_is_drawn_around_what_the_claim_says():
    expected = {claim.id: claim.expected for claim in claims()}
    assert expected["C7"] == 1.0
    assert expected["C8"] == expected["C1"] == 0.0
    drawn = bar(Estimate(0.95, 0.85, 1.05, 5), expected["C7"])
    assert drawn.lower == pytest.approx(-0.9)
    assert drawn.upper == pytest.approx(0.3)
    assert bar(Estimate(1.0, None, None, 1), 1.0) == Bar(0.0, None, None)


def test_every_claim_has_a_row_that_leads_to_its_details(tables: Tables, report: ReportPaths):
    rows = verdict_rows(outcomes(tables, claims()))
    assert [row.id for row in rows] == [claim.id for claim in claims()]
    page = report.page.read_text(encoding="utf-8")
    table, details = page[page.index('id="claims"') :].split("</table>", 1)
    for row in rows:
        assert f'<a href="#about-{row.id}">{row.id}</a> {row.statement}' in table
        own = details[details.index(f'id="claim-{row.id}"') :]
        assert own[own.index('"') :].split(">")[0].endswith(" open") == row.tested
        assert f'id="about-{row.id}"' in own.split("</details>")[0]
        assert bool(row.remedy) or row.tested
    assert table.count("<svg") == sum(row.tested for row in rows) > 0
    assert table.count("What would test") == sum(not row.tested for row in rows) > 0
