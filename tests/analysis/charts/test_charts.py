"""Figures through their tables; drawings only as far as they must not break."""

from __future__ import annotations

import itertools
import json
import math
import zlib

import numpy as np
import pandas as pd
import pytest
import vl_convert

from analysis import Tables, load
from analysis.charts.axes import axis_of
from analysis.charts.curves import curves_table, thinned
from analysis.charts.noise import noise_table
from analysis.charts.overproduction import overproduction_table
from analysis.charts.phase_diagram import phase_table
from analysis.charts.theme import DARK, LIGHT, THEMES, spaced
from analysis.charts.timing import timing_table
from analysis.charts.typicality import shown_steps, typicality_table
from analysis.report.figure import Figure, packed, rounded, rows
from analysis.report.findings import find
from analysis.report.gallery import figures
from analysis.statistics.regimes import REGIMES, last_steps, regimes
from tests.analysis import synthetic


def diagram(tables: Tables, **choices):
    last = last_steps(regimes(tables), tables.trainings)
    return phase_table(last, tables.trainings, **choices)


def test_powers_of_two_lie_on_a_log_axis_with_geometric_midpoints():
    axis = axis_of("corpus.size", np.array([512, 128, 2048, 128]))
    assert axis.kind == "log"
    assert list(axis.positions) == [128, 512, 2048]
    assert axis.edges[512] == pytest.approx((256, 1024))
    assert axis.edges[128] == pytest.approx((64, 256))
    assert axis.domain == pytest.approx([64, 4096])
    assert list(axis.labels.values()) == ["2⁷", "2⁹", "2¹¹"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([2, 3, 4], "linear"),
        ([0.0, 1.0, 2.0], "linear"),
        ([16, 64], "log"),
        ([3, 4], "linear"),
        ([64], "linear"),
        ([True, False], "category"),
        (["a", "b"], "category"),
        ([0.001, 0.01, 0.1], "log"),
    ],
)
def test_every_kind_of_axis_has_cells_that_meet(values, kind):
    axis = axis_of("network.width", values)
    assert axis.kind == kind
    edges = list(axis.edges.values())
    assert all(low < high for low, high in edges)
    assert all(a[1] == pytest.approx(b[0]) for a, b in itertools.pairwise(edges))
    for value, position in axis.positions.items():
        low, high = axis.edges[value]
        assert low < position < high


def test_the_phase_table_has_one_row_per_cell(tables: Tables):
    table = diagram(tables, axes=("corpus.size", "network.width"), facet="grammar.depth")
    assert table.panels == ("L=3", "L=4")
    assert len(table.cells) == 18
    assert set(table.cells["regime"]) <= set(REGIMES)
    small = table.cells[(table.cells["x"] == 32) & (table.cells["y"] == 256)]
    assert set(small["regime"]) == {"memorizing"}
    assert not table.cells["provisional"].any()


def test_the_line_lies_between_memorizing_and_other_cells(tables: Tables):
    table = diagram(tables, axes=("corpus.size", "network.width"), facet="grammar.depth")
    assert len(table.lines) >= 4
    for line in table.lines.itertuples():
        row = table.cells[(table.cells["panel"] == line.panel) & (table.cells["y"] == line.y)]
        inside = row[row["x"] < line.x]["regime"] == "memorizing"
        outside = row[row["x"] > line.x]["regime"] == "memorizing"
        assert inside.all()
        assert not outside.any()
    x = table.x.domain
    assert table.lines["x_low"].between(*x).all()
    assert table.lines["x_high"].between(*x).all()


def test_cells_are_never_pooled(tables: Tables):
    """A setting that varies but is on no axis gets panels of its own."""
    table = diagram(tables, axes=("corpus.size", "network.width"))
    assert table.panels == ("L=3", "L=4")
    narrow = diagram(tables, axes=("corpus.size",))
    assert len(narrow.panels) == 6
    assert len(narrow.cells) == 18
    assert not narrow.cells.duplicated(["panel", "x", "y"]).any()


