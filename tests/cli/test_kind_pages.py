"""The pages of the kinds: up to date, and examples that can be pasted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from attrition.cli.kindpages import kind_page, kind_pages
from attrition.estimation.verbs import validate
from attrition.models import catalogue

PAGES = Path(__file__).resolve().parents[2] / "docs" / "kinds"
AGAIN = "run: attrition kinds --pages docs/kinds"


def test_pages_are_up_to_date():
    wanted = kind_pages(catalogue.kinds())
    assert {path.name for path in PAGES.iterdir()} == set(wanted), AGAIN
    for name, text in wanted.items():
        assert (PAGES / name).read_text(encoding="utf-8") == text, AGAIN


@pytest.mark.parametrize("kind", catalogue.kinds(), ids=lambda kind: kind.name)
def test_the_example_as_pasted_is_read_by_its_kind(kind, tmp_path):
    blocks = re.findall(r"`([\w.]+)`[^\n]*:\n\n```\w+\n(.*?)```", kind_page(kind), re.DOTALL)
    assert [name for name, _ in blocks][-2:] == ["data.csv", "plan.toml"]
    for name, text in blocks:
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = validate(tmp_path / "plan.toml")
    assert found.problems == []
    assert kind.name in {one["kind"] for one in found.blueprint["kinds"]}


def test_the_command_writes_them(shell, tmp_path):
    answer = shell("kinds", "--pages", tmp_path / "new")
    assert answer.code == 0
    assert "exact" in answer.out
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(kind_pages(catalogue.kinds()))
