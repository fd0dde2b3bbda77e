"""What changed between the last two periods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ...data.names import CHANGE, ESTIMATE_COLUMNS
from ..companions import LONG, NOTES, anchor, bounds, labeled, sources_text, withheld
from ..composition import decomposed
from ..document import Cell, Column, Paragraph, Row, Section, Table, attempt
from ..numbers import NONE, Scale, decimals, estimate, factor_of, interval, known, probability, share
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View
from ..wording import say

order = 20
title = "What changed"
short = True
TABLES = {"offense": "change-offense", "jurisdiction": "change-jurisdiction"}


def build(view: View) -> Section | None:
    """Sentences on the whole, then the changes by offense and by jurisdiction."""
    if not len(view.quantities("change")):
        only = Paragraph("There is one period only, or no published change between the last two.")
        return Section("section-change", title, (only,))
    tables = tuple(t for by in TABLES if (t := _table(view, by)) is not None)
    split = attempt("the split of the change into mix and rates", lambda: split_table(view))
    return Section("section-change", title, (*said(view, SENTENCES), *tables, *split))


def changes(view: View, by: str) -> pd.DataFrame:
    """Change rows at every node of an axis, with the probability of an increase from joint draws."""
    other = "jurisdiction" if by == "offense" else "offense"
    rows = view.quantities("change")
    rows = rows[(rows[other] == view.answer[other])].drop_duplicates(["step", by, "period"])
    if by == "jurisdiction":
        axis = view.axes[by]
        rows = rows[[name in axis.by_name and view.answer[by] in axis.ancestors(name) for name in rows[by]]]
    steps = {name: i for i, name in enumerate(view.step)}
    nodes = {name: i for i, name in enumerate(view.axes[by].by_name)}
    key = pd.DataFrame({"s": rows["step"].map(steps), "n": rows[by].map(nodes)}, index=rows.index)
    rows = rows.loc[key.dropna().sort_values(["s", "n"], kind="stable").index].reset_index(drop=True)
    draws = view.draws_of(list(rows["quantity_id"]))
    up = pd.Series((draws > 0).mean(axis=0), index=rows.index)
    hidden = rows["median"].isna() | pd.Series(pd.isna(draws).any(axis=0), index=rows.index)
    return view.with_sources(rows.assign(increase=up.mask(hidden)))


def _table(view: View, by: str) -> Table | None:
    rows = changes(view, by)
    if not len(rows):
        return None
    lines: list[Row] = []
    for name, block in rows.groupby("step", sort=False):
        step = view.step[str(name)]
        scale = _scale(view, str(name))
        unit = "percentage points" if scale == "points" else say("outcomes per {unit}").format(unit=step.unit)
        span = _periods(view, block["period"].iloc[0])
        lines.append(Row((Cell(f"{step.title}: {span}, {unit}", span=9),), head=True))
        for row in block.to_dict("records"):
            lines.append(_row(view, by, row, scale))
    columns = (
        Column(by.capitalize()),
        Column("median", "right", "Change"),
        Column("50 % interval", "right", "Change"),
        Column("90 % interval", "right", "Change"),
        Column("Probability of an increase", "right"),
        Column("Data alone", "right"),
        Column("Contraction", "right"),
        Column("Basis"),
        Column("Sources"),
    )
    data = rows[[*ESTIMATE_COLUMNS, "increase", "sources", "top_source", "top_share"]]
    heading = say("Change by {by}: {label}").format(
        by=by, label=view.label("jurisdiction", view.answer["jurisdiction"])
    )
    return Table(
        TABLES[by], heading, columns, tuple(lines), data, NOTES[1:], by != "offense" and len(lines) > LONG
    )


def split_table(view: View) -> Table | None:
    """The change of the whole, the part its mix accounts for, and the part the rates do."""
    rows = decomposed(view)
    if not len(rows) or not (rows["why"] == "").any():
        return None
    printed_as = {}
    for name in ("change", "mix", "rates"):
        printed_as[name] = [
            _part(row, name, _scale(view, row["step"]))
            if not row["why"]
            else ("–" if name != "change" else row["why"])
            for row in rows.to_dict("records")
        ]
    show = {
        "step": left("Step", lambda name: view.step[name].title),
        "by": left("Mix of", lambda by: f"{by}s"),
        "change": right("Change", text),
        "mix": right("Due to the mix", text),
        "rates": right("Due to the rates", text),
    }
    notes = (
        "Median and 90 % interval; percentage points, or outcomes per unit. Due to the mix: what the change would be "
        "had only the shares of the parts moved, at the mean of their rates; due to the rates: the rest, at the mean "
        "of both mixes (Kitagawa 1955). Parts weighed by the median of their denominators.",
    )
    data = rows.assign(**printed_as)
    return printed("change-parts", "The change of the whole: mix and rates", data, show, notes)


def _part(row: dict[str, Any], name: str, scale: Scale) -> str:
    ends = row[f"{name}_q05"], row[f"{name}_q95"]
    places = decimals(ends, factor_of(scale))
    return f"{estimate(row[f'{name}_median'], scale, places)} ({interval(*ends, scale, places)})"


def _row(view: View, by: str, row: dict[str, Any], scale: Scale) -> Row:
    why = withheld(row)
    node = str(row[by])
    if why:
        value = [Cell(why, tone="muted", span=3)]
    else:
        places = decimals([row["q05"], row["q95"]], factor_of(scale))
        value = [
            Cell(estimate(row["median"], scale, places), tone="strong"),
            Cell(interval(row["q25"], row["q75"], scale, places)),
            Cell(interval(row["q05"], row["q95"], scale, places)),
        ]
    cells = (
        Cell(view.label(by, node)),
        *value,
        Cell(probability(row["increase"]) if known(row["increase"]) else NONE),
        Cell(bounds(row, scale), tone="muted"),
        Cell(f"{share(row['contraction'])} · {share(row['contraction_own'])}"),
        Cell(labeled(str(row["label"]))),
        Cell(sources_text(row)),
    )
    return Row(cells, anchor(TABLES[by], str(row["step"]), node), view.axes[by].depth(node))


def _scale(view: View, step: str) -> Scale:
    return "points" if view.step[step].kind == "probability" else "each change"


def _periods(view: View, name: str) -> str:
    return " → ".join(view.label("period", part) for part in name.split(CHANGE))


def _direction(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = changes(view, "offense")
    claims = {claim["quantity_ids"][0]: claim for claim in view.claims("direction")}
    for row in rows[rows["offense"] == view.answer["offense"]].to_dict("records"):
        if withheld(row):
            continue
        scale = _scale(view, row["step"])
        places = decimals([row["q05"], row["q95"]], factor_of(scale))
        claim = claims.get(row["quantity_id"])
        verdict = say("no clear change")
        if claim is not None and claim["holds"]:
            verdict = say("{said} (probability {probability})").format(
                said=claim["said"], probability=probability(claim["probability"])
            )
        yield {
            "step": view.step[row["step"]].title,
            "span": _periods(view, row["period"]),
            "verdict": verdict,
            "median": estimate(row["median"], scale, places),
            "interval": interval(row["q05"], row["q95"], scale, places),
            "unit": " points" if scale == "points" else "",
            "link": "#" + anchor(TABLES["offense"], row["step"], row["offense"]),
        }


def _against(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """Where the whole and the rates inside it went opposite ways (Simpson)."""
    rows = decomposed(view)
    for row in rows[rows["against"]].to_dict("records") if len(rows) else []:
        scale = _scale(view, row["step"])
        yield {
            "step": view.step[row["step"]].title,
            "way": "rose" if row["change_median"] > 0 else "fell",
            "other": "fell" if row["change_median"] > 0 else "rose",
            "by": f"{row['by']}s",
            "mix": _part(row, "mix", scale),
            "rates": _part(row, "rates", scale),
            "link": "#change-parts",
        }


SENTENCES = (
    Sentence(
        "mix against rates",
        "Take care: {step} {way} as a whole, while with the mix of {by} held the rates {other}. Due to the mix {mix}, "
        "due to the rates {rates}.",
        _against,
        link_text="mix and rates",
        tone="warning",
    ),
    Sentence(
        "direction of change",
        "{step}, {span}: {verdict}; median change {median}{unit}, 90 % interval {interval}.",
        _direction,
        0.0,
        "The change of the whole is not published.",
        "its row",
    ),
)
