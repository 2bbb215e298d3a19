"""The report in a real Chromium without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.report.folder import ReportPaths

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator:
    if not Path(CHROMIUM).is_file():
        pytest.skip("no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser, report: ReportPaths) -> Iterator:
    context = browser.new_context(
        offline=True, color_scheme="light", viewport={"width": 1280, "height": 900}
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else None)
    page.goto(report.page.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()
    assert said == []


CURVE = "[data-figure='typicality'] .mark-line path"


def curve(page) -> list[str]:
    return page.eval_on_selector_all(CURVE, "paths => paths.map(p => p.getAttribute('d'))")


def chosen(page) -> str:
    return page.locator("#picked").input_value()


def shown(page, wanted: str) -> None:
    """Wait until the diagram shows a map at a moment, such as `E step 1024`."""
    page.wait_for_selector(f"html[data-map='{wanted}']")


def fills(page, figure: str) -> list[str]:
    """The colours of the cells of a diagram."""
    path = f"[data-figure='{figure}'] .mark-rect path"
    marks = page.eval_on_selector_all(path, "paths => paths.map(p => p.getAttribute('fill'))")
    return [fill for fill in marks if fill and fill.startswith(("rgb", "#"))]


def click(page, cell: str) -> None:
    page.locator(f"[data-figure='phase-diagram'] path[aria-label='{cell}']").first.click()
    page.wait_for_selector(f"html[data-picked='{cell}']")


def test_a_click_changes_the_curve_and_the_lists_agree(page):
    cell = "L=4 · N=32 · W=256"
    before = curve(page)
    assert cell != chosen(page)
    click(page, cell)
    assert chosen(page) == cell
    assert curve(page) != before
    assert page.get_by_text(cell, exact=True).count() >= 1


def test_a_click_on_the_small_curves_picks_their_cell(page):
    before, cell = curve(page), "L=4 · N=32 · W=16"
    figure = page.locator("[data-figure='curves-by-cell']")
    figure.scroll_into_view_if_needed()
    figure.locator(f"path[aria-label='{cell}']").first.click()
    page.wait_for_selector(f"html[data-picked='{cell}']")
    assert chosen(page) == cell
    assert curve(page) != before


def test_the_list_and_the_keyboard_pick_cells_too(page):
    page.locator("#picked").select_option("L=3 · N=32 · W=16")
    page.wait_for_selector("html[data-picked='L=3 · N=32 · W=16']")
    first = curve(page)
    page.locator("[data-figure='phase-diagram']").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("html[data-picked='L=3 · N=256 · W=16']")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("html[data-picked='L=3 · N=256 · W=64']")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("html[data-picked='L=3 · N=256 · W=16']")
    assert chosen(page) == "L=3 · N=256 · W=16"
    assert curve(page) != first


def test_a_click_beside_the_cells_keeps_the_picked_one(page):
    picked = chosen(page)
    box = page.locator("[data-figure='phase-diagram'] svg.marks").bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + 3)
    page.wait_for_timeout(100)
    assert chosen(page) == picked
    assert curve(page)


def test_the_theme_follows_the_reader_and_the_button_and_keeps_the_cell(page):
    cell = "L=4 · N=256 · W=64"
    click(page, cell)
    assert page.locator("html").get_attribute("data-ready") == "light"
    page.locator("#theme").click()
    page.wait_for_selector("html[data-ready='dark']")
    assert chosen(page) == cell
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(20, 24, 29)"
    assert page.locator("#theme").inner_text() == "Light"


def test_a_claim_s_number_opens_its_details(page):
    details = page.locator("#claim-C19")
    assert details.get_attribute("open") is None
    page.locator("#claims table a", has_text="C19").click()
    assert details.get_attribute("open") is not None


def test_the_first_screen_holds_the_diagram_and_every_verdict(page):
    page.set_viewport_size({"width": 1280, "height": 800})
    bottom = "element => element.getBoundingClientRect().bottom"
    assert page.eval_on_selector("[data-figure='phase-diagram'] svg", bottom) < 800
    assert page.eval_on_selector(".verdicts tbody tr:last-child", bottom) < 800
    assert page.locator(".verdicts tbody tr").count() >= 20


def test_a_map_at_a_step_is_another_picture_and_stands_in_the_address(page):
    page.locator("#map").select_option("E")
    shown(page, "E end ")
    end = fills(page, "map")
    assert page.locator("[data-figure='phase-diagram']").is_hidden()
    page.locator("#moment").select_option("step")
    page.locator("#level").focus()
    page.keyboard.press("Home")
    shown(page, "E step 64")
    assert fills(page, "map") != end
    assert "map=E&at=step&level=64" in page.url
    page.keyboard.press("ArrowRight")
    shown(page, "E step 128")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    shown(page, "E step 128")
    assert page.locator("#level-said").inner_text() == "step 128"


def test_the_regimes_of_an_early_step_are_underfit_and_those_of_the_end_come_back(page):
    end = fills(page, "phase-diagram")
    page.locator("#moment").select_option("step")
    page.locator("#level").focus()
    page.keyboard.press("Home")
    shown(page, "regime step 64")
    assert fills(page, "phase-diagram") != end
    page.locator("#moment").select_option("end")
    shown(page, "regime end ")
    assert fills(page, "phase-diagram") == end


def test_other_axes_place_the_same_cells_elsewhere_and_stand_in_the_address(page):
    first = fills(page, "phase-diagram")
    page.locator("#axes").select_option("network.width,grammar.depth")
    page.wait_for_selector("html[data-axes='network.width,grammar.depth'][data-ready]")
    assert sorted(fills(page, "phase-diagram")) == sorted(first)
    page.wait_for_selector("[data-figure='phase-diagram'] :text('N=2048')")
    click(page, "L=3 · N=32 · W=16")
    page.locator("[data-figure='phase-diagram']").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("html[data-picked='L=4 · N=32 · W=16']")
    page.reload()
    page.wait_for_selector("html[data-axes='network.width,grammar.depth'][data-ready]")
    assert chosen(page) == "L=4 · N=32 · W=16"
    page.locator("#map").select_option("V")
    shown(page, "V end ")
    assert len(fills(page, "map")) == len(first)
    page.locator("#axes").select_option(index=0)
    page.wait_for_selector("html[data-axes='corpus.size,network.width'][data-ready]")
    page.locator("#map").select_option("regime")
    shown(page, "regime end ")
    assert sorted(fills(page, "phase-diagram")) == sorted(first)


def test_sizes_as_multiples_of_what_all_rules_take(page):
    first = fills(page, "phase-diagram")
    page.locator("#axes").select_option("scaled.size,network.width")
    page.wait_for_selector("html[data-axes='scaled.size,network.width'][data-ready]")
    assert fills(page, "phase-diagram") == first
    assert page.locator("[data-figure='phase-diagram'] :text('N/N*₀')").count() == 2


def test_training_is_shown_over_steps_epochs_and_operations(page):
    figure = page.locator("[data-figure='curves']")
    page.locator("#picked").select_option("L=3 · N=32 · W=16")
    page.wait_for_selector("html[data-picked='L=3 · N=32 · W=16']")
    before = curve(page), figure.locator(".mark-line path").first.get_attribute("d")
    for time, title in (("epochs", "epochs"), ("flop", "floating-point operations")):
        page.locator("#time").select_option(time)
        figure.get_by_text(title, exact=True).first.wait_for()
        assert f"time={time}" in page.url
        assert figure.get_by_text("training step", exact=True).count() == 0
    page.locator("#time").select_option("step")
    figure.get_by_text("training step", exact=True).first.wait_for()
    after = curve(page), figure.locator(".mark-line path").first.get_attribute("d")
    assert after == before


@pytest.mark.parametrize("at", ["epochs", "flop", "best"])
def test_cells_are_compared_at_equal_work_and_at_the_best_loss(page, at):
    page.locator("#moment").select_option(at)
    page.wait_for_selector(f"html[data-map^='regime {at}']")
    assert "step" in page.locator("#level-said").inner_text()
    assert fills(page, "phase-diagram")


def test_the_table_of_cells_sorts_and_picks(page):
    cells = page.locator("#cells table.sortable")
    cells.get_by_role("button", name="Excess copies E").click()
    column = "cells => cells.map(c => Number(c.dataset.at))"
    path = "#cells table.sortable tbody td:nth-child(5)"
    rising = page.eval_on_selector_all(path, column)
    assert rising == sorted(rising)
    cells.get_by_role("button", name="Excess copies E").click()
    assert page.eval_on_selector_all(path, column) == rising[::-1]
    cells.get_by_text("L=4 · N=32 · W=256", exact=True).click()
    page.wait_for_selector("html[data-picked='L=4 · N=32 · W=256']")
    assert "cell=L%3D4" in page.url


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_either_theme(page, theme):
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=theme)
    page.wait_for_selector(f"html[data-ready='{theme}']")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_on_a_phone_nothing_leaves_the_page_and_nothing_is_cut_off(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "document.documentElement.dataset.ready && document.documentElement.dataset.drawn < 391"
    )
    inside, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert inside <= window
    wide = page.eval_on_selector_all(
        ".plot", "plots => plots.filter(p => p.scrollWidth > p.clientWidth + 1)"
        ".map(p => p.dataset.figure)",
    )  # fmt: skip
    assert wide == []


def test_paper_keeps_every_panel_and_column(page):
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})  # A4 between its margins
    right = "elements => Math.max(...elements.map(e => e.getBoundingClientRect().right))"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.eval_on_selector_all("figure:not([hidden]) svg.marks", right) <= 691
    assert page.eval_on_selector_all("th, td", right) <= 691
    assert page.locator("main details:not([open], .plot details)").count() == 0


def test_without_scripts_the_images_are_there(browser, report: ReportPaths):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(report.page.as_uri())
    assert page.locator("noscript img").count() == len(report.figures) // 2
    assert page.locator("figure img").first.bounding_box()["width"] > 300
    context.close()
