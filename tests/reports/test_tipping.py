"""Places that did not report: where each claim tips, in a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from attrition.data.names import SILENT_COLUMNS, TIPPING_COLUMNS
from attrition.estimation.store.runs import Run
from attrition.reports.document import Figure, Paragraph, Table
from attrition.reports.sections import tipping
from attrition.reports.view import View

from .world import World, write_world

SHIFTS = np.linspace(-4, 4, 9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("runs"), World())


@pytest.fixture
def run(folder: Path) -> Run:
    """A stored world with made-up curves: the first claim falls by .2 a unit, the others not at all."""
    run = Run(folder)
    held = [claim for claim in run.claims if claim["holds"]]
    curve = [
        (claim["key"], unit, shift, min(1.0, 1.0 - 0.2 * shift) if number == 0 else 1.0)
        for number, claim in enumerate(held)
        for unit in ("sd", "logit", "rate")
        for shift in SHIFTS
    ]
    first = held[0]["quantity_ids"][0]
    rates = [(first, "rate", "s", "all", "all", "sd", x, 0.5 + x / 100, 0.4, 0.6) for x in SHIFTS]
    run.__dict__["tipping"] = pd.DataFrame(curve, columns=list(TIPPING_COLUMNS))
    run.__dict__["silent"] = pd.DataFrame(rates, columns=list(SILENT_COLUMNS))
    return run


def test_nothing_is_said_where_every_place_reports(folder: Path) -> None:
    assert tipping.build(View(Run(folder))) is None


def test_every_claim_that_holds_stands_with_its_flip(run: Run) -> None:
    view = View(run)
    section = tipping.build(view)
    assert section is not None
    held = [claim for claim in run.claims if claim["holds"]]
    steady, *_ = (block for block in section.blocks if isinstance(block, Paragraph))
    assert f"{len(held) - 1} would still be said" in steady.text
    (table,) = (block for block in section.blocks if isinstance(block, Table))
    assert len(table.data) == len(held)
    row = table.data.iloc[0]
    assert row["key"] == held[0]["key"]
    assert [row[f"{unit}_shift"] for unit in ("sd", "logit", "rate")] == pytest.approx([0.5] * 3)
    assert row[["now_median", "then_median", "then_q05", "then_q95"]].to_list() == pytest.approx(
        [0.5, 0.505, 0.4, 0.6]
    )
    assert table.data["sd_shift"][1:].isna().all()
    assert "not within reach" in [cell.text for cell in table.rows[1].cells]
    (figure,) = (block for block in section.blocks if isinstance(block, Figure))
    assert held[0]["subject"] in figure.alt
    assert len(figure.table.data) == len(held) * 3 * len(SHIFTS)


def test_a_claim_that_tips_early_is_called_fragile(run: Run) -> None:
    curve = run.tipping
    assert curve is not None
    first = curve["key"] == curve["key"][0]
    curve.loc[first, "probability"] = 1 - 0.3 * curve["shift"].clip(lower=0)
    section = tipping.build(View(run))
    assert section is not None
    words = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert [text for text in words if text.startswith("Fragile")] == [words[1]]
    assert "+0.33 sd" in words[1]


def test_an_assumed_shift_is_said(folder: Path) -> None:
    run = Run(folder)
    run.blueprint["plan"] = {"assume": {"silent_shift": -1.0, "silent_unit": "logit"}}
    section = tipping.build(View(run))
    assert section is not None
    (block,) = section.blocks
    assert isinstance(block, Paragraph)
    assert "−1.00 on the logit" in block.text


def test_what_totals_say_of_the_shift_is_said(folder: Path) -> None:
    run = Run(folder)
    posterior = run.draws["posterior"].to_dataset().copy()
    size = posterior.sizes["chain"], posterior.sizes["draw"], posterior.sizes["step"]
    rng = np.random.default_rng(0)
    shift = np.array([-0.6, 0.0]) + np.array([0.1, 0.6]) * rng.standard_normal(size)
    run.__dict__["draws"] = {"posterior": type("Tree", (), {"to_dataset": lambda _: posterior})()}
    posterior["shift_nonreporting"] = (("chain", "draw", "step"), shift)
    run.blueprint["kinds"] = [{"kind": "nonreporting", "settings": {"spread": 0.5}}]
    section = tipping.build(View(run))
    assert section is not None
    (block,) = section.blocks  # of the other step the posterior is the prior
    assert isinstance(block, Paragraph)
    assert block.text.startswith("Referral → investigation: totals that hold silent places")
    assert "by −0.6" in block.text
    assert "contraction .9" in block.text
