"""Classes of units: which a stage counts, and what becomes of statements that count something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from attrition.data.funnel import Funnel
from attrition.data.inputs import FunnelSpec

if TYPE_CHECKING:
    from .conftest import Bench

STAGES = ("referral", "investigation", "arrest")
HEADER = "jurisdiction,period_start,period_end,offense,stage,relation,count,unit,origin,clock\n"
TABLE = "unit,class\ntips,report\ncases,case\nsuspects,person\nwarrants,other\n"
LONG: dict[str, Any] = {
    "funnel": {"stages": STAGES, "units": {"investigation": ["case", "person"], "arrest": "person"}},
    "inputs": [{"file": "data.csv", "form": "long", "units": "units.csv"}],
}
Look = Callable[..., str]


def rows(*parts: str) -> str:
    """Rows of North in 2024: ``stage,relation,count,unit`` each."""
    return HEADER + "".join(f"N,2024-01-01,2024-12-31,all,{part},referred_only,period\n" for part in parts)


def test_each_statement_carries_the_class_of_its_unit(bench: Bench) -> None:
    bench.write("units.csv", TABLE)
    panel, intake = bench.read(
        rows("referral,exact,90,tips", "investigation,exact,9,suspects", "arrest,exact,2,"), LONG
    )
    assert [s.unit_class for s in panel.statements] == ["report", "person", ""]
    assert [entry["unit_class"] for entry in intake.to_dict()["statements"]] == ["report", "person", ""]


def test_another_class_is_unused_and_the_reason_names_both(bench: Bench) -> None:
    bench.write("units.csv", TABLE)
    panel, intake = bench.read(
        rows("referral,exact,90,tips", "investigation,exact,9,cases", "investigation,exact,30,warrants"), LONG
    )
    assert [s.unit for s in panel.statements] == ["tips", "cases"]
    assert intake.counts == {"read": 3, "used": 2, "unused": 1, "excluded": 0, "dropped": 0}
    assert intake.records[2].reason == (
        "it counts 'warrants' (class other), while the stage investigation counts case or person"
    )


def test_a_share_has_no_unit_of_its_own(bench: Bench) -> None:
    bench.write("units.csv", TABLE)
    panel, _ = bench.read(rows("referral,exact,90,tips", "arrest,share_of_referral,0.1,tips"), LONG)
    assert len(panel.statements) == 2


def test_a_unit_without_a_class_is_one_fault(one_fault: Look, bench: Bench) -> None:
    bench.write("units.csv", TABLE)
    line = one_fault(rows(*["referral,exact,90,tip"] * 3), LONG)
    assert line.startswith("data.csv, row 2, column unit: unit without a class; found 'tip'")
    assert "did you mean 'tips'" in line
    assert "or add it to units.csv" in line
    two = bench.faults(rows("referral,exact,90,tip", "arrest,exact,3,folk", "arrest,exact,3,folk"), LONG)
    assert len(two) == 2


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("unit,kind\ntips,report\n", "missing column 'class'"),
        ("unit,class\ntips,reports\n", "did you mean 'report'"),
        ("unit,class\ntips,report\ntips,case\n", "unit listed twice"),
        ("unit,class\n,report\ntips,report\n", "empty unit"),
    ],
)
def test_a_faulty_table_is_named(one_fault: Look, bench: Bench, table: str, said: str) -> None:
    bench.write("units.csv", table)
    line = one_fault(rows("referral,exact,90,tips"), LONG)
    assert line.startswith("units.csv")
    assert said in line


def test_an_absent_table_is_a_fault(one_fault: Look) -> None:
    assert "file not found" in one_fault(rows("referral,exact,90,tips"), LONG)


def test_without_a_table_no_unit_is_judged(bench: Bench) -> None:
    sections = LONG | {"inputs": [{"file": "data.csv", "form": "long"}]}
    panel, _ = bench.read(rows("referral,exact,90,tips", "investigation,exact,9,warrants"), sections)
    assert [s.unit_class for s in panel.statements] == ["", ""]


@pytest.mark.parametrize(
    ("units", "kinds"),
    [
        ({}, ["probability", "probability"]),
        ({"arrest": "person"}, ["probability", "ratio"]),
        ({"investigation": ["report"]}, ["probability", "probability"]),
        ({"investigation": ["report", "case"]}, ["ratio", "ratio"]),
        ({stage: ["case", "person"] for stage in STAGES}, ["ratio", "ratio"]),
    ],
)
def test_a_step_is_a_probability_only_where_both_stages_count_one_same_thing(
    units: dict[str, Any], kinds: list[str]
) -> None:
    funnel = FunnelSpec.model_validate({"stages": STAGES, "units": units}).to_funnel()
    assert [step.kind for step in funnel.steps] == kinds
    assert funnel.end_to_end.kind == ("ratio" if "ratio" in kinds else "probability")


def test_units_in_words_and_one_to_one() -> None:
    units = {"investigation": ("case", "person")}
    funnel = Funnel(STAGES, units, {"referral-investigation": "one case a report"})
    assert funnel.unit("investigation") == "case or person"
    assert funnel.unit("arrest") == "report"
    assert funnel.classes("investigation") == ("case", "person")
    assert funnel.classes("arrest") == ("report",)
    assert [step.kind for step in funnel.steps] == ["probability", "ratio"]
