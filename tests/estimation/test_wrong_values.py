"""Values that a plan may not have are told in the words of a plan, with what to write in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attrition.data.errors import InputError
from attrition.estimation.plan import parse_plan
from attrition.models.spec import read_kinds

BASE: dict[str, Any] = {"funnel": {"stages": ["referral", "arrest"]}, "input": [{"file": "x.csv"}]}
SAID = [
    (
        {"funnel": {"stages": "referral"}},
        "funnel.stages: not a list; found 'referral'",
        'write stages = ["referral"]',
    ),
    ({"funnel": {"stages": ["referral"]}}, "funnel.stages: too few entries", "allowed: 2 or more"),
    ({"input": {"file": "x.csv"}}, "input: one table where there may be several", "write [[input]]"),
    ({"prior": {"spread": float("inf")}}, "prior.spread: not a finite number; found inf", "a finite number"),
    ({"prior": {"spread": -1}}, "prior.spread: too small; found -1", "allowed: above 0"),
    (
        {"estimate": {"draws": 1.5}},
        "estimate.draws: not a whole number; found 1.5",
        "allowed: a whole number",
    ),
    ({"estimate": {"draws": "many"}}, "estimate.draws: not a whole number; found 'many'", "without quotes"),
    ({"estimate": {"points": 100}}, "estimate.points: not a power of two; found 100", ""),
    ({"estimate": {"engine": "foo"}}, "estimate.engine: no such value; found 'foo'", "allowed: 'nuts'"),
    ({"answer": 3}, "answer: not a table; found 3", "write [answer]"),
    (
        {"publish": {"cells": "maybe"}},
        "publish.cells: neither true nor false; found 'maybe'",
        "true or false",
    ),
    ({"input": [{"file": 3}]}, "input.1.file: not a text; found 3", "put it in quotes"),
]


@pytest.mark.parametrize(("section", "what", "do"), SAID)
def test_a_wrong_value_is_told_in_the_words_of_a_plan(section: dict[str, Any], what: str, do: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_plan(BASE | section, Path("p.toml"))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"p.toml, {what}")
    assert do in line


def test_a_kind_says_it_the_same_way() -> None:
    _, problems = read_kinds({"immature": {"walk": float("inf")}, "share": {"sd": "wide"}})
    lines = sorted(problem.line() for problem in problems)
    assert lines == [
        "plan, [kind.immature], walk: not a finite number; found inf; allowed: a finite number; write one",
        "plan, [kind.share], sd: not a number; found 'wide'; allowed: a number; write it in digits, without quotes",
    ]


def test_a_fault_of_a_kind_has_no_prefix_of_pydantic() -> None:
    _, problems = read_kinds({"immature": {"law": "no such law", "walk": -1}})
    assert all("Value error" not in problem.line() and "Input" not in problem.line() for problem in problems)
    assert problems
