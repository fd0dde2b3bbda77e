"""Files: the same bytes each time, formats, and what is said when something cannot be made."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from attrition.data.errors import InputError
from attrition.estimation.store.runs import Run
from attrition.reports import plan
from attrition.reports.document import Cell, Column, Document, Row, Section, Table
from attrition.reports.figures import answer as answer_figure
from attrition.reports.render import write_report
from attrition.reports.sections import answer, change, intake, limits, sources
from attrition.reports.sentences import Sentence
from attrition.reports.typeset import EM, INSET, as_data
from attrition.reports.view import View

from ..loaded import loaded_by
from .conftest import Written


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_same_run_gives_the_same_bytes(written: Written, tmp_path: Path) -> None:
    write_report(Run(written.run.folder), ("html", "pdf"), tmp_path / "again")
    first, second = _bytes(written.files["html"].parent), _bytes(tmp_path / "again")
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []
    assert {"index.html", "report.pdf", "tables.xlsx", "tables/answer.csv"} <= set(first)


def test_the_pdf_is_a_pdf_with_words_for_its_figures(written: Written) -> None:
    made = written.files["pdf"].read_bytes()
    assert made.startswith(b"%PDF-")
    assert b"pdfuaid" in made
    assert made.count(b"/Alt") >= len(written.document.figures)


def test_the_workbook_has_a_sheet_a_table(written: Written) -> None:
    book = openpyxl.load_workbook(written.files["xlsx"])
    assert len(book.sheetnames) == 1 + len(written.document.tables)
    sheet = book["answer"]
    table = next(t for t in written.document.tables if t.id == "answer")
    assert [c.value for c in sheet[1]] == list(table.data.columns)
    assert sheet.max_row == 1 + len(table.data)


def test_an_unknown_format_is_refused_before_anything_is_written(written: Written, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'html'"):
        write_report(written.run, ("htlm",), tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_figure_that_fails_says_so_in_its_place(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no <ink> left")

    monkeypatch.setattr(answer, "draw", broken)
    monkeypatch.setattr(plan, "section_modules", lambda: (answer, change))
    files = write_report(written.run, ("html", "pdf"), tmp_path)
    page = files["html"].read_text(encoding="utf-8")
    section = page[page.index('id="section-answer"') : page.index('id="section-change"')]
    assert (
        "The figure of rates by offense could not be produced:</strong> RuntimeError: no &lt;ink&gt; left"
        in section
    )
    assert '<table id="answer"' in section
    assert page.index("This report is incomplete") < page.index("<main")
    assert "RuntimeError: no <ink> left" in files["incomplete"].read_text(encoding="utf-8")
    assert not (files["figures"] / f"{answer_figure.ID}.svg").exists()
    assert files["pdf"].exists()


def test_a_section_that_fails_does_not_take_the_others_along(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(view: View) -> Section:
        raise KeyError("url")

    monkeypatch.setattr(sources, "build", broken)
    monkeypatch.setattr(plan, "section_modules", lambda: (change, sources, intake))
    document = plan.build_document(View(written.run))
    assert [section.title for section in document.sections] == ["What changed", "Sources", "What was read"]
    assert document.incomplete == ("Sources: this section (KeyError: 'url')",)


def test_a_sentence_that_fails_says_so(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(view: View, threshold: float) -> list[dict[str, str]]:
        raise ValueError("nothing to say")

    monkeypatch.setattr(limits, "SENTENCES", (Sentence("broken", "{x}", broken),))
    monkeypatch.setattr(plan, "section_modules", lambda: (limits,))
    document = plan.build_document(View(written.run))
    assert document.incomplete == (
        "What this cannot tell you: the sentence “broken” (ValueError: nothing to say)",
    )


def test_a_format_that_fails_is_named_on_the_page(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise OSError("disk full")

    monkeypatch.setattr("attrition.reports.files.typeset", broken)
    monkeypatch.setattr(plan, "section_modules", lambda: (sources,))
    files = write_report(written.run, ("pdf", "html"), tmp_path)
    assert "pdf" not in files
    assert not (tmp_path / "report.pdf").exists()
    assert "the PDF could not be produced: OSError: disk full" in files["html"].read_text(encoding="utf-8")
    assert "incomplete" in files


def test_a_report_needs_no_model_and_no_network() -> None:
    loaded = loaded_by("import attrition.reports.render")
    assert not loaded & {"pymc", "pytensor", "attrition.models", "requests"}


def test_a_text_over_several_columns_asks_for_none_of_them() -> None:
    """Room in print: numbers get what they are long, titles stand in three lines at most where their words allow."""
    long = "not published: too much of the denominator is of places that report no outcome"
    rows = (
        Row((Cell("a heading that is longer than anything below it"),), head=True),
        Row((Cell("All"), Cell(long, span=2), Cell("x"))),
        Row((Cell("One"), Cell("0.1"), Cell("0.01 to 0.20"), Cell("y"))),
    )
    titles = ("Offense", "median", "90 % interval", "Probability of an increase")
    columns = tuple(Column(title, "right" if k else "left") for k, title in enumerate(titles))
    table = Table("t", "T", columns, rows, pd.DataFrame())
    told = as_data(Document("t", "s", (), (Section("s", "S", (table,)),)))
    widths = [column["width"] for column in told["sections"][0]["blocks"][0]["columns"]]
    assert widths == [EM * n + INSET for n in (7, 6, 12, 11)]  # (Probability is one word of eleven letters)
