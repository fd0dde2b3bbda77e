"""Silent places: how different those that did not report would have to be for each claim to be no longer said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from ...data.names import SHIFT, SHIFT_UNITS
from ...estimation.flips import flips
from ..document import Block, Paragraph, Section, Table, attempt
from ..figures.tipping import draw
from ..numbers import NONE, count, known, number, plural, probability, share
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View

order = 96
title = "Places that did not report"
TABLE: Final = "tipping"
FRAGILE: Final = 0.5
FAR: Final = 2.0


def build(view: View) -> Section | None:
    """What silent places could change; None where every place reports and no total spoke of one."""
    shift = view.run.blueprint.get("plan", {}).get("assume", {})
    blocks: list[Block] = []
    if shift.get("silent_shift"):
        assumed = f"{number(shift['silent_shift'], 2, signed=True)} {_UNITS[shift.get('silent_unit', 'sd')]}"
        words = f"This run assumes that places that did not report differ from the others by {assumed}."
        blocks.append(Paragraph(words, tone="said"))
    table = tipped(view)
    blocks += said(view, SENTENCES)
    if len(table):
        made = _flips(table)
        curve = view.run.tipping
        assert curve is not None
        curve = curve[curve["key"].isin(table["key"])].reset_index(drop=True)
        blocks += attempt(
            "the tipping curve", lambda: draw(curve[curve["unit"] == "sd"], table, _curve(curve))
        )
        blocks.append(made)
    return Section("section-silent", title, tuple(blocks)) if blocks else None


_UNITS: Final = {
    "sd": "sd between places",
    "logit": "on the logit, or the log of a ratio",
    "rate": "in the rate",
}


def tipped(view: View) -> pd.DataFrame:
    """Claims that hold and where they tip, those that tip first in front; empty without a curve.

    Returns
    -------
    DataFrame
        key, subject, said, probability, threshold, quantity_id, ``withdrawn`` and ``reversed`` in sd, ``<unit>_shift``
        for each unit, and the number behind the claim with its 90 % interval without a shift and where it tips.
    """
    curve, told = view.run.tipping, [claim for claim in view.run.claims if claim["holds"]]
    if curve is None or not len(curve):
        return pd.DataFrame()
    found = flips(curve, told)
    wide = found.pivot_table(
        values="withdrawn", index="key", columns="unit", aggfunc="first", dropna=False
    ).rename(columns=lambda u: f"{u}_shift")
    claims = pd.DataFrame(told)[["key", "subject", "said", "probability", "threshold", "quantity_ids"]]
    rows = claims.assign(quantity_id=[ids[0] for ids in claims["quantity_ids"]]).drop(columns="quantity_ids")
    rows = rows.merge(wide, on="key").merge(
        found.loc[found["unit"] == "sd", ["key", "withdrawn", "reversed"]], on="key"
    )
    near = rows["withdrawn"].abs().fillna(np.inf)
    rows = rows.loc[near.sort_values(kind="stable").index].reset_index(drop=True)
    for name, at in (("now", 0.0), ("then", None)):
        ends = [
            _interval(view, row, row["withdrawn"] if at is None else at) for row in rows.to_dict("records")
        ]
        rows[[f"{name}_median", f"{name}_q05", f"{name}_q95"]] = ends
    return rows


def _interval(view: View, row: Mapping[str, Any], shift: float) -> list[float]:
    """Median and 90 % interval of the number behind a claim, at a shift in sd."""
    rates = view.run.silent
    if rates is None or not known(shift):
        return [float("nan")] * 3
    mine = rates[(rates["quantity_id"] == row["quantity_id"]) & (rates["unit"] == "sd")].sort_values("shift")
    if not len(mine):
        return [float("nan")] * 3
    return [float(np.interp(shift, mine["shift"], mine[name])) for name in ("median", "q05", "q95")]


def _flips(rows: pd.DataFrame) -> Table:
    far = cache(lambda v: number(v, 2, signed=True) if known(v) else "not within reach")
    data = rows.assign(
        now=[_figures(*v) for v in rows[["now_median", "now_q05", "now_q95"]].to_numpy()],
        then=[_figures(*v) for v in rows[["then_median", "then_q05", "then_q95"]].to_numpy()],
    )
    show = {
        "subject": left("Number", text),
        "said": left("Claim", text),
        "probability": right("Probability", probability),
        **{
            f"{unit}_shift": right(f"Tips at, {words}", far)
            for unit, words in zip(SHIFT_UNITS, ("sd", "logit", "rate"), strict=True)
        },
        "now": right("As published (90 %)", text),
        "then": right("Where it tips (90 %)", text),
    }
    notes = (
        "Tips at: the shift of the silent places, at every step, nearest to none, from which on the claim is below the "
        "probability at which it is said; in sd between places, on the logit (the log of a ratio) and in the rate.",
        "Per cent steps as shares of one. Sought within 4 sd, 4 on the logit and .5 in the rate, either way.",
    )
    return printed(TABLE, "Where each claim tips", data, show, notes)


def _figures(middle: float, low: float, high: float) -> str:
    return f"{middle:.3g} ({low:.3g} to {high:.3g})" if known(middle, low, high) else NONE


def _curve(curve: pd.DataFrame) -> Table:
    show = {
        "key": left("Claim", text),
        "unit": left("Unit", text),
        "shift": right("Shift", lambda v: number(v, 3, signed=True)),
        "probability": right("Probability", probability),
    }
    return printed("tipping-curve", "Every point of the curves", curve, show, most=40, folded=True)


def _steady(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = tipped(view)
    if len(rows):
        far = rows["withdrawn"].abs().fillna(np.inf)
        held = int((far > threshold).sum())
        yield {
            "n": plural(len(rows), "claim"),
            "held": count(held),
            "sd": number(threshold, 0),
            "link": f"#{TABLE}",
        }


def _fragile(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = tipped(view)
    for row in rows.to_dict("records") if len(rows) else ():
        if abs(row["withdrawn"]) < threshold:
            yield {
                "text": f"{row['subject']}: {row['said']}",
                "shift": number(row["withdrawn"], 2, signed=True),
                "link": f"#{TABLE}",
            }


def _informed(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """What totals say of the shift, by step."""
    posterior, name = view.run.draws["posterior"].to_dataset(), f"{SHIFT}nonreporting"
    if name not in posterior:
        return
    spread = next(k["settings"]["spread"] for k in view.run.blueprint["kinds"] if k["kind"] == "nonreporting")
    for step in posterior["step"].values:
        values = posterior[name].sel(step=step).values.ravel()
        gained = float(np.clip(1 - values.var() / spread**2, 0, 1))
        if gained > threshold:
            low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
            yield {
                "step": view.step[str(step)].title,
                "shift": number(middle, 2, signed=True),
                "ends": f"{number(low, 2, signed=True)} to {number(high, 2, signed=True)}",
                "gained": share(gained),
                "prior": number(spread, 2),
                "link": "#section-methods",
            }


SENTENCES = (
    Sentence(
        "steady claims",
        "Of {n} of the first table {held} would still be said if the places that did not report differed by {sd} sd "
        "between places from what the model says of them, either way and at every step.",
        _steady,
        FAR,
        link_text="where each tips",
    ),
    Sentence(
        "fragile claims",
        "Fragile: “{text}” is no longer said where they differ by {shift} sd.",
        _fragile,
        FRAGILE,
        link_text="where each tips",
    ),
    Sentence(
        "informed shift",
        "{step}: totals that hold silent places say that these differ from the others by {shift} on the logit, or the "
        "log of a ratio (90 %: {ends}); contraction {gained} against a prior sd of {prior}.",
        _informed,
        0.05,
        link_text="the methods",
    ),
)
