"""What is said of prior-driven numbers names the contraction that keeps them low."""

from __future__ import annotations

import pandas as pd
import pytest

from attrition.reports import reasons


def _said(monkeypatch: pytest.MonkeyPatch, contraction: float, own: float) -> list[str]:
    rows = pd.DataFrame({"label": ["prior-driven"], "contraction": [contraction], "contraction_own": [own]})
    monkeypatch.setattr(reasons, "grid", lambda view: rows)
    return [
        sentence.template.format(**values)
        for sentence in reasons.SENTENCES
        if sentence.name in ("prior-driven", "borrowed")
        for values in sentence.query(None, 0)
    ]


def test_a_borrowed_number_is_not_said_to_repeat_the_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    (text,) = _said(monkeypatch, 0.99, 0.20)
    assert "mostly what other places, offenses or periods say" in text
    assert "narrowed what was assumed by .99" in text
    assert "by .20 only" in text


def test_a_number_near_its_prior_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for own in (0.05, float("nan")):
        (text,) = _said(monkeypatch, 0.20, own)
        assert "narrowed what was assumed by .20 only" in text
        assert "other places" not in text
