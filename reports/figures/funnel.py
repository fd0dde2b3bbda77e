"""The funnel: of a hundred units at a stage, how many reach the next."""

from __future__ import annotations

import pandas as pd

from ..canvas import ACCENT, DPI, INK, MID, PALE, PX, WIDTH, canvas, svg_of
from ..companions import withheld
from ..document import Figure, Table
from ..numbers import decimals, estimate, factor_of, interval
from ..view import View
from ..wording import say

ID = "figure-funnel"


def draw(view: View, table: Table) -> Figure:
    """One bar a step, the last for the whole way, at the root offense and the answer's nodes."""
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.answer["offense"]].set_index("step")
    steps = [step for step in view.steps if step.name in rows.index]
    top = max([1.0, *rows["q95"].dropna()])
    title = say("The funnel: {label}, {place}").format(
        label=view.label("offense", view.answer["offense"]), place=view.place
    )
    words = []
    with canvas(ID, WIDTH, 40 + 44 * len(steps)) as figure:
        axes = figure.subplots()
        for y, step in enumerate(steps):
            row = rows.loc[step.name].to_dict()
            axes.barh(y, 1, height=0.4, color=PALE)
            if withheld(row):
                label = withheld(row)
            else:
                axes.barh(y, row["median"], height=0.4, color=ACCENT)
                axes.plot([row["q05"], row["q95"]], [y, y], color=INK, lw=1.4)
                for end in (row["q05"], row["q95"]):
                    axes.plot([end, end], [y - 0.12, y + 0.12], color=INK, lw=1.4)
                places = decimals([row["q05"], row["q95"]], factor_of(step.scale))
                label = estimate(row["median"], step.scale, places)
                label += f"  ({interval(row['q05'], row['q95'], step.scale, places)})"
            words.append(f"{step.title}: {label}")
            axes.text(
                0, y - 0.3, step.title, va="bottom", ha="left", fontweight="bold" if step.whole else None
            )
            axes.text(top, y - 0.3, label, va="bottom", ha="right", color=INK if not withheld(row) else MID)
        axes.set_ylim(len(steps) - 0.6, -0.75)
        axes.set_xlim(0, top)
        axes.axis("off")
        alt = say("Bars, one a step, filled to the rate with its 90 percent interval. {steps}.").format(
            steps="; ".join(words)
        )
        svg = svg_of(figure, ID, title, alt)
    caption = (
        "Full bar: every unit at the first stage of the step. Dark part: the median share that reaches the second, "
        "or the outcomes per unit where the two are counted in different units. Line: 90 % interval. The steps "
        "multiply to the whole way only where the units stay the same."
    )
    return Figure(ID, title, alt, svg, figure.get_figwidth() * DPI * PX, table, caption)


def selected(rows: pd.DataFrame, view: View) -> pd.DataFrame:
    """The rows behind the figure."""
    return rows[rows["offense"] == view.answer["offense"]]
