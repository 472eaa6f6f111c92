"""The report and the live page in a real browser: headless Chromium, driven by Playwright."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.made_manifests import made_manifest
from support.made_records import make_record
from support.small_tables import HOSTILE, houses, prepared

from retrograd.diagnosis.catalogue import finding
from retrograd.report import RunReport, write_report
from retrograd.report.pages.predictions import Effort, Judged
from retrograd.store import Given, RunFolder, RunLog, write_recipe
from retrograd.store.names import VALIDATION

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Watched:
    """A page with what it logged and what it asked for."""

    def __init__(self, browser: Any, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, address: str) -> Any:
        self.page.goto(address)
        return self.page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small run with a record and findings."""
    place = tmp_path_factory.mktemp("browser")
    run = prepared(houses(), "price")
    folder = RunFolder.create(place / "run", "unused")
    manifest = made_manifest(data=Given(f"{HOSTILE}.csv"))
    write_recipe(folder, run.options.to_options(), run.model, manifest)
    run.fit([RunLog(folder, manifest)])
    make_record(folder.path / "record", fading=0.1)
    judged = Judged.of(run.model, run.split.validation, VALIDATION, Effort.BRIEF)
    found = [
        finding("RG101", f"The gradient fades, {HOSTILE}.", layers=["0.weight"], steps=(1, 200)),
        finding("RG501", "The validation loss is 3 times the training loss."),
    ]
    path = place / "report.html"
    write_report(path, dataclasses.replace(RunReport.read(folder, judged), findings=found))
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_shows_all_that_it_has_and_asks_nobody(
    browser: Any, report: Path, scheme: str
) -> None:
    watched = Watched(browser, color_scheme=scheme)
    page = watched.open(report.as_uri())
    assert watched.faults == []
    assert watched.requests == [report.as_uri()]
    assert page.locator("article.finding").count() == 2
    assert page.get_by_role("heading", name="Vanishing gradients").is_visible()
    charts = page.locator("svg:visible")
    assert charts.count() > 20
    boxes = [charts.nth(i).bounding_box() for i in range(charts.count())]
    assert all(box and box["width"] > 100 and box["height"] > 20 for box in boxes)
    assert page.locator("path.heat").count() > 20
    assert page.evaluate("document.scripts.length") == 0
    sections = ("Findings", "Scores", "Predictions", "Inputs", "Learning", "Inside the network")
    tops = []
    for name in sections:
        link = page.get_by_role("link", name=name, exact=True)
        link.click()
        tops.append(page.locator(link.get_attribute("href")).bounding_box()["y"])
        tops[-1] += page.evaluate("scrollY")
    assert tops == sorted(tops)  # what a person came for stands before the inside of the network
    assert watched.requests == [report.as_uri()]
    page.close()