def test_missing_cells_are_gaps(tables: Tables):
    gone = tables.trainings[tables.trainings["cell"] == "L=3 · N=256 · W=64"]["training"]
    fewer = {
        name: frame[~frame["training"].isin(gone)] if name != "trainings" else frame
        for name, frame in tables.items()
    }
    table = diagram(Tables.of(fewer), axes=("corpus.size", "network.width"), facet="grammar.depth")
    assert len(table.cells) == 17
    assert list(table.x.positions) == [32, 256, 2048]


def test_undefined_regimes_are_null_in_the_drawing(tables: Tables):
    curves = tables["curves"].assign(novel_validity=np.nan, excess_copies=0.0)
    levels = tables["levels"].assign(partial_memorization=np.nan)
    made = Tables.of({**tables, "curves": curves, "levels": levels})
    cells = diagram(made, axes=("corpus.size", "network.width"), facet="grammar.depth").cells
    assert all(row["regime"] is None and row["novel_validity"] is None for row in rows(cells))


def test_strata_of_different_seeds_are_matched_by_rank(tables: Tables):
    table = typicality_table(tables)
    assert (table["seeds"] == 3).all()
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["step"] == 4096)]
    for reading in ("emission", "likelihood"):
        strata_of = own[own["reading"] == reading]
        assert len(strata_of) == 8
        assert strata_of["log_p"].is_monotonic_decreasing


def strata(seed, counts, excess, log_p):
    return pd.DataFrame(
        {
            "training": f"t{seed}",
            "step": 64,
            "stratum": range(len(counts)),
            "n_training": counts,
            "mean_log_p": log_p,
            "emission_excess": excess,
            "memorized_excess": excess,
        }
    ).astype({"n_training": "Int64"})


def two_seeds(*parts):
    trainings = pd.DataFrame({"training": ["t0", "t1"], "cell": "c", "seed": [0, 1]})
    table = typicality_table({"typicality": pd.concat(parts), "trainings": trainings})
    return table[table["reading"] == "emission"].reset_index(drop=True)


def test_unequal_numbers_of_strata_are_merged_by_quantile_and_weighted():
    fine = strata(0, [30, 10, 20, 20], [1.0, 0.2, 0.5, 0.1], [-1.0, -2.0, -3.0, -4.0])
    coarse = strata(1, [40, 40], [0.6, 0.2], [-1.5, -3.5])
    table = two_seeds(fine, coarse)
    assert list(table["bin"]) == [0, 1]
    assert table["mean"].tolist() == pytest.approx([(0.8 + 0.6) / 2, (0.3 + 0.2) / 2])
    assert table["log_p"].tolist() == pytest.approx([(-1.25 - 1.5) / 2, -3.5])


def test_an_undefined_stratum_is_a_gap():
    one = strata(0, [10, 10], [0.4, np.nan], [-1.0, -2.0])
    other = strata(1, [10, 10], [0.6, np.nan], [-1.0, -2.0])
    table = two_seeds(one, other)
    assert table["mean"].iloc[0] == pytest.approx(0.5)
    assert math.isnan(table["mean"].iloc[1])
    assert table["seeds"].tolist() == [2, 0]


def test_few_steps_are_shown_and_the_last_is_one_of_them(tables: Tables):
    table = shown_steps(typicality_table(tables))
    assert table["step"].nunique() <= 6
    assert (table.groupby("cell")["step"].max() == 4096).all()
    assert spaced([1, 2, 4, 8, 16, 32, 64], 3) == [1, 8, 64]
    assert spaced([1, 2, 4], 7) == [1, 2, 4]


def test_curves_have_gaps_where_nothing_is_defined(tables: Tables):
    table = curves_table(tables)
    relative = table[table["series"] == "A = T/E"]
    early = tables["curves"].groupby("step")["relative_slope"].count()
    assert set(relative["step"]) == set(early[early > 0].index)
    assert table["mean"].notna().all()
    assert set(table[table["panel"] == "partial"]["level"]) == {0, 1, 2}


def test_a_hole_in_a_curve_splits_it(tables: Tables):
    curves = tables["curves"].copy()
    curves.loc[curves["step"] == 512, "novel_validity"] = np.nan
    table = curves_table({**tables, "curves": curves})
    own = table[(table["series"] == "novel validity V") & (table["cell"] == table["cell"].iloc[0])]
    assert 512 not in set(own["step"])
    runs = own.groupby("run")["step"].agg(["min", "max"])
    assert runs["max"].tolist() == [256, 4096]


