"""Synthetic runs and their reports, written once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from attrition.estimation.store.runs import Run
from attrition.reports.document import Document
from attrition.reports.plan import build_document
from attrition.reports.render import write_report
from attrition.reports.view import View

from .evidence_world import nested, write_evidence
from .reading import Page, read_page
from .world import World, write_world


@dataclass(frozen=True)
class Written:
    """A run, its report as a document, and as files."""

    run: Run
    view: View
    document: Document
    files: dict[str, Path]
    html: str
    page: Page


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The default world with one failed check, as HTML and PDF."""
    folder = write_world(tmp_path_factory.mktemp("runs"), World(failed_check=True))
    run = Run(folder)
    view = View(run)
    files = write_report(run, ("html", "pdf"))
    text = files["html"].read_text(encoding="utf-8")
    return Written(run, view, build_document(view), files, text, read_page(text))


@dataclass(frozen=True)
class Evidence(Written):
    """The same for the run of published evidence, with its front table as nested values."""

    front: dict[str, Any]


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A run as of published evidence, as HTML and PDF."""
    run = Run(write_evidence(tmp_path_factory.mktemp("evidence")))
    view = View(run)
    files = write_report(run, ("html", "pdf"))
    text = files["html"].read_text(encoding="utf-8")
    front = nested(files["tables"])
    return Evidence(run, view, build_document(view), files, text, read_page(text), front)