_CONTRASTS = """() => {
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (each) => {
    for (; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return "white";
  };
  const low = [];
  for (const each of document.querySelectorAll("body *")) {
    const text = [...each.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!text || !each.getClientRects().length || each.closest("title, desc, .skip")) continue;
    const style = getComputedStyle(each);
    const ink = each.closest("svg") ? style.fill : style.color;
    const [a, b] = [light(ink), light(ground(each))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${each.tagName}.${each.className} ${ratio.toFixed(2)}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_ground(browser: Any, report: Path, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5."""
    page = Watched(browser, color_scheme=scheme).open(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page.evaluate(_CONTRASTS) == []
    page.close()


@pytest.mark.parametrize("width", [360, 768, 1400])
def test_it_fits_any_width(browser: Any, report: Path, width: int) -> None:
    page = Watched(browser, viewport={"width": width, "height": 800}).open(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_a_phone_shows_sentences_and_the_learning_curve_without_scrolling(
    browser: Any, report: Path
) -> None:
    width = 375
    page = Watched(browser, viewport={"width": width, "height": 800}).open(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert page.locator("caption").count() == 0  # which would scroll away with its table
    shown = page.locator(".caption, #learning figure:first-of-type svg:visible, #scores table")
    assert shown.count() > 5
    for each in shown.all():
        box = each.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.locator("#learning .wide-only").is_hidden()
    # A cell of a table is one line, but for text and what a metric means.
    lines = page.locator("#inside td:visible, #columns td").evaluate_all(
        "cells => cells.map((cell) => cell.clientHeight)"
    )
    assert max(lines) <= 2 * min(lines)
    page.close()


# The texts of a picture that leave it, or that lie on one another; slanted ones only the first.
_ILL_PLACED = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const edge = svg.getBoundingClientRect();
  const all = [...svg.querySelectorAll("text")];
  const texts = all.map((text) => [text, text.getBoundingClientRect()]);
  const out = texts.filter(([, box]) => box.left < edge.left - 2 || box.right > edge.right + 2
    || box.top < edge.top - 2 || box.bottom > edge.bottom + 2);
  const level = texts.filter(([text]) => !text.hasAttribute("transform"));
  const on = level.flatMap(([text, a], i) => level.slice(i + 1).filter(([, b]) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
  ).map(([other]) => [text, other]));
  const name = svg.getAttribute("aria-label");
  return [...out.map(([text]) => `${name}: ${text.textContent} leaves it`),
    ...on.map((pair) => `${name}: ${pair.map((text) => text.textContent).join(" on ")}`)];
})"""


@pytest.mark.parametrize("width", [375, 1280])
def test_the_texts_of_pictures_are_whole_and_apart(browser: Any, report: Path, width: int) -> None:
    page = Watched(browser, viewport={"width": width, "height": 800}).open(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate(_ILL_PLACED) == []


def test_it_is_walked_by_the_keyboard_in_reading_order(browser: Any, report: Path) -> None:
    page = Watched(browser).open(report.as_uri())
    tops = []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        tops.append(page.evaluate("document.activeElement.getBoundingClientRect().top + scrollY"))
    assert len(tops) > 12
    assert all(later >= earlier - 60 for earlier, later in pairwise(tops))
    page.close()


def test_every_chart_has_a_name_for_a_screen_reader(browser: Any, report: Path) -> None:
    page = Watched(browser).open(report.as_uri())
    pictures = page.get_by_role("img")
    assert pictures.count() == page.locator("svg:visible").count()
    names = [pictures.nth(i).get_attribute("aria-label") for i in range(pictures.count())]
    assert all(names)
    for table in page.get_by_role("table").all():
        assert table.get_by_role("columnheader").count() >= 2
    page.close()


def test_it_prints_on_paper(browser: Any, report: Path, tmp_path: Path) -> None:
    page = Watched(browser, color_scheme="dark").open(report.as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert not page.locator("nav").is_visible()
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.close()


# The live page ------------------------------------------------------------------------------------


def _command(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    line = [sys.executable, "-m", "retrograd", *map(str, arguments)]
    return subprocess.Popen(
        line, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _wait_for(what: Any, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_the_live_page_follows_a_real_training_to_its_end(browser: Any, tmp_path: Path) -> None:
    import pyarrow.csv

    pyarrow.csv.write_csv(houses(400), tmp_path / "houses.csv")
    small = ("--set", "width=8", "--set", "members=2", "--set", "patience=100000")
    train = _command(
        "train", "houses.csv", "--target", "price", "--out", "run", "--epochs", 100_000,
        "--time-limit", 300, "--quiet", *small, cwd=tmp_path,
    )  # fmt: skip
    watch = None
    try:
        _wait_for(lambda: (tmp_path / "run" / "manifest.json").exists())
        watch = _command("watch", "run", "--port", 0, cwd=tmp_path)
        assert watch.stdout is not None
        address = watch.stdout.readline().split()[0]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        watched = Watched(browser)
        page = watched.open(address)
        page.evaluate("window.mark = 'the same page'")

        def epoch() -> int:
            found = re.search(r"epoch ([\d,]+) of", page.locator(".verdict").inner_text())
            return int(found[1].replace(",", "")) if found else 0

        first = _wait_for(epoch)
        page.locator("summary", has_text="Options").click()
        _wait_for(lambda: epoch() > first)
        assert page.locator("details[open] summary").inner_text() == "Options"  # and stays open
        assert page.locator("#learning svg").first.is_visible()
        train.send_signal(signal.SIGINT)  # which ends it as if its time were over
        train.wait(60)
        _wait_for(lambda: page.locator("#scores").count())
        assert page.locator("#predictions svg").first.is_visible()
        assert page.evaluate("window.mark") == "the same page"
        assert watched.faults == []
        assert all(url.startswith(address) for url in watched.requests)
        watch.send_signal(signal.SIGINT)
        assert watch.wait(20) == 0
        _wait_for(lambda: page.evaluate("document.body.classList.contains('gone')"))
        page.close()
    finally:
        for process in (train, watch):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
            if process is not None and process.stdout is not None:
                process.stdout.close()