def test_a_step_without_generated_strings_is_no_gap(tables: Tables):
    table = curves_table(tables)
    own = table[table["cell"] == "L=3 · N=256 · W=64"].set_index("series")
    copied, lost = own.loc["excess copies E"], own.loc["controls"]
    assert set(copied["step"]) == {64 * 2**i for i in range(7)}
    assert set(lost["step"]) > set(copied["step"])
    assert copied["run"].nunique() == lost["run"].nunique() == 1


def test_curves_are_thinned_and_keep_their_last_point():
    table = pd.DataFrame({"series": "a", "step": 2 ** np.arange(30)})
    shown = thinned(table, by=["series"], at_most=12)
    assert len(shown) == 10
    assert shown["step"].max() == 2**29


def test_levels_of_equal_rules_have_no_ranks_and_surplus_is_a_ratio(tmp_path):
    for seed in range(2):
        synthetic.publish(tmp_path, synthetic.config(seed=seed, grammar={"zipf": {"2": 1.0}}))
    tables = load(tmp_path)
    table = overproduction_table(tables)
    assert set(table["level"]) == {2}
    first = table[(table["rank"] == 1) & (table["step"] == 512)]["mean"].iloc[0]
    rules = tables["rules"].query("level == 2 and rank == 1 and step == 512")
    ratios = rules["generated"] / rules["true_frequency"]
    assert 2**first == pytest.approx(math.sqrt(ratios.prod()))
    assert 2**first > 1.05


def test_the_larger_frequency_is_the_expected_one_and_never_generated_is_undefined():
    rules = pd.DataFrame(
        {
            "training": "t",
            "step": 64,
            "level": 0,
            "rank": [1, 2],
            "generated": [0.8, 0.0],
            "training_frequency": [0.4, 0.6],
            "true_frequency": [0.7, 0.3],
        }
    )
    trainings = pd.DataFrame({"training": ["t"], "cell": ["c"]})
    table = overproduction_table({"rules": rules, "trainings": trainings})
    assert table["rank"].tolist() == [1]
    assert table["mean"].tolist() == pytest.approx([math.log2(0.8 / 0.7)])


def test_every_level_has_a_panel_with_its_own_rules(grid):
    """Layers with data of their own would show all levels in every panel."""
    (figure,) = (f for f in drawn(grid, ("corpus.size",)) if f.name == "overproduction")
    spec = figure.spec(LIGHT)
    assert spec["data"] == {"name": "rules"}
    assert _named(spec["spec"]) == set()


def test_noise_is_that_of_the_last_step(tables: Tables):
    table = noise_table(tables)
    assert set(table["step"]) == {4096}
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["series"] == "of the grammar")]
    assert own["noise"].tolist() == pytest.approx([(10 * w + 6) / 100 for w in range(10)])
    position = table[table["panel"] == "position"]
    assert position["mean"].between(0, 1).all()


def test_a_point_by_noise_level_stands_on_half_of_the_seeds(tables: Tables):
    noise = tables["noise"].copy()
    cells = noise["training"].map(tables.trainings.set_index("training")["cell"])
    one = (cells == "L=3 · N=256 · W=64") & (noise["window"] >= 4)
    seeds = noise["training"].map(tables.trainings.set_index("training")["seed"])
    noise.loc[one & (seeds > 0), "position"] = np.nan
    noise.loc[one & (noise["window"] == 4) & (seeds == 1), "position"] = 0.5
    table = noise_table({**tables, "noise": noise})
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["panel"] == "position")]
    assert own["window"].tolist() == [0, 1, 2, 3, 4]
    assert own["seeds"].tolist() == [3, 3, 3, 3, 2]


