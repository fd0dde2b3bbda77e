"""The search for cycles is put off and comes back."""

from __future__ import annotations

import gc

import pytest

from attrition.data import collector


def test_it_is_back_afterwards_also_after_a_fault() -> None:
    assert gc.isenabled()
    with collector.paused():
        assert not gc.isenabled()
    with pytest.raises(ValueError, match="a fault"), collector.paused():
        raise ValueError("a fault")
    assert gc.isenabled()


def test_it_stays_away_where_it_was_away() -> None:
    gc.disable()
    try:
        with collector.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
