"""What was known at a date: later statements wait, earlier vintages give way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from attrition.data.inputs import IntakeSpec

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = "offense,jurisdiction,period,referral,investigation,arrest,as_of,source_id\n"
ROWS = (
    "csam,US-NE,2023,100,20,5,2024-01-31,a\n"
    "csam,US-NE,2023,,24,6,2024-07-31,a\n"
    "csam,US-NE,2023,,21,,2024-07-31,b\n"
    "csam,US-KS,2024,80,9,2,2025-01-31,a\n"
)


def _read(bench: Bench, as_of: str, excludes: list[dict[str, str]] | None = None):
    sections = {
        "as_of": as_of,
        "excludes": [*(excludes or []), {"source_id": "b", "reason": "another office"}],
    }
    panel, intake = bench.read(HEADER + ROWS, sections)
    return {(s.stage, s.period): s.count for s in panel.statements}, intake


def test_only_what_was_known_is_used(bench: Bench) -> None:
    found, intake = _read(bench, "2024-06-30")
    assert found == {("referral", "2023"): 100, ("investigation", "2023"): 20, ("arrest", "2023"): 5}
    late = [r for r in intake.records if r.status == "unused"]
    assert {r.reason for r in late} == {"not known before 2024-07-31", "not known before 2025-01-31"}
    panel, _ = bench.read(HEADER + ROWS, {"as_of": "2024-06-30"})
    assert panel.axes.jurisdiction.leaves == ("US-NE",)


def test_the_last_vintage_wins_within_a_source(bench: Bench) -> None:
    found, intake = _read(bench, "2024-12-31")
    assert found == {("referral", "2023"): 100, ("investigation", "2023"): 24, ("arrest", "2023"): 6}
    old = [r for r in intake.records if r.status == "dropped"]
    assert [(r.statement.count, r.reason) for r in old] == [
        (20, "stated again on 2024-07-31"), (5, "stated again on 2024-07-31")
    ]  # fmt: skip
    assert all(r.others for r in old)
    assert intake.counts["read"] == sum(intake.counts[s] for s in ("used", "unused", "excluded", "dropped"))


def test_an_excluded_vintage_supersedes_nothing(bench: Bench) -> None:
    found, _ = _read(bench, "2024-12-31", [{"as_of": "2024-07-31", "reason": "withdrawn"}])
    assert found["investigation", "2023"] == 20


def test_two_sources_are_not_vintages_of_each_other(bench: Bench) -> None:
    lines = bench.faults(HEADER + ROWS, {"as_of": "2024-12-31"})
    assert any("investigation" in line for line in lines)


@pytest.mark.parametrize(("written", "known"), [("2024-07", 24), ("2024", 24), ("2024-07-30", 20)])
def test_a_month_or_a_year_means_its_last_day(bench: Bench, written: str, known: float) -> None:
    found, _ = _read(bench, str(IntakeSpec(as_of=written).as_of))
    assert found["investigation", "2023"] == known
