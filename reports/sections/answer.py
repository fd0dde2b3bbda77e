"""The answer: offense by step, with every companion of every number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ...data.names import LABELS
from ..companions import anchor, companions, withheld
from ..document import Paragraph, Section, attempt
from ..figures.answer import draw
from ..numbers import count, decimals, estimate, factor_of, interval, probability
from ..sentences import Sentence, said
from ..view import View

order = 10
title = "The answer"
TABLE = "answer"


def build(view: View) -> Section:
    """Sentences, the table, the same as a figure."""
    table = companions(view, TABLE, f"Offense by step: {view.place}", "offense")
    failed = tuple(
        Paragraph(
            f"Check failed, {check['name']}: {check['sentence']}", "#section-diagnostics", "checks", "warning"
        )
        for check in view.failed_checks
    )
    figure = attempt("the figure of rates by offense", lambda: draw(view, table))
    return Section("section-answer", title, (*said(view, SENTENCES), *failed, table, *figure))


def _headline(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    for row in rows[rows["offense"] == view.answer["offense"]].to_dict("records"):
        step = view.step[row["step"]]
        link = "#" + anchor(TABLE, row["step"], row["offense"])
        why = withheld(row)
        if why:
            yield {"text": f"{step.title} is {why}.", "link": link}
            continue
        places = decimals([row["q05"], row["q95"]], factor_of(step.scale))
        middle = estimate(row["median"], step.scale, places)
        ends = interval(row["q05"], row["q95"], step.scale, places)
        name = "the same-period ratio" if row["clock"] == "period" else "the rate"
        unit = "" if step.scale == "percent" else f" per {step.unit}"
        yield {
            "text": f"{step.title}: {name} is {middle}{unit} (90 % interval {ends}), {row['label']}.",
            "link": link,
        }


def _labels(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    counts = rows["label"].value_counts()
    said = ", ".join(f"{count(counts[label])} {label}" for label in LABELS if counts.get(label, 0))
    if len(rows) > threshold:
        yield {"n": count(len(rows)), "said": said, "link": f"#{TABLE}"}


def _highest(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """The published leaf offense most likely the highest of them, where that is likely enough."""
    rows = view.rates("offense")
    rows = rows[rows["offense"].isin(view.axes["offense"].leaves)]
    for name, block in rows.groupby("step", sort=False):
        block = block[[not withheld(row) for row in block.to_dict("records")]]
        if len(block) < 2:
            continue
        draws = view.draws_of(list(block["quantity_id"]))
        if np.isnan(draws).any():
            continue
        share = np.bincount(draws.argmax(axis=1), minlength=len(block)) / len(draws)
        best = int(share.argmax())
        if share[best] >= threshold:
            row = block.iloc[best]
            yield {
                "step": view.step[str(name)].title,
                "offense": view.label("offense", row["offense"]),
                "n": count(len(block)),
                "p": probability(share[best]),
                "link": "#" + anchor(TABLE, row["step"], row["offense"]),
            }


SENTENCES = (
    Sentence("headline", "{text}", _headline, link_text="its row"),
    Sentence("labels", "Of the {n} rates in the table: {said}.", _labels),
    Sentence(
        "highest offense",
        "{step}: among the {n} published offenses, {offense} has the highest rate with probability {p}.",
        _highest,
        0.9,
        link_text="its row",
    ),
)
