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


LISTS = 7
"""Figures that show the picked cell and have a list to pick it from."""

CURVE = "[data-figure='phase-diagram'] .mark-line path"


def curve(page) -> list[str]:
    return page.eval_on_selector_all(CURVE, "paths => paths.map(p => p.getAttribute('d'))")


def chosen(page) -> list[str]:
    return page.eval_on_selector_all("[name=picked_cell]", "lists => lists.map(l => l.value)")


def click(page, cell: str) -> None:
    page.locator(f"[data-figure='phase-diagram'] path[aria-label='{cell}']").first.click()
    page.wait_for_selector(f"html[data-picked='{cell}']")


def test_a_click_changes_the_curve_and_the_lists_agree(page):
    cell = "L=4 · N=32 · W=256"
    before, picked = curve(page), chosen(page)
    assert len(picked) == LISTS
    assert cell not in picked
    click(page, cell)
    assert chosen(page) == [cell] * LISTS
    assert curve(page) != before
    assert page.get_by_text(cell, exact=True).count() >= 1


def test_a_click_on_the_small_curves_picks_their_cell(page):
    before, cell = curve(page), "L=4 · N=32 · W=16"
    figure = page.locator("[data-figure='curves-by-cell']")
    figure.scroll_into_view_if_needed()
    figure.locator(f"path[aria-label='{cell}']").first.click()
    page.wait_for_selector(f"html[data-picked='{cell}']")
    assert chosen(page) == [cell] * LISTS
    assert curve(page) != before


def test_the_list_and_the_keyboard_pick_cells_too(page):
    page.locator("[name=picked_cell]").first.select_option("L=3 · N=32 · W=16")
    page.wait_for_selector("html[data-picked='L=3 · N=32 · W=16']")
    first = curve(page)
    page.locator("[data-figure='phase-diagram']").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("html[data-picked='L=3 · N=256 · W=16']")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("html[data-picked='L=3 · N=256 · W=64']")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("html[data-picked='L=3 · N=256 · W=16']")
    assert chosen(page) == ["L=3 · N=256 · W=16"] * LISTS
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
    assert chosen(page) == [cell] * LISTS
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(20, 24, 29)"
    assert page.locator("#theme").inner_text() == "Light"


def test_a_claim_s_number_opens_its_details(page):
    details = page.locator("#claim-C19")
    assert details.get_attribute("open") is None
    page.locator("#claims table a", has_text="C19").click()
    assert details.get_attribute("open") is not None


def test_on_a_phone_the_table_of_claims_scrolls_and_the_page_does_not(page):
    page.set_viewport_size({"width": 390, "height": 844})
    wide, own = page.eval_on_selector(".verdicts", "box => [box.scrollWidth, box.clientWidth]")
    assert wide > own
    inside, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert inside <= window


def test_without_scripts_the_images_are_there(browser, report: ReportPaths):
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(report.page.as_uri())
    assert page.locator("noscript img").count() == len(report.figures) // 2
    assert page.locator("figure img").first.bounding_box()["width"] > 300
    context.close()
