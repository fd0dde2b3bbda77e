"""Rows that cannot all be true are all named at once, and what is settled leaves a line for every number read."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from attrition.cli import starts
from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.plan import read_plan
from attrition.estimation.verbs import validate

DOUBTFUL = {"intake.roles": ["use", "doubtful"]}
ALONE = {**DOUBTFUL, "scenario": []}
STATUSES = ("used", "unused", "excluded", "dropped")

# Source that a [[prefer]] entry names: the two rows that contradict each other without it, and what they say.
PAIRS = {
    "nc_gdn": ((325, 1364), "referral 4,930 (all, US-NC, 2019) [nc_gdn]", "referral 4,892"),
    "ga_cbs46": ((253, 258), "referral 6,651", "about 5,200 (all, US-GA, 2018, read as 5,150 to 5,249) [ga_fox5]"),
    "sd_newscenter": ((759, 760), "at least 800", "about 700 (all, US-SD, 2021, read as 650 to 749) [sd_kevn]"),
    "politiken_2018": ((616, 1328), "referral 4,000 to 5,000 (all, DK, 2017) [jp_2018]", "referral 3,437"),
    "ph_2021": ((881, 886), "referral 418,422 (all, PH, 2019) [ph_2021]", "referral 426,961"),
}  # fmt: skip
# Entries that choose between rows which can both be true: the winner, what becomes of it, and the loser, with the
# entry and without it ("at least 33,000" is no denominator).
CHOICES = {
    "nds_2022": ((118, "used", 157), (157, "used", 118)),
    "accce_4y": ((197, "used", 1307), (1307, "unused", 197)),
}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled plan of the published evidence."""
    folder = tmp_path_factory.mktemp("evidence")
    starts.write_start(starts.public_evidence(), folder)
    return folder / "plan.toml"


@pytest.fixture(scope="module")
def prefers(evidence: Path) -> list[dict[str, Any]]:
    """Its ``[[prefer]]`` entries."""
    return list(tomllib.loads(evidence.read_text(encoding="utf-8"))["prefer"])