def test_seconds_of_a_pack_are_shared_and_their_shares_add_up(tables: Tables):
    table = timing_table(tables)
    assert (table["seeds"] == 3).all()
    own = table[(table["cell"] == "L=3 · N=256 · W=64") & (table["step"] == 4096)]
    at = own.set_index(["panel", "series"])["mean"]
    timing = tables["timing"].query(f"training == '{tables.trainings['training'].iloc[0]}'")
    assert at["seconds", "training"] == pytest.approx(timing["training_seconds"].sum() / 2)
    assert at["seconds", "generating"] == pytest.approx(0.5 * 7 / 2)
    assert at["share"].sum() == pytest.approx(1)
    assert at["schedule", "generated strings"] == 7
    assert at["schedule", "likelihood and noise"] == len(timing) > 7


def test_time_that_was_not_recorded_is_unknown(tables: Tables):
    timing = tables["timing"].assign(measuring_seconds=np.nan)
    table = timing_table({**tables, "timing": timing})
    assert set(table[table["panel"] == "seconds"]["series"]) == {"training", "generating"}
    assert "share" not in set(table["panel"])


def test_colours_of_either_theme_take_the_place_of_their_names(grid):
    figure = drawn(grid, ("corpus.size",))[0]
    for theme in THEMES.values():
        assert "theme:" not in json.dumps(figure.spec(theme))


@pytest.mark.parametrize("digits", [2, 4])
def test_numbers_are_rounded_to_significant_digits(digits):
    values = np.array([0.0, np.nan, -0.00123456, 123456.7, 9.9996, 1e-12])
    found = rounded(values, digits)
    assert np.isnan(found[1])
    for value, short in zip(np.delete(values, 1), np.delete(found, 1), strict=True):
        assert repr(float(short)) == repr(float(f"{value:.{digits}g}"))


def drawn(folder, axes, facet=None) -> list[Figure]:
    return figures(find(load(folder), axes=axes, facet=facet, expected=None))


@pytest.mark.parametrize("theme", list(THEMES.values()), ids=list(THEMES))
def test_specs_are_json_that_names_only_data_that_is_there(grid, theme):
    for figure in drawn(grid, ("corpus.size", "network.width"), "grammar.depth"):
        spec = json.loads(json.dumps(figure.spec(theme), allow_nan=False))
        assert spec["config"]["background"] == theme.background
        json.dumps(figure.datasets(), allow_nan=False)
        assert _named(spec) <= set(figure.datasets())


def test_the_drawings_are_valid_vega_lite(tmp_path):
    for size in (32, 256):
        synthetic.publish(tmp_path, synthetic.config(size=size, steps=256))
    for figure in drawn(tmp_path, ("corpus.size",)):
        figure.draw(LIGHT).to_dict(validate=True)


def _named(node) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_named, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    own = node.get("data")
    named = {own["name"]} if isinstance(own, dict) and set(own) == {"name"} else set()
    return named.union(*map(_named, node.values())) if node else named


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Name and content of every chunk, whose checksums must be right."""
    found, at = [], 8
    while at < len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4], "big")
        name, content = png[at + 4 : at + 8], png[at + 8 : end]
        assert int.from_bytes(png[end : end + 4], "big") == zlib.crc32(name + content)
        found.append((name, content))
        at = end + 4
    return found


def test_a_packed_image_has_the_same_pixels_in_less_room():
    drawing = '<text y="50">a</text>'
    size = 'width="400" height="300"'
    png = vl_convert.svg_to_png(f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{drawing}</svg>')
    small = packed(png)
    assert len(small) < len(png)
    assert small[:8] == png[:8]
    one, two = (
        {
            "others": [chunk for chunk in chunks(image) if chunk[0] != b"IDAT"],
            "pixels": zlib.decompress(b"".join(c for n, c in chunks(image) if n == b"IDAT")),
        }
        for image in (png, small)
    )
    assert one == two


def test_themes_have_a_colour_for_every_regime():
    for theme in (LIGHT, DARK):
        assert len(set(theme.regimes)) == len(REGIMES)


def test_a_cell_called_like_code_stays_text():
    (row,) = rows(
        pd.DataFrame({"cell": ["</script>"], "x": [np.nan], "n": pd.array([None], "Int64")})
    )
    assert row == {"cell": "</script>", "x": None, "n": None}


def test_synthetic_cells_really_differ(tables: Tables):
    assert diagram(tables, axes=("corpus.size", "network.width")).cells["regime"].nunique() >= 3
