"""Sentences speak only above their thresholds; checks and limits are read off the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrition.estimation.store.runs import Run
from attrition.reports.document import Paragraph, Table
from attrition.reports.numbers import probability
from attrition.reports.observed import STATES
from attrition.reports.plan import build_document
from attrition.reports.sections import answer, change, limits, predictive
from attrition.reports.sections.sources import address
from attrition.reports.sentences import Sentence, said
from attrition.reports.tables import csv_text
from attrition.reports.view import View

from .conftest import Written
from .world import World, write_world


def _named(sentences: tuple[Sentence, ...], name: str) -> Sentence:
    return next(s for s in sentences if s.name == name)


def _texts(view: View, sentence: Sentence) -> list[str]:
    blocks = said(view, (sentence,))
    assert all(isinstance(b, Paragraph) for b in blocks)
    return [b.text for b in blocks if isinstance(b, Paragraph)]


def test_the_highest_offense_needs_its_probability(written: Written) -> None:
    sentence = _named(answer.SENTENCES, "highest offense")
    spoken = _texts(written.view, sentence)
    stored = [claim for claim in written.run.claims if claim["kind"] == "highest"]
    assert len(stored) == 3
    assert 0 < len(spoken) == sum(claim["holds"] for claim in stored)
    for text, claim in zip(spoken, (c for c in stored if c["holds"]), strict=True):
        draws = written.view.draws_of(claim["quantity_ids"])
        wins = (draws[:, [0]] >= 1.1 * draws[:, 1:]).all(axis=1).mean()
        assert claim["probability"] == pytest.approx(wins)
        assert text.endswith(f"has the highest rate, by 10 % or more (probability {probability(wins)}).")


def test_the_probability_of_an_increase_is_that_of_the_draws(written: Written) -> None:
    rows = change.changes(written.view, "offense")
    ids = list(rows["quantity_id"])
    for share, draws in zip(rows["increase"], written.view.draws_of(ids).T, strict=True):
        assert share == pytest.approx((draws > 0).mean())
    sentence = _named(change.SENTENCES, "direction of change")
    stored = {c["quantity_ids"][0]: c for c in written.run.claims if c["kind"] == "direction"}
    whole = rows[(rows["offense"] == "all") & rows["median"].notna()]
    spoken = _texts(written.view, sentence)
    assert len(spoken) == len(whole) > 0
    for text, name in zip(spoken, whole["quantity_id"], strict=True):
        claim = stored.get(name)
        assert (claim["said"] if claim and claim["holds"] else "no clear change") in text


def test_predictive_ranks_are_uniform_when_the_replications_are_right(tmp_path: Path) -> None:
    view = View(Run(write_world(tmp_path, World(jurisdictions=20, periods=8))))
    frame, values = predictive.exact(view)
    assert len(frame) == values.shape[1] > 300
    assert set(frame["stage"]) == {"referral", "investigation", "arrest"}
    # The replications are drawn around the very counts: their ranks crowd in the middle, by construction.
    ranks = predictive.pit(view)["pit"]
    assert abs(ranks.mean() - 0.5) < 0.03
    assert ranks.std() < 0.15
    assert predictive.pit(view)["inside"].mean() == 1.0


def test_limits_say_what_the_run_is_made_of(written: Written) -> None:
    text = " ".join(b.text for b in limits.build(written.view).blocks if isinstance(b, Paragraph))
    assert "Nothing is recorded about outcomes in 1 jurisdiction (Place 04)" in text
    assert "because: one person a case." in text
    assert "Blank in the data: 12 fields." in text
    assert "J04: every count after the first stage" in text
    assert "same-period" not in text
    assert "unit of counting changes" not in text


def test_every_limit_has_a_threshold_it_can_fail(written: Written) -> None:
    silent = ("one to one",)  # a fact of the plan, not a matter of degree
    for sentence in limits.SENTENCES:
        if sentence.name not in silent:
            assert _texts(written.view, replace(sentence, threshold=1e9)) == [], sentence.name


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.org/a", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        (" ", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, kept: bool) -> None:
    assert bool(address(url)) is kept


def test_no_spreadsheet_takes_text_for_a_formula() -> None:
    data = pd.DataFrame({"name": ["=1+1", "@x", "fine", "−5", "-5"], "value": [-1.5, 2.0, np.nan, 3.0, 4.0]})
    table = Table("t", "T", (), (), data)
    lines = csv_text(table).splitlines()
    assert lines[1:] == ["'=1+1,-1.5", "'@x,2.0", "fine,", "−5,3.0", "'-5,4.0"]


def test_a_run_without_used_statements_still_reports(tmp_path: Path) -> None:
    run = Run(write_world(tmp_path, World()))
    run.intake["statements"] = []
    view = View(run)
    assert (view.observed.states == STATES.index("not reported")).all()
    assert build_document(view).incomplete == ()
