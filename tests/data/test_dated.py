"""Counts of one cohort at several dates, where a plan says that the date matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Bench

HEADER = "offense,jurisdiction,period,referral,investigation,as_of\n"
TWO = HEADER + "csam,US,2024,100,20,2024-12-31\ncsam,US,2024,,30,2025-12-31\n"
STEP = {"funnel": {"stages": ("referral", "investigation")}}
DATED: dict[str, Any] = {**STEP, "vintages": True}
Look = Callable[..., str]


def test_a_later_count_is_no_rival(bench: Bench) -> None:
    panel, _ = bench.read(TWO, DATED)
    assert panel.dated
    assert [s.count for s in panel.statements if s.stage == "investigation"] == [20, 30]


def test_unless_the_date_does_not_matter(one_fault: Look) -> None:
    assert "two rows disagree" in one_fault(TWO, STEP)


def test_a_count_stated_again_is_told_how_the_last_counts(one_fault: Look, bench: Bench) -> None:
    assert 'as_of = "2025-12-31" in [intake]' in one_fault(TWO, STEP)
    panel, _ = bench.read(TWO, {**STEP, "as_of": "2025-12-31"})
    assert [s.count for s in panel.statements if s.stage == "investigation"] == [30]
    assert "[intake]" not in one_fault(TWO.replace("2025-12-31", "2024-12-31"), STEP)


def test_two_counts_of_one_date_are_rivals_still(one_fault: Look) -> None:
    line = one_fault(TWO.replace("2025-12-31", "2024-12-31"), DATED)
    assert line.startswith("data.csv, row 2 and data.csv, row 3, column investigation: two rows disagree")


def test_referrals_of_two_dates_are_rivals_still(one_fault: Look) -> None:
    assert "two rows disagree" in one_fault(TWO.replace("2024,,30", "2024,110,30"), DATED)


def test_each_date_is_held_against_the_referrals(one_fault: Look) -> None:
    line = one_fault(TWO.replace(",,30,", ",,130,"), DATED)
    assert "investigation above referral" in line
    assert "investigation 130" in line


def test_the_date_is_part_of_the_facts(bench: Bench) -> None:
    def digest(text: str, sections: dict[str, Any]) -> str:
        return bench.read(text, sections)[0].digest()

    one = HEADER + "csam,US,2024,100,20,2024-12-31\n"
    other = one.replace("2024-12-31", "2025-12-31")
    assert digest(one, STEP) == digest(other, STEP)
    assert digest(one, DATED) != digest(other, DATED)
