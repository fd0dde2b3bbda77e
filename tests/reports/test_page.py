"""The page is whole, self-contained, escaped, and readable by keyboard and in greyscale."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from attrition.estimation.store.beside import write_notes
from attrition.estimation.store.runs import Run
from attrition.reports import canvas, plan
from attrition.reports.figures import known
from attrition.reports.page import page
from attrition.reports.plan import build_document
from attrition.reports.templates.reading import read_template
from attrition.reports.typeset import as_data
from attrition.reports.view import View

from .conftest import Written


def test_sections_stand_in_the_order_readers_need(written: Written) -> None:
    expected = [
        "The answer", "What each number rests on", "What changed", "What may be said", "The funnel",
        "By jurisdiction",
        "Contradictions, and what was left out", "Over time", "What is known",
        "Prior against posterior", "Predictive checks", "Checks and diagnostics", "What this cannot tell you",
        "Methods", "Sources", "What was read",
    ]  # fmt: skip
    assert [section.title for section in written.document.sections] == expected
    assert written.document.incomplete == ()
    assert "incomplete" not in written.files


def test_every_figure_has_words_a_file_and_the_table_behind_it(written: Written) -> None:
    figures = written.document.figures
    assert len(figures) >= 9
    for figure in figures:
        assert len(figure.alt) > 40
        svg = (written.files["figures"] / f"{figure.id}.svg").read_text(encoding="utf-8")
        root = ET.fromstring(svg)
        described = root.find("{http://www.w3.org/2000/svg}desc")
        assert described is not None
        assert described.text == figure.alt
        table = pd.read_csv(written.files["tables"] / f"{figure.table.id}.csv")
        assert len(table) == len(figure.table.data) > 0
    labels = [a["aria-label"] for tag, a in written.page.elements if tag == "svg"]
    assert labels == [figure.alt for figure in figures]


def test_nothing_is_loaded_from_anywhere(written: Written) -> None:
    for tag, attributes in written.page.elements:
        assert tag not in ("link", "iframe", "img", "object", "base")
        for name in ("src", "srcset", "poster", "data", "action"):
            assert name not in attributes, (tag, name)
        if "xlink:href" in attributes:
            assert attributes["xlink:href"].startswith("#")
    assert not re.search(r"@import|url\((?!#)", written.html)
    outside = [link for link in written.page.links if not link.startswith("#")]
    assert set(outside) == {"https://example.org/annual?a=1&b=2"}


def test_the_plan_s_notes_stand_before_the_first_number(written: Written, tmp_path: Path) -> None:
    run = Run(Path(shutil.copytree(written.run.folder, tmp_path / "run")))
    note = {"text": "Intervals are <too> narrow.", "source": "docs/x.md", "date": "2026-11-26"}
    write_notes(run.folder, [note])
    document = build_document(View(run))
    text = page(document)
    said = "Intervals are &lt;too&gt; narrow. (docs/x.md, 2026-11-26)"
    answer = text[text.index('id="section-answer"') :]
    assert 0 < answer.index(said) < answer.index("<table")
    tones = [b.get("tone") for b in as_data(document)["sections"][0]["blocks"]]
    assert "caveat" in tones
    write_notes(run.folder, [])
    assert said not in page(build_document(View(Run(run.folder))))


def test_ids_are_unique_and_every_inner_link_leads_somewhere(written: Written) -> None:
    twice = [name for name, n in Counter(written.page.ids).items() if n > 1]
    assert twice == []
    for link in written.page.links:
        if link.startswith("#"):
            assert link[1:] in written.page.ids, link


def test_text_from_the_data_is_never_markup(written: Written) -> None:
    assert "Grouped &lt;offenses&gt;" in written.html
    assert "<offenses>" not in written.html
    assert "javascript:" not in written.html


def test_boxes_that_scroll_can_be_reached_by_keyboard(written: Written) -> None:
    boxes = [a for t, a in written.page.elements if t == "div" and a.get("class") in ("scroll", "plot")]
    assert len(boxes) > 15
    for box in boxes:
        assert box["tabindex"] == "0"
        assert box["role"] == "region"
        assert box["aria-label"]
    links = [a for t, a in written.page.elements if t == "a"]
    assert links[0]["href"] == "#main"
    headings = [t for t, _ in written.page.elements if t in ("h1", "h2", "h3")]
    assert headings.count("h1") == 1
    assert ("html", {"lang": "en"}) in written.page.elements


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, two: str) -> float:
    high, low = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("text", ["ink", "soft", "accent", "warn"])
@pytest.mark.parametrize("ground", ["paper", "pale", "warn-paper"])
def test_every_text_color_has_contrast_enough(text: str, ground: str) -> None:
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", read_template("page.css")))
    assert _contrast(colors[text], colors[ground]) >= 4.5


def test_figures_are_told_apart_without_color() -> None:
    assert _contrast(canvas.MID, "#ffffff") >= 4.5
    lightness = [_luminance(look["facecolor"]) ** (1 / 2.2) for look in known.LOOKS]
    hatches = [look.get("hatch") for look in known.LOOKS]
    for (a, h), (b, g) in pairwise(zip(lightness, hatches, strict=True)):
        assert h != g or abs(a - b) > 0.15
    assert lightness == sorted(lightness)


def test_numbers_in_sentences_lead_to_their_row_or_table(written: Written) -> None:
    paragraphs = re.findall(r'<p class="said">(.*?)</p>', written.html, flags=re.S)
    assert len(paragraphs) > 10
    rates = [p for p in paragraphs if "90 % interval" in p]
    assert rates
    assert all('href="#' in p for p in rates)


def test_a_failed_check_stands_with_the_numbers(written: Written) -> None:
    answer = written.html[
        written.html.index('id="section-answer"') : written.html.index('id="section-change"')
    ]
    assert answer.index("Check failed, ppc_zeros") < answer.index('<table id="answer"')
    assert "1 check failed (ppc_zeros)" in written.html[: written.html.index('id="section-answer"')]


def test_the_report_of_a_scenario_says_so_before_anything_else(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "section_modules", lambda: ())
    run = Run(Path(shutil.copytree(written.run.folder, tmp_path / "run")))
    entry = (
        '[[scenario]]\nname = "wide <b>priors</b>"\nreason = "a judgement."\nset = {"prior.spread" = 2.0}\n'
    )
    (run.folder / "plan.toml").write_text(entry, encoding="utf-8")
    own = page(build_document(View(run)))
    blueprint = run.blueprint | {"patches": {"prior.spread": 2.0}}
    (run.folder / "blueprint.json").write_text(json.dumps(blueprint), encoding="utf-8")
    document = build_document(View(Run(run.folder)))
    assert document.title == "made-up, scenario: wide <b>priors</b>"
    text = page(document)
    said = "Scenario: wide &lt;b&gt;priors&lt;/b&gt; – a judgement. Not the plan&#39;s own run."
    head = text[: text.index("</header>")]
    assert head.count(said) == 1
    assert head.index(said) < head.index("check failed")
    assert "<title>made-up, scenario: wide &lt;b&gt;priors" in head
    assert "scenario" not in own[: own.index("</header>")].lower().split("</style>")[1]
    assert as_data(document)["warnings"][0]["text"].startswith("Scenario: wide")