@pytest.fixture(scope="module")
def routing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled plan of what becomes of a report."""
    folder = tmp_path_factory.mktemp("routing")
    starts.write_start(starts.routing(), folder)
    return folder / "plan.toml"


@pytest.fixture(scope="module")
def bound(evidence: Path, routing: Path) -> dict[str, Bound]:
    """The bundled plans bound to their data."""
    return {
        "evidence": bind_plan(read_plan(evidence)),
        "doubtful": bind_plan(read_plan(evidence, DOUBTFUL)),
        "routing": bind_plan(read_plan(routing)),
    }


def faults(plan: Path, patches: dict[str, Any]) -> list[str]:
    return [problem.line() for problem in validate(read_plan(plan, patches)).problems]


def rows_named(line: str) -> tuple[int, ...]:
    where, _, _ = line.partition(": two rows disagree")
    return tuple(int(row) for row in re.findall(r"public_counts\.csv, row (\d+)", where))


def without(prefers: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    rest = [entry for entry in prefers if entry["source_id"] != source]
    assert len(rest) == len(prefers) - 1
    return rest


def accounted(bound: Bound, row: int) -> dict[str, Any]:
    (line,) = [s for s in bound.intake.to_dict()["statements"] if s["row"] == row]
    return line


# ---- The published evidence: contradictions ----


def test_the_entries_are_those_told_of_here(prefers: list[dict[str, Any]]) -> None:
    assert [entry["source_id"] for entry in prefers] == [*PAIRS, *CHOICES]


def test_every_pair_is_named_at_once_when_nothing_is_preferred(evidence: Path) -> None:
    lines = faults(evidence, {**DOUBTFUL, "prefer": []})
    found = {rows_named(line): line for line in lines}
    assert set(found) == {rows for rows, *_ in PAIRS.values()}
    assert len(lines) == len(PAIRS)
    for rows, *said in PAIRS.values():
        first, second = (f"public_counts.csv, row {row}" for row in rows)
        what, what_was_found, allowed, do = found[rows].split("; ")
        assert what == f"{first} and {second}, column count: two rows disagree"
        assert all(text in what_was_found for text in said)
        assert allowed == "allowed: one count for one cell, stage and period"
        assert do == "correct one, [[exclude]] it, or [[prefer]] a source"


def test_the_scenario_that_lets_doubtful_rows_in_names_them_too(evidence: Path) -> None:
    """The plan as it is written, less its [[prefer]] entries: its own numbers agree, those of a scenario do not."""
    scenario = {"name": "doubtful rows in", "reason": "r", "set": DOUBTFUL}
    lines = faults(evidence, {"prefer": [], "scenario": [scenario]})
    assert all(line.startswith("scenario 'doubtful rows in', ") for line in lines)
    assert sorted(map(rows_named, lines)) == sorted(rows for rows, *_ in PAIRS.values())


@pytest.mark.parametrize("source", PAIRS)
def test_each_preference_settles_its_own_pair(
    evidence: Path, prefers: list[dict[str, Any]], bound: dict[str, Bound], source: str
) -> None:
    (line,) = faults(evidence, {**ALONE, "prefer": without(prefers, source)})
    rows, *_ = PAIRS[source]
    assert rows_named(line) == rows
    ends = [accounted(bound["doubtful"], row) for row in rows]
    kept, lost = sorted(ends, key=lambda end: end["source_id"] != source)
    assert kept["source_id"] == source
    assert kept["status"] != "dropped"
    assert (lost["status"], lost["others"]) == ("dropped", [kept["id"]])
    assert lost["reason"].startswith(
        f"contradicts public_counts.csv, row {kept['row']}, which is preferred: "
    )
    # Without the doubtful rows there is nothing to settle.
    assert accounted(bound["evidence"], lost["row"])["reason"] == "its role is doubtful"


@pytest.mark.parametrize("source", CHOICES)
def test_a_preference_between_rows_that_can_both_be_true_chooses(
    evidence: Path, prefers: list[dict[str, Any]], bound: dict[str, Bound], source: str
) -> None:
    """136,437 is among what "about 136,500" says; a fiscal year is another twelve months than a calendar year."""
    other = bind_plan(read_plan(evidence, {**ALONE, "prefer": without(prefers, source)}))
    for found, (kept, status, lost) in zip((bound["doubtful"], other), CHOICES[source], strict=True):
        winner, loser = accounted(found, kept), accounted(found, lost)
        assert (winner["status"], winner["others"]) == (status, [])
        assert loser["status"] in ("dropped", "unused")
        assert loser["others"] == [winner["id"]]
        assert "contradicts" not in loser["reason"]
        assert f"public_counts.csv, row {kept}" in loser["reason"]


# ---- The published evidence: nothing vanishes ----


@pytest.mark.parametrize("name", ["evidence", "doubtful", "routing"])
def test_every_row_has_one_line_in_the_account(bound: dict[str, Bound], name: str) -> None:
    file, last = ("routing.csv", 17) if name == "routing" else ("public_counts.csv", 1429)
    plan = bound[name].plan
    text = (plan.folder / file).read_text(encoding="utf-8")
    assert len(text.splitlines()) == last
    kept = bound[name].intake.to_dict()
    lines = kept["statements"]
    assert Counter((line["file"], line["row"]) for line in lines) == Counter(
        (file, row) for row in range(2, last + 1)
    )
    counts = kept["counts"]
    assert counts["read"] == last - 1 == sum(counts[status] for status in STATUSES)
    assert counts == {"read": len(lines), **{s: sum(line["status"] == s for line in lines) for s in STATUSES}}


@pytest.mark.parametrize("name", ["evidence", "doubtful", "routing"])
def test_what_is_used_is_read_by_a_kind_and_what_is_not_has_a_reason(
    bound: dict[str, Bound], name: str
) -> None:
    found = bound[name]
    reached = {d.statement: d.action for d in found.blueprint.analysis.decisions}
    mix = {s.id for s in found.panel.mix}
    for line in found.intake.to_dict()["statements"]:
        if line["status"] == "used":
            assert line["kinds"], line["row"]
            assert line["id"] in mix or reached[line["id"]] in ("used", "residual", "known")
        else:
            assert line["reason"], line["row"]
            assert line["id"] not in reached or reached[line["id"]] in ("unused", "dropped")


@pytest.mark.parametrize(
    ("name", "told"), [("evidence", "the plan"), ("doubtful", "doubtful rows in"), ("routing", "`routing`")]
)
def test_the_guide_gives_the_account_as_it_is(bound: dict[str, Bound], name: str, told: str) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "public-evidence.md").read_text(encoding="utf-8")
    counts = bound[name].intake.counts
    assert f"| {told} | {' | '.join(f'{counts[s]:,}' for s in ('read', *STATUSES))} |" in guide


# ---- Contradictions that different layers find ----

PLAN = """format = 1
name = "two layers"
[funnel]
stages = ["referral", "arrest"]
[[input]]
file = "data.csv"
as_of = "2025-01-31"
"""
HEADER = "offense,jurisdiction,period,referral,arrest,source_id,clock\n"
AGREED = "theft,North,2024,100,20,a,period\nfraud,North,2024,50,10,a,period\ntheft,South,2024,70,9,a,period\n"
DISAGREE = "theft,South,2024,80,,b,period\n"
ABOVE = "all,North,2024,,40,b,period\n"


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (DISAGREE, ["two rows disagree"]),
        (ABOVE, ["arrest total is above the sum of its parts"]),
        (DISAGREE + ABOVE, ["two rows disagree", "arrest total is above the sum of its parts"]),
    ],
    ids=["reading", "reduction", "both"],
)
def test_what_reading_finds_does_not_hide_what_reduction_finds(
    tmp_path: Path, more: str, named: list[str]
) -> None:
    """A total above all of its parts is seen only where the parts are known to be all: after the reading."""
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "data.csv").write_text(HEADER + AGREED + more)
    lines = faults(tmp_path / "plan.toml", {})
    assert [line.split(": ", 1)[1].split(";")[0] for line in lines] == named


def test_a_contradiction_is_not_told_with_what_only_follows_from_setting_rows_aside(tmp_path: Path) -> None:
    """Without the disputed denominators no number says anything of a rate; that is no fault of the data."""
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "data.csv").write_text(HEADER + "theft,South,2024,70,9,a,period\n" + DISAGREE)
    (line,) = faults(tmp_path / "plan.toml", {})
    assert "two rows disagree" in line
