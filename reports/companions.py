"""The table in which a rate stands with its companions: intervals, bounds, contractions, label, sources."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal

import pandas as pd

from ..data.names import CONFIDENTIAL, ESTIMATE_COLUMNS
from .document import Cell, Column, Row, Table
from .numbers import NONE, Scale, count, decimals, estimate, factor_of, interval, known, number, plural, share
from .steps import StepView
from .view import View
from .wording import say

WITHHELD: Final = "not published"
GLYPHS: Final = {
    "data-driven": "●",
    "model-assisted": "◐",
    "prior-driven": "○",
    "not published": "×",
    "counted": "■",
    "confidential": "▪",
}
LEAST_CONTRACTION: Final = 0.05
LONG: Final = 24
MIXED: Final = "data + stated mix"
PERIOD_RATIO: Final = "same-period ratio"
UNFIT: Final = "Not for publication: the sampler did not reach its diagnostics."
NOTES: Final = (
    "Rate: of the process that produced the cases (superpopulation). Counted cases: the same rate for the "
    "cases recorded here (finite population), where it is defined. Data alone: the lowest and the highest "
    "finite rate that the statements allow without any model.",
    "Contraction: how far the data narrowed the prior (0 not at all, 1 completely); own: against a new unit "
    "of the same population. ● data-driven (both at least .7) · ◐ model-assisted (.3 to .7) · "
    "○ prior-driven (below .3; read its bounds first) · × not published (below .05) · "
    "■ counted (every cell exact). Sources: how many, and the share of the largest in what the data said.",
)


def labeled(label: str) -> str:
    """A label with its sign."""
    return f"{GLYPHS.get(label, '')}\u00a0{say(label)}"


def anchor(table: str, step: str, node: str) -> str:
    """The anchor of a row: safe in a link, and different for different nodes."""
    return f"{table}-" + "".join(
        c if c.isascii() and c.isalnum() else f"_{ord(c):x}" for c in f"{step}.{node}"
    )


def withheld(row: Mapping[str, Any]) -> str:
    """Why a row shows no number; empty when it does."""
    if row["label"] == CONFIDENTIAL:
        return "confidential: a count held back could be read from it"
    if row["label"] == WITHHELD:
        failed = row.get("failed")
        if isinstance(failed, str) and failed:
            return say("not published: failed checks ({failed})").format(failed=failed)
        if row["statements"] == 0:
            return "not published: no statement touches its cells"
        if row["contraction_own"] == 0:
            return "not published: no outcome is recorded for its cells"
        least = min((row[c] for c in ("contraction", "contraction_own") if known(row[c])), default=0.0)
        if least >= LEAST_CONTRACTION:  # a change over all jurisdictions, of which too few report
            return "not published: too much of the denominator is of places that report no outcome"
        return say("not published: the data narrowed the prior by only {least}").format(
            least=share(max(least, 0.0))
        )
    if not known(row["median"]):
        return "not available"
    if row["label"] == "prior-driven" and not known(row["bound_low"]):
        return "not shown: prior-driven, and without bounds"
    return ""


def bounds(row: Mapping[str, Any], scale: Scale) -> str:
    """What the data alone allow."""
    low, high = row["bound_low"], row["bound_high"]
    places = decimals([low, high], factor_of(scale))
    mix = "*" if row["bound_basis"] == MIXED else ""
    if known(low) and high == math.inf:
        return say("{low} to no upper limit{mix}").format(
            low=estimate(low, scale, places) if low else "0", mix=mix
        )
    if known(low) and not known(high):
        return say("at least {low}{mix}").format(low=estimate(low, scale, places), mix=mix)
    if known(low) and low == high:
        return estimate(low, scale, places) + mix
    return interval(low, high, scale, places) + (mix if known(low, high) else "")


def step_heading(step: StepView, clocks: set[str]) -> str:
    """What a block of rows estimates, in words."""
    name = (
        PERIOD_RATIO if "period" in clocks else "rate" if step.kind == "probability" else "outcomes per unit"
    )
    text = f"{step.title}: {say(name)}"
    if step.kind == "ratio":
        text += say(", per {unit}; may exceed 1").format(unit=step.unit)
    elif "period" in clocks:
        text += say("; may exceed 100 %")
    return text + (
        say(". Taken as one to one: {assumed}").format(assumed=step.assumed) if step.assumed else ""
    )


def sources_text(row: Mapping[str, Any]) -> str:
    """How many sources a row rests on, and which most; else how many statements touch it."""
    if row["statements"] == 0:
        return "none"
    if not known(row["sources"]):
        return plural(int(row["statements"]), "statement")
    return f"{count(row['sources'])} ({row['top_source']} {number(row['top_share'] * 100, 0)} %)"


def companions(view: View, id: str, title: str, by: str, nodes: list[str] | None = None) -> Table:
    """Rates at every node of an axis, for every step, with all their companions.

    Parameters
    ----------
    view : View
    id, title : str
        Of the table.
    by : {"offense", "jurisdiction", "period"}
        The axis whose nodes are the rows; the others stand at the plan's answer.
    nodes : list of str or None
        The nodes to show; None for all.
    """
    main = view.rates(by)
    finite = view.rates(by, "finite")
    if nodes is not None:
        main, finite = main[main[by].isin(nodes)], finite[finite[by].isin(nodes)]
    main, finite = view.with_sources(main), view.with_sources(finite)
    second = {(row["step"], row[by]): row for row in finite.to_dict("records")}
    printed: list[Row] = []
    for name, block in main.groupby("step", sort=False):
        step = view.step[str(name)]
        printed.append(Row((Cell(step_heading(step, set(block["clock"])), span=10),), head=True))
        for row in block.to_dict("records"):
            printed.append(_row(view, id, by, step, row, second.get((row["step"], row[by]))))
    data = pd.concat([main, finite], ignore_index=True)
    data = data[[*ESTIMATE_COLUMNS, "sources", "top_source", "top_share"]]
    columns = (
        Column(by.capitalize()),
        Column("median", "right", "Rate"),
        Column("50 % interval", "right", "Rate"),
        Column("90 % interval", "right", "Rate"),
        Column("median", "right", "Counted cases"),
        Column("90 % interval", "right", "Counted cases"),
        Column("bounds", "right", "Data alone"),
        Column("prior · own", "right", "Contraction"),
        Column("Basis"),
        Column("Sources"),
    )
    folded = len(printed) > LONG
    return Table(id, title, columns, tuple(printed), data, NOTES + _extra_notes(data, view), folded)


def _row(
    view: View, id: str, by: str, step: StepView, row: dict[str, Any], finite: dict[str, Any] | None
) -> Row:
    node = row[by]
    depth = view.axes[by].depth(node) if node in view.axes[by].by_name else 0
    tone: Literal["", "muted"] = "muted" if row["label"] in ("prior-driven", WITHHELD) else ""
    why = withheld(row)
    if why:
        rate = [Cell(why, tone="muted", span=3)]
    else:
        places = decimals([row["q05"], row["q95"]], factor_of(step.scale))
        rate = [
            Cell(estimate(row["median"], step.scale, places), tone="muted" if tone else "strong"),
            Cell(interval(row["q25"], row["q75"], step.scale, places), tone=tone),
            Cell(interval(row["q05"], row["q95"], step.scale, places), tone=tone),
        ]
    return Row(
        (
            Cell(view.label(by, node)),
            *rate,
            *_finite(step.scale, finite),
            Cell(bounds(row, step.scale), tone="muted"),
            Cell(f"{share(row['contraction'])} · {share(row['contraction_own'])}"),
            Cell(labeled(str(row["label"]))),
            Cell(sources_text(row)),
        ),
        anchor(id, row["step"], node),
        depth,
    )


def _finite(scale: Scale, row: dict[str, Any] | None) -> list[Cell]:
    if row is None:
        return [Cell(NONE, tone="muted", span=2)]
    if withheld(row):
        return [Cell(withheld(row).split(":")[0], tone="muted", span=2)]
    places = decimals([row["q05"], row["q95"]], factor_of(scale))
    median = Cell(estimate(row["median"], scale, places))
    if row["label"] == "counted":
        return [median, Cell("counted", tone="muted")]
    return [median, Cell(interval(row["q05"], row["q95"], scale, places))]


def _extra_notes(data: pd.DataFrame, view: View) -> tuple[str, ...]:
    notes = []
    if (data["clock"] == "period").any():
        notes.append(
            "A same-period ratio divides outcomes dated in a period by referrals dated in it. The outcomes "
            "may belong to earlier referrals: it is not the share of these referrals that led to an outcome, "
            "it may exceed one, and it has no finite-population value."
        )
    if (data["bound_basis"] == MIXED).any():
        notes.append("* Bounds over the data and the stated mix of the unknown denominators.")
    if view.run.unfit:
        notes.append(UNFIT)
    return tuple(notes)
