from __future__ import annotations

import pytest

from attrition.data.faults import Faults
from attrition.data.spelling import oddity, skeleton, twins
from attrition.data.table import Table
from attrition.data.trees import axis_from_names, axis_from_table


def table(*rows: tuple[str, str, str]) -> Table:
    return Table(
        "o.csv", ("name", "label", "parent"), [list(r) for r in rows], list(range(2, len(rows) + 2)), ""
    )


def lines(faults: Faults) -> list[str]:
    return [problem.line() for problem in faults.problems()]


def test_parents_come_first_whatever_the_order_of_the_rows() -> None:
    faults = Faults()
    axis = axis_from_table(
        "offense",
        table(("possession", "", "csam"), ("csam", "Material", "all"), ("all", "Everything", "")),
        faults,
    )
    assert not faults
    assert [node.name for node in axis.nodes] == ["all", "csam", "possession"]
    assert axis.label("all") == "Everything"
    assert axis.leaves == ("possession",)
    assert axis.positions["csam"].tolist() == [0]


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ([("a", "", "b"), ("b", "", "a")], "contain one another in a circle; found 'a', 'b'"),
        ([("a", "", "a")], "contain one another in a circle"),
        (
            [("csam", "", ""), ("x", "", "csm")],
            "row 3, column parent: unknown parent; found 'csm'; did you mean 'csam'",
        ),
        ([("a", "", ""), ("a", "", "")], "o.csv, row 3, column name: name repeated"),
        ([("", "x", "")], "row 2, column name: unusable name"),
        ([(" a", "", "")], "blanks before or after"),
        ([("all", "", "a"), ("a", "", "")], "the root has a parent"),
        ([("US-NE", "", ""), ("us-ne", "", "")], "spelt in several ways"),
    ],
)
def test_faults_of_a_tree(rows: list[tuple[str, str, str]], part: str) -> None:
    faults = Faults()
    axis_from_table("offense", table(*rows), faults)
    assert any(part in line for line in lines(faults)), lines(faults)


def test_a_file_without_names_is_a_fault() -> None:
    faults = Faults()
    axis_from_table("offense", Table("o.csv", ("label",), [["x"]], [2], ""), faults)
    assert "missing column 'name'" in lines(faults)[0]


def test_containers_not_named_otherwise_become_nodes() -> None:
    faults = Faults()
    axis = axis_from_names("jurisdiction", ["US-NE"], {"US-NE": "US", "US": "NA"}, faults)
    assert axis.ancestors("US-NE") == ("US", "NA", "all")
    assert not faults


@pytest.mark.parametrize(
    "name", ["US-NE", "XX:worldwide", "Møre og Romsdal police district", "Αθήνα", "Москва", "東京都", "a_b c"]
)
def test_plain_names_in_any_script_are_fine(name: str) -> None:
    assert oddity(name) == ""


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (" US", "blanks before or after"),
        ("US\u00a0NE", "unusual blank"),
        ("US  NE", "double"),
        ("US\u00adNE", "U+00AD"),
        ("ＵＳ", "compatibility"),
        ("Zu\u0308rich", "decomposed"),
        ("U\u0455A", "Cyrillic and Latin"),
    ],
)
def test_odd_names_say_why(name: str, part: str) -> None:
    assert part in oddity(name)


def test_twins_share_a_skeleton_and_others_do_not() -> None:
    assert twins(["US-NE", "us ne", "US_NE", "USNE", "US-IA"]) == [("US-NE", "us ne", "US_NE")]
    assert skeleton("РОССИЯ") != skeleton("POCCN")
    assert skeleton("А") == skeleton("A")
