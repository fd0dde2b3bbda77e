"""One catalogue holds the words: a second language switches all of them, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import attrition.reports
from attrition.data.errors import InputError
from attrition.data.names import LABELS
from attrition.reports.document import Document, Figure, Paragraph, Table
from attrition.reports.page import page
from attrition.reports.plan import build_document
from attrition.reports.templates.reading import read_template
from attrition.reports.typeset import as_data
from attrition.reports.view import View
from attrition.reports.wording import LANGUAGE, english, read_words, say, speaking, spoken

from .conftest import Evidence, Written

MARK = "‡"
PSEUDO = {text: text if text == LANGUAGE else text + MARK for text in english()}
SOURCES = sorted(Path(attrition.reports.__path__[0]).rglob("*.py"))
WORD = re.compile(r"[A-Za-z]{3,}")


def constants() -> set[str]:
    """Every string of the sources and of the page's template."""
    found = set(re.findall(r'say\("([^"]*)"\)', read_template("page.html.j2") + read_template("report.typ")))
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def said_in_sources() -> set[str]:
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.add(first.value)
    return found


def test_the_catalogue_holds_what_the_code_says_and_nothing_else() -> None:
    assert all(text == said for text, said in english().items())
    assert said_in_sources() - set(english()) == set()
    known = constants() | {text + "s" for text in constants()} | set(LABELS)
    assert set(english()) - known == set()


def own(view: View) -> set[str]:
    """Words of the plan: its stages, steps and nodes."""
    nodes = {node.label for axis in view.axes.values() for node in axis.nodes}
    return nodes | set(view.stages) | {step.title for step in view.steps}


def fixed(document: Document) -> Iterator[str]:
    """Headings, columns, labels, notes, captions and sentences of the sections that the catalogue knows.

    A section is one file: one that is new reads English in every language until the catalogue has its words.
    """
    yield from (name for name, _ in document.facts)
    known = [section for section in document.sections if MARK in section.title]
    assert len(known) >= 15
    for section in known:
        for block in section.blocks:
            if isinstance(block, Paragraph) and block.tone == "said":
                yield block.text
            if isinstance(block, Paragraph) and block.link:
                yield block.link_text
            if isinstance(block, Figure):
                yield from (block.title, block.alt, block.caption)
                drawn = re.findall(r">\s*([^<>]*[^<>\s])\s*</text>", block.svg)
                yield from (text for text in drawn if text in english())
            table = block.table if isinstance(block, Figure) else block
            if isinstance(table, Table):
                yield table.title
                yield from table.notes
                for column in table.columns:
                    yield from (column.title, column.group)


@pytest.mark.parametrize("world", ["written", "evidence"])
def test_a_second_language_switches_all_of_them(world: str, written: Written, evidence: Evidence) -> None:
    one = {"written": written, "evidence": evidence}[world]
    with speaking(PSEUDO):
        document = spoken(build_document(one.view))
        text = page(document)
        printed = as_data(document)
    theirs = own(one.view)
    left = [text for text in fixed(document) if WORD.search(text) and MARK not in text and text not in theirs]
    assert left == []
    buttons = re.search(r'<script id="words"[^>]*>(.*?)</script>', text)
    assert buttons is not None
    assert buttons.group(1).count("\\u2021") == 5
    labels = [line for line in re.findall(r'<span class="badge">(.*?)</span>', text) if MARK not in line]
    assert labels == []
    assert f"Skip to the report{MARK}" in text
    assert sum(MARK in section["title"] for section in printed["sections"]) >= 15


def test_only_the_words_change(written: Written, evidence: Evidence) -> None:
    for one in (written, evidence):
        with speaking(PSEUDO):
            text = page(spoken(build_document(one.view)))
        plain = text.replace(MARK, "").replace("\\u2021", "")
        assert plain == one.html


def test_outside_a_language_there_is_english() -> None:
    with speaking({"median": "Zentralwert", "{low} to {high}": "{low} bis {high}"}):
        assert (say("median"), say("{low} to {high}").format(low=1, high=2)) == ("Zentralwert", "1 bis 2")
        assert say("a text that nobody translated") == "a text that nobody translated"
    assert say("median") == "median"


def test_faults_of_a_translation_are_named(tmp_path: Path) -> None:
    path = tmp_path / "words.toml"
    path.write_text('[columns]\n"mediam" = "x"\n"{low} to {high}" = "{low} bis"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_words(path)
    lines = [problem.line() for problem in caught.value.problems]
    assert len(lines) == 2
    assert "'mediam'" in lines[0]
    assert "median" in lines[0]
    assert "high, low" in lines[1]
    path.write_text('[columns]\n"median" = "Zentralwert"\n', encoding="utf-8")
    assert read_words(path) == {"median": "Zentralwert"}


def test_a_document_in_english_is_left_alone(written: Written) -> None:
    assert spoken(written.document) == replace(written.document)
