"""Sequences whose items are made when they are asked for are sequences like any other."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from attrition.data.lazy import Joined, Lazy, shared

SQUARES = Lazy(pow, np.arange(5), [2] * 5)
JOINED = Joined((), SQUARES, [], (7, 8))


@pytest.mark.parametrize(("found", "items"), [(SQUARES, [0, 1, 4, 9, 16]), (JOINED, [0, 1, 4, 9, 16, 7, 8])])
def test_items_are_those_of_a_list(found, items):
    assert list(found) == items
    assert len(found) == len(items)
    assert [found[i] for i in range(-len(items), len(items))] == items + items
    for part in (slice(1, 6), slice(None, None, -2), slice(9, None)):
        assert list(found[part]) == items[part]
    for at in (len(items), -len(items) - 1):
        with pytest.raises(IndexError):
            found[at]
    assert items[1] in found
    assert list(pickle.loads(pickle.dumps(found))) == items


def test_no_sequences_are_an_empty_one():
    assert not Joined()
    assert list(Joined((), ())) == []


def test_values_that_are_equal_are_one_object():
    one, other, third = shared(("used", str(reason)) for reason in (1, 1, 2))
    assert one is other
    assert third == ("used", "2")
