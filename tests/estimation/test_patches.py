"""Patches that append, and patches upon patches."""

from __future__ import annotations

from datetime import date

import pytest

from attrition.data.errors import InputError
from attrition.estimation.patches import apply_patches, merge_patches, plain

ONE, TWO = {"source_id": "x", "reason": "a"}, {"source_id": "y", "reason": "b"}


@pytest.mark.parametrize(
    ("raw", "value", "expected"),
    [
        ({}, ONE, [ONE]),
        ({"exclude": [TWO]}, ONE, [TWO, ONE]),
        ({"exclude": [TWO]}, [ONE, TWO], [TWO, ONE, TWO]),
    ],
)
def test_appending_to_an_array(raw, value, expected):
    assert apply_patches(raw, {"exclude.+": value}) == {"exclude": expected}
    assert "exclude" not in raw or raw["exclude"] == [TWO]


def test_appending_inside_a_table():
    raw = {"intake": {"roles": ["use"]}}
    assert apply_patches(raw, {"intake.roles.+": "doubtful"}) == {"intake": {"roles": ["use", "doubtful"]}}


def test_what_is_appended_is_not_shared():
    entry = {"source_id": "x"}
    apply_patches({}, {"exclude.+": entry})["exclude"][0]["source_id"] = "z"
    assert entry == {"source_id": "x"}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("prior.+", "does not lead to an array"),
        ("effect.+", r"the plan writes no \[\[effect\]\]"),
        ("effect.time.over", r"the plan writes no \[\[effect\]\]"),
        ("exclude.0.reason", r"the plan writes no \[\[exclude\]\]"),
        ("prior.spread.+", "does not lead to a"),
    ],
)
def test_places_that_are_no_array(key, words):
    with pytest.raises(InputError, match=words):
        apply_patches({"prior": {"spread": 1.0}}, {key: ONE})


def test_every_key_that_leads_nowhere_is_named():
    with pytest.raises(InputError) as caught:
        apply_patches({"input": [{}]}, {"input.3.file": "x", "input.7.file": "y"}, "set")
    assert [problem.where for problem in caught.value.problems] == ["set input.3.file", "set input.7.file"]


def test_both_of_two_patches():
    first, second = {"prior.spread": 1.0, "exclude.+": ONE}, {"prior.spread": 2.0, "exclude.+": [TWO]}
    assert merge_patches(first, second) == {"prior.spread": 2.0, "exclude.+": [ONE, TWO]}
    assert merge_patches(first, {}) == first


def test_dates_become_text():
    assert plain({"a": [date(2024, 1, 2)], "b": 1.5, "c": True}) == {"a": ["2024-01-02"], "b": 1.5, "c": True}
