"""The seam: a claim from outside the package, tested, said, drawn and written like any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.charts.figure import Figure
from analysis.claims import Claim, Result, claims, forget, register, registry
from analysis.claims.registry import BUILT_IN
from analysis.claims.verdicts import above_zero
from analysis.frames.errors import AnalysisError
from analysis.report.folder import write_report
from analysis.statistics.seeds import mean_over_seeds
from study.config.installed import Installed, NotUsable
from tests.analysis import synthetic
from tests.installed import name_entry_points
from tests.sweeps.tiny import TINY, memophase


def end(tables) -> Result:
    """E at the last step, by seed."""
    curves = tables["curves"].dropna(subset="excess_copies")
    last = curves.sort_values("step").drop_duplicates("training", keep="last")
    frame = last.merge(tables["trainings"][["training", "cell", "seed"]], on="training")
    estimate = mean_over_seeds(frame.groupby("seed")["excess_copies"].mean().tolist())
    return Result(
        estimate=estimate,
        judgement=above_zero(estimate),
        basis=f"{len(frame)} trainings",
        frames={"ends": frame[["training", "seed", "excess_copies"]]},
    )


def dots(found: Result) -> Figure:
    def draw(theme):
        import altair as alt

        points = alt.Chart(alt.NamedData("toy_ends")).mark_point(color=theme.ink)
        return points.encode(x="excess_copies:Q", y="seed:O")

    return Figure(
        name="anything",
        title="Copies at the end",
        caption="One dot per training.",
        data={"toy_ends": found.frames["ends"].drop(columns="training")},
        draw=draw,
    )


TOY = Claim(
    id="C1b",
    name="copies-at-last",
    statement="At last there are copies",
    source="a test",
    quantity="mean E at the last step",
    method="averaged over cells",
    test=end,
    sentence=lambda found: f"E = {found.estimate.mean:.3f} <in the end>.",
    figure=dots,
)


TAKEN = replace(TOY, id="C1")


@pytest.fixture
def registered() -> Iterator[None]:
    register(TOY)
    yield
    forget(TOY)


def results(folder, seeds=2):
    for size in (32, 256):
        for seed in range(seeds):
            synthetic.publish(folder, synthetic.config(size=size, seed=seed))
    return folder


@pytest.mark.usefixtures("registered")
def test_a_claim_from_outside_is_on_the_page_in_the_tables_and_among_the_figures(tmp_path):
    report = write_report(
        results(tmp_path / "results"), tmp_path / "out", title="Toy", axes=["corpus.size"]
    )
    table = pd.read_csv(tmp_path / "out/data/claims.csv").set_index("id")
    assert list(table.index[:2]) == ["C1", "C1b"]
    assert len(table) == len(BUILT_IN) + 1
    own = table.loc["C1b"]
    assert own["statement"] == "At last there are copies"
    assert own["p_holm"] >= own["p_value"] > 0
    ends = pd.read_parquet(tmp_path / "out/data/copies_at_last_ends.parquet")
    assert own["effect"] == pytest.approx(ends.groupby("seed")["excess_copies"].mean().mean())
    assert {f"copies-at-last.{kind}" for kind in ("png", "svg")} <= {p.name for p in report.figures}
    page = report.page.read_text(encoding="utf-8")
    section = page[page.index('id="claim-C1b"') : page.index('id="claim-C2"')]
    assert "At last there are copies" in section
    assert f"E = {own['effect']:.3f} &lt;in the end&gt;." in section
    assert 'data-figure="copies-at-last"' in section
    specs = page[page.index('id="specs">') + len('id="specs">') :].split("</script>")[0]
    assert "copies-at-last" in json.loads(specs)


def order(id):
    """C9 before C9b before C10."""
    number = int("".join(filter(str.isdigit, id)))
    return number, id


def test_claims_are_in_the_order_of_their_numbers():
    ranks = [claim.rank for claim in claims()]
    assert ranks == sorted(ranks)
    assert {"C1", "C2", "C5", "C16", "C18", "C19"} <= {claim.id for claim in claims()}
    register(TOY)
    try:
        assert [claim.id for claim in claims()][:3] == ["C1", "C1b", "C2"]
        assert replace(TOY, id="C9b").rank > replace(TOY, id="C9").rank
        assert replace(TOY, id="C10").rank > replace(TOY, id="C9b").rank
    finally:
        forget(TOY)
    assert claims() == BUILT_IN


@pytest.mark.usefixtures("registered")
def test_a_claim_is_replaced_by_its_later_self_but_never_by_another():
    register(replace(TOY, statement="Twice"))
    assert [claim.statement for claim in claims() if claim.id == "C1b"] == ["Twice"]
    for other in (
        replace(TOY, id="C1"),
        replace(TOY, id="C1", name="typical-first"),
        replace(TOY, id="C99"),
        replace(TOY, name="another"),
    ):
        with pytest.raises(ValueError, match="cannot be registered: there is"):
            register(other)
    assert len(claims()) == len(BUILT_IN) + 1


@pytest.mark.parametrize("change", [{"id": "1"}, {"id": "C1 "}, {"name": "../x"}, {"name": "A b"}])
def test_names_that_no_file_could_have_are_refused(change):
    with pytest.raises(ValueError, match="of a claim is like"):
        replace(TOY, **change)


def test_a_figure_cannot_take_the_data_of_another(tmp_path):
    def clash(found):
        return replace(dots(found), data={"phase": found.frames["ends"]})

    register(replace(TOY, figure=clash))
    try:
        with pytest.raises(AnalysisError, match="'phase' is drawn by"):
            write_report(
                results(tmp_path / "r", seeds=1), tmp_path / "out", title="x", axes=["corpus.size"]
            )
    finally:
        forget(TOY)


def test_needs_are_told_before_anything_is_trained():
    claim = claims()[0]
    zipf = {"grammar": {"zipf": {"2": 1.5}}}
    seeds = [synthetic.config(seed=seed, **zipf) for seed in range(2)]
    assert claim.lacks(seeds) == []
    assert "set seeds" in claim.lacks(seeds[:1])[0]
    uniform = [synthetic.config(seed=seed) for seed in range(2)]
    assert "set grammar.zipf" in claim.lacks(uniform)[0]
    few = [synthetic.config(seed=seed, size=32, **zipf) for seed in range(2)]
    assert "fewer than 38 controls" in claim.lacks(few)[0]
    more = {"corpus": {"control_size": 64}}
    assert claim.lacks([synthetic.config(seed=s, size=32, **zipf, **more) for s in range(2)]) == []


def test_an_installed_package_adds_a_claim_by_an_entry_point(tmp_path, monkeypatch):
    name_entry_points(tmp_path, registry.GROUP, toy="tests.analysis.claims.test_registry:TOY")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_installed", Installed(registry.GROUP, Claim, register))
    try:
        assert [claim.id for claim in claims()][:3] == ["C1", "C1b", "C2"]
    finally:
        forget(TOY)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("nowhere.at_all:X", "cannot be loaded: No module named 'nowhere'"),
        ("tests.analysis.claims.test_registry:order", "is no Claim"),
        ("tests.analysis.claims.test_registry:TAKEN", "there is C1 "),
    ],
)
def test_what_a_package_names_wrongly_is_one_clear_line(tmp_path, monkeypatch, value, fault):
    name_entry_points(tmp_path, registry.GROUP, toy=value)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_installed", Installed(registry.GROUP, Claim, register))
    with pytest.raises(NotUsable, match=f"entry point 'toy = {value}' of the group .*{fault}"):
        claims()
    monkeypatch.setattr(registry, "_installed", Installed(registry.GROUP, Claim, register))
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    result = memophase("plan", "tiny.yaml", "--no-time")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert fault in line
