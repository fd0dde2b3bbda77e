"""A change of the whole split into mix and rates: closed forms, and a reversal that is told."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.reports import composition
from attrition.reports.composition import decomposed, mix_part, opposite
from attrition.reports.document import Paragraph
from attrition.reports.page import page
from attrition.reports.plan import build_document
from attrition.reports.sections import change

from .conftest import Written


def whole(weights: np.ndarray, rates: np.ndarray) -> np.ndarray:
    return rates @ weights / weights.sum()


def test_with_rates_unmoved_the_mix_accounts_for_everything() -> None:
    before, after, rates = np.array([90.0, 10.0]), np.array([40.0, 60.0]), np.array([[0.1, 0.5]])
    assert mix_part(before, after, rates, rates) == pytest.approx([0.5 * 0.4])
    assert mix_part(before, after, rates, rates) == pytest.approx(whole(after, rates) - whole(before, rates))


def test_with_the_mix_unmoved_it_accounts_for_nothing() -> None:
    weights = np.array([3.0, 5.0, 2.0])
    one, two = np.array([[0.1, 0.2, 0.3]]), np.array([[0.4, 0.1, 0.9]])
    assert mix_part(weights, 7 * weights, one, two) == pytest.approx([0.0], abs=1e-15)


def test_both_parts_are_symmetric_in_time_and_sum_to_the_change() -> None:
    rng = np.random.default_rng(3)
    w0, w1 = rng.uniform(1, 9, (2, 4))
    p0, p1 = rng.uniform(0, 1, (2, 50, 4))
    mix = mix_part(w0, w1, p0, p1)
    assert mix == pytest.approx(-mix_part(w1, w0, p1, p0))
    rates = (p1 - p0) @ ((w0 / w0.sum() + w1 / w1.sum()) / 2)
    assert mix + rates == pytest.approx(whole(w1, p1) - whole(w0, p0))


def test_a_reversal_is_found() -> None:
    """Every rate falls while the whole rises: Simpson's paradox, worked by hand."""
    w0, w1 = np.array([80.0, 20.0]), np.array([20.0, 80.0])
    p0, p1 = np.array([[0.10, 0.50]]), np.array([[0.08, 0.45]])
    total = whole(w1, p1) - whole(w0, p0)
    assert total == pytest.approx([0.376 - 0.18])
    assert total - mix_part(w0, w1, p0, p1) == pytest.approx([(-0.02 - 0.05) / 2])


def test_the_parts_of_a_run_sum_to_its_published_change(written: Written) -> None:
    rows = decomposed(written.view)
    split = rows[rows["why"] == ""]
    assert set(split["by"]) == {"offense"}
    for row in split.to_dict("records"):
        published = written.view.run.estimates.set_index("quantity_id").loc[row["quantity_id"], "median"]
        assert row["change_median"] == pytest.approx(published, abs=0.01)
    assert not split["against"].any()
    told = rows.loc[rows["why"] != "", "why"]
    assert told.str.contains("not published").all()
    text = page(build_document(written.view))
    assert 'id="change-parts"' in text
    assert "Take care:" not in text


@pytest.mark.parametrize(("risen", "fallen", "told"), [(95, 95, True), (95, 85, False), (85, 95, False)])
def test_both_directions_must_be_likely(risen: int, fallen: int, told: bool) -> None:
    change, inside = (np.where(np.arange(100) < n, 1.0, -1.0) for n in (risen, 100 - fallen))
    assert opposite(change, inside) is told
    assert opposite(-change, -inside) is told
    assert opposite(change, change) is False


def test_a_reversal_is_told_with_a_warning(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composition, "opposite", lambda change, inside: True)
    section = change.build(written.view)
    assert section is not None
    warned = [
        block.text for block in section.blocks if isinstance(block, Paragraph) and block.tone == "warning"
    ]
    assert len(warned) == int(decomposed(written.view)["against"].sum()) > 0
    assert all("with the mix of offenses held the rates" in text for text in warned)
