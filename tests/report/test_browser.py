"""The page in a real browser: by mouse, by keyboard and without scripts, always offline."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageStat

from tests.report.browser import SIZES, Browser, required
from tests.report.pages import Page
from tests.report.screenshots import take

pytestmark = pytest.mark.browser
AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
VISIBLE = "[...document.querySelectorAll('table.grid tbody tr')].filter(row => row.offsetParent)"


def choose(browser: Browser, name: str, value: str) -> int:
    """Set a filter, and return the number of rows that are shown then."""
    browser.run(
        f"(() => {{ const one = document.getElementById('{name}'); one.value = {json.dumps(value)};"
        " one.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    shown: int = browser.run(f"{VISIBLE}.length")
    assert browser.run("document.getElementById('shown').textContent").startswith(
        f"{shown} of" if shown else "none of"
    )
    return shown


def test_nothing_is_requested_and_nothing_is_complained_of(desktop: Browser, page: Page):
    desktop.open(page.file)
    desktop.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert [one for one in desktop.requests if not one.startswith("data:")] == [page.file.as_uri()]
    assert desktop.complaints == []
    with pytest.raises(RuntimeError, match="fetch"):  # the page itself forbids it
        desktop.run("fetch('http://127.0.0.1:9/')")
    desktop.complaints.clear()


def test_filters_show_the_rows_that_fit(desktop: Browser, page: Page):
    rows = page.view.results[page.view.results["seed"] == "all"]
    lines = rows[["dataset", "source", "method"]].drop_duplicates()
    assert desktop.run(f"{VISIBLE}.length") == len(lines)
    omniglot = lines[lines["dataset"] == "omniglot"]
    assert choose(desktop, "by-dataset", "omniglot") == len(omniglot)
    oracles = omniglot[omniglot["method"].str.startswith("oracle")]
    assert choose(desktop, "by-kind", "Oracle") == len(oracles)
    assert choose(desktop, "find", "oracle-protonets") == 1
    assert choose(desktop, "find", "no such thing") == 0
    desktop.run("document.querySelector('.filters button').click()")
    desktop.run("new Promise(done => setTimeout(done, 50))")
    assert desktop.run(f"{VISIBLE}.length") == len(lines)
    verdicts = rows[rows["verdict"] == "not in the paper"]
    wanted = verdicts[["dataset", "source", "method"]].drop_duplicates()
    assert choose(desktop, "by-verdict", "not-in-the-paper") == len(wanted)


def test_a_column_sorts_down_up_and_as_printed(desktop: Browser):
    table = "document.querySelector('[data-dataset=omniglot] table')"
    values = f"[...{table}.tBodies[0].rows].map(row => Number(row.cells[1].dataset.value))"
    click = f"{table}.tHead.rows[0].cells[1].querySelector('button').click()"
    printed: list[float] = desktop.run(values)
    for order, wanted in (
        ("descending", sorted(printed, reverse=True)),
        ("ascending", sorted(printed)),
        (None, printed),
    ):
        desktop.run(click)
        assert desktop.run(f"{table}.tHead.rows[0].cells[1].getAttribute('aria-sort')") == order
        assert desktop.run(values) == wanted


def test_the_keyboard_reaches_and_works_everything(desktop: Browser):
    wanted = desktop.run(
        "[...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter(one => one.checkVisibility()).length"
    )
    seen: set[Any] = set()
    for _ in range(wanted + 5):
        desktop.press("Tab", 9)
        seen.add(
            desktop.run(
                "(() => { const all = [...document.querySelectorAll('*')];"
                " return all.indexOf(document.activeElement); })()"
            )
        )
    body = desktop.run("[...document.querySelectorAll('*')].indexOf(document.body)")
    assert len(seen - {body, -1}) >= wanted
    desktop.run("document.querySelector('.sortable thead button').focus()")
    desktop.press("Enter", 13)
    assert desktop.run("document.querySelector('.sortable th').getAttribute('aria-sort')")
    desktop.run("document.querySelector('details summary').focus()")
    desktop.press("Enter", 13)
    assert desktop.run("document.querySelector('details').open") is True


def test_a_link_opens_the_entry_that_it_leads_to(desktop: Browser):
    name = desktop.run(
        "(() => { const link = document.querySelector('table.grid th a[href^=\"#cell\"]');"
        " link.click(); return link.getAttribute('href').slice(1); })()"
    )
    desktop.run("new Promise(done => setTimeout(done, 200))")
    assert desktop.run(f"document.getElementById({json.dumps(name)}).closest('details').open")
    place = f"document.getElementById({json.dumps(name)}).getBoundingClientRect().top"
    assert 0 <= desktop.run(place) < 900


def test_colors_follow_the_reader_and_the_switch(desktop: Browser, page: Page):
    background = "getComputedStyle(document.body).backgroundColor"
    light = desktop.run(background)
    desktop.size(1440, 900, dark=True)
    dark = desktop.run(background)
    assert light != dark
    desktop.run("document.getElementById('theme').click()")  # automatic, then light
    assert desktop.run(background) == light
    desktop.open(page.file)
    assert desktop.run(background) == light  # it is remembered
    desktop.run("document.getElementById('theme').click()")
    desktop.size(1440, 900)
    assert desktop.run(background) == dark


def test_without_scripts_everything_can_be_read(opened: Browser, page: Page):
    opened.size(1440, 900, scripts=False)
    opened.open(page.file)
    # Scripts of the page are off; the protocol still answers about the document.
    found = opened.call("DOM.getDocument")["root"]["nodeId"]

    def visible(selector: str) -> bool:
        node = opened.call("DOM.querySelector", nodeId=found, selector=selector)["nodeId"]
        try:
            opened.call("DOM.getBoxModel", nodeId=node)
        except RuntimeError:
            return False
        return True

    assert visible("table.grid tbody tr")
    assert visible("details summary")
    assert not visible("#theme")
    assert not visible(".filters")
    opened.size(1440, 900)


def test_screenshots_have_the_size_of_their_window(desktop: Browser, page: Page, tmp_path: Path):
    take(desktop, Path(page.file), tmp_path, screens=1)
    for name, size in SIZES.items():
        pictures = [Image.open(tmp_path / f"{name}-{colors}-1.png") for colors in ("light", "dark")]
        assert [one.size for one in pictures] == [size, size]
        light, dark = (ImageStat.Stat(one.convert("L")).mean[0] for one in pictures)
        assert light > 200
        assert dark < 80


@pytest.mark.parametrize("size", SIZES)
def test_no_window_scrolls_sideways(opened: Browser, page: Page, size: str):
    opened.size(*SIZES[size])
    opened.open(page.file)
    opened.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert opened.run("document.documentElement.scrollWidth <= innerWidth") is True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "dark"), [("phone", False), ("tablet", True), ("desktop", False)], ids=str
)
def test_axe_finds_no_barrier(opened: Browser, small_page: Page, size: str, dark: bool):
    required(AXE.is_file(), "axe-core is not installed: run `make browser-tools`")
    opened.size(*SIZES[size], dark=dark)
    opened.call("Page.setBypassCSP", enabled=True)  # the page forbids all scripts but its own
    opened.open(small_page.file)
    opened.run("localStorage.clear()")
    opened.open(small_page.file)
    opened.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    opened.run(f"{AXE.read_text(encoding='utf-8')}; null")
    found = opened.run(
        "axe.run(document, {resultTypes: ['violations']}).then(one => one.violations)"
    )
    opened.call("Page.setBypassCSP", enabled=False)
    assert [(one["id"], one["help"], one["nodes"][0]["html"][:200]) for one in found] == []
