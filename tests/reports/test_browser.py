"""The page opened in a browser: it complains of nothing, sorts, filters, switches scenario, and needs none of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .browser import CHROMIUM, Browser
from .conftest import Evidence, Written
from .reading import number

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: the page was not opened in a browser"
)
ROWS = "tbody:not([hidden]) tr:not([hidden]):not(.head) th"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def names(browser: Browser, table: str) -> list[str]:
    return browser.evaluate(f"[...document.querySelectorAll('#{table} {ROWS}')].map(c => c.innerText)")


def click(browser: Browser, table: str, column: int) -> None:
    browser.evaluate(f"document.querySelector('#{table} th[data-column=\"{column}\"] button').click()")


def test_the_console_stays_silent_and_nothing_is_fetched(
    browser: Browser, written: Written, evidence: Evidence
) -> None:
    for one in (written, evidence):
        browser.open(one.files["html"])
        assert browser.evaluate("document.querySelectorAll('button.sort').length") > 20
    assert browser.complaints == []
    assert {address.partition(":")[0] for address in browser.requests} == {"file"}
    assert len(browser.requests) == 2


def test_a_complaint_would_be_heard(browser: Browser, written: Written) -> None:
    browser.open(written.files["html"])
    before = len(browser.complaints)
    browser.evaluate("console.error('heard')")
    browser.evaluate("1")
    assert len(browser.complaints) == before + 1
    browser.complaints.clear()


def test_a_table_sorts_within_its_blocks_and_goes_back(browser: Browser, written: Written) -> None:
    browser.open(written.files["html"])
    medians = (
        "[...document.querySelectorAll('#answer tbody tr')].map(r => r.classList.contains('head') ? null : "
        "r.cells[1].colSpan > 1 ? '' : r.cells[1].innerText)"
    )
    original = browser.evaluate(medians)
    for sign in (1, -1):
        click(browser, "answer", 1)
        shown = browser.evaluate(medians)
        assert [v is None for v in shown] == [v is None for v in original]
        assert sorted(v or "" for v in shown) == sorted(v or "" for v in original)
        assert shown != original
        block: list[str] = []
        for value in [*shown, None]:
            if value is not None:
                block.append(value)
                continue
            known = [sign * number(v) for v in block if v]
            assert known == sorted(known)
            assert all(v == "" for v in block[len(known) :])
            block = []
    assert browser.evaluate("document.querySelector('#answer th[aria-sort]').ariaSort") == "descending"
    click(browser, "answer", 1)
    assert browser.evaluate(medians) == original


def test_the_filter_keeps_what_matches_and_print_keeps_everything(browser: Browser, written: Written) -> None:
    browser.open(written.files["html"])
    browser.evaluate("document.querySelector('#jurisdictions').closest('details')?.setAttribute('open', '')")
    every = names(browser, "jurisdictions")
    field = "document.querySelector('#jurisdictions').closest('.scroll').previousElementSibling.querySelector('input')"
    browser.evaluate(f"{field}.value = 'place 03'; {field}.dispatchEvent(new Event('input'))")
    kept = names(browser, "jurisdictions")
    assert kept == [name for name in every if name == "Place 03"]
    assert 0 < len(kept) < len(every)
    assert f"{len(kept)} of {len(every)} rows" in browser.evaluate(f"{field}.closest('.tools').innerText")
    browser.send("Emulation.setEmulatedMedia", media="print")
    drawn = "[...document.querySelectorAll('#jurisdictions tbody tr:not(.head)')].filter(r => r.offsetHeight).length"
    assert browser.evaluate(drawn) == len(every)


def test_the_scenario_switch_shows_each_scenario_and_goes_back(browser: Browser, evidence: Evidence) -> None:
    browser.open(evidence.files["html"])
    cell = "[...document.querySelectorAll('#front tbody:not([hidden]) tr')][0].cells[1].innerText"
    published = browser.evaluate(cell)
    choose = (
        "document.querySelector('#front').closest('.scroll').previousElementSibling.querySelector('select')"
    )
    offered = browser.evaluate(f"[...{choose}.options].map(o => o.value)")
    assert offered == ["", *(entry["name"] for entry in evidence.run.scenarios)]
    browser.evaluate(f"{choose}.value = 'spread doubled'; {choose}.dispatchEvent(new Event('change'))")
    table = evidence.run.sensitivity
    assert table is not None
    first = table[
        (table["scenario"] == "spread doubled")
        & (table["step"] == "referral-investigation")
        & (table[["offense", "jurisdiction", "period"]] == "all").all(axis=1)
    ].iloc[0]
    told = browser.evaluate(cell)
    assert number(told.split()[0]) == pytest.approx(first["value"], abs=0.0006)
    assert "published: " in told
    assert "90 %: " in told
    assert "the prior is a judgement" in browser.evaluate(f"{choose}.closest('.tools').innerText")
    browser.evaluate(f"{choose}.value = ''; {choose}.dispatchEvent(new Event('change'))")
    assert browser.evaluate(cell) == published


def test_every_figure_has_its_words_and_its_csv(
    browser: Browser, written: Written, evidence: Evidence
) -> None:
    for one in (written, evidence):
        browser.open(one.files["html"])
        labels = browser.evaluate(
            "[...document.querySelectorAll('figure svg[role=img]')].map(s => s.ariaLabel)"
        )
        assert len(labels) == browser.evaluate("document.querySelectorAll('figure').length") > 3
        assert all(len(label) > 40 for label in labels)
        files = browser.evaluate("[...document.querySelectorAll('figure')].map(f => f.dataset.table)")
        assert all((one.files["tables"] / name).stat().st_size > 0 for name in files)


def test_the_keyboard_reaches_and_sorts(browser: Browser, written: Written) -> None:
    browser.open(written.files["html"])
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    browser.evaluate("document.querySelector('#answer th[data-column=\"1\"] button').focus()")
    browser.press("Enter", "\r")
    assert browser.evaluate("document.activeElement.closest('th').ariaSort") == "ascending"
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert browser.evaluate(ring) == "solid"


def test_the_page_is_complete_without_script(browser: Browser, evidence: Evidence) -> None:
    browser.open(evidence.files["html"])
    with_script = names(browser, "front")
    browser.open(evidence.files["html"], script=False)
    assert names(browser, "front") == with_script
    assert browser.evaluate("document.querySelectorAll('.tools, button').length") == 0


@pytest.mark.parametrize("width", [320, 390, 800, 1400])
def test_nothing_is_wider_than_its_window(browser: Browser, evidence: Evidence, width: int) -> None:
    browser.open(evidence.files["html"], width)
    assert browser.evaluate("document.scrollingElement.scrollWidth") <= width
    assert (
        browser.evaluate("[...document.querySelectorAll('tbody[data-variant]')].map(b => b.offsetHeight)")
        == [0] * 3
    )
