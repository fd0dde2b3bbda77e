"""The answer: every offense by every step, its key and why parts of it are empty; then all companions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from ...data.names import LABELS
from .. import reasons
from ..companions import anchor, companions, labeled, withheld
from ..document import Paragraph, Section, Table, attempt
from ..figures.answer import draw
from ..front import FRONT, front_table, grid, row_link
from ..numbers import count, decimals, estimate, factor_of, interval, plural, probability
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..variants import variants
from ..view import View
from ..wording import say

order = 10
title = "The answer"
short = True
TABLE = "answer"
MEANING = {
    "data-driven": "The published counts decide the number; the model adds little.",
    "model-assisted": "The counts narrow it, and the model fills in from related places, periods or offenses.",
    "prior-driven": "The counts say little of it: the number mostly repeats what was assumed, or what other places, "
    "offenses or periods say. Read its bounds first.",
    "not published": "Not estimable from published data. Only the bounds are known.",
    "counted": "Every case was counted: there is nothing to estimate.",
    "confidential": "A count that is held back could be read from it. The bounds follow from what is told.",
}


def build(view: View) -> Section:
    """Sentences, the table with its key, and every companion of every number."""
    table = companions(
        view, TABLE, say("Every number with its companions: {place}").format(place=view.place), "offense"
    )
    front = replace(front_table(view), variants=variants(view))
    failed = tuple(
        Paragraph(
            say("Check failed, {name}: {sentence}").format(name=check["name"], sentence=check["sentence"]),
            "#section-diagnostics",
            "checks",
            "warning",
        )
        for check in view.failed_checks
    )
    figure = attempt("the figure of rates by offense", lambda: draw(view, table))
    blocks = (
        *failed,
        *notes(view),
        front,
        *said(view, SENTENCES),
        _key(front),
        *said(view, reasons.SENTENCES),
    )
    return Section("section-answer", title, (*blocks, table, *figure))


def notes(view: View) -> tuple[Paragraph, ...]:
    """What the plan's author says of the numbers."""
    out = []
    for note in view.run.notes:
        behind = ", ".join(part for part in (note["source"], note["date"]) if part)
        out.append(Paragraph(note["text"] + (f" ({behind})" if behind else ""), tone="caveat"))
    return tuple(out)


def _key(front: Table) -> Table:
    """What the labels of the table mean, and how many numbers carry each."""
    counts = front.data["label"].value_counts()
    data = pd.DataFrame(
        [
            {"label": label, "meaning": MEANING[label], "numbers": int(counts.get(label, 0))}
            for label in LABELS
            if counts.get(label, 0) or label not in ("counted", "confidential")
        ]
    )
    show = {
        "label": left("Label", labeled),
        "meaning": left("What it means", text),
        "numbers": right("Numbers", count),
    }
    notes = []
    if (front.data["clock"] == "period").any():
        notes.append(
            "Same-period ratio: outcomes dated in a period divided by referrals dated in the same period, "
            "whichever referral they belong to. It is not the share of these referrals that led to the outcome."
        )
    notes.append(
        "90 %: the interval that holds the number with a probability of 90 %, given the data and the model. "
        "Data alone: the lowest and highest value that the published counts allow without any model."
    )
    return printed("front-key", "How to read the table", data, show, tuple(notes))


def _headline(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    every = grid(view)
    for row in rows[rows["offense"] == view.answer["offense"]].to_dict("records"):
        step = view.step[row["step"]]
        link = row_link(row["offense"])
        parts = every[(every["step"] == step.name) & (every["offense"] != view.answer["offense"])]
        rest = ""
        if len(parts):
            none = int((parts["why"] != "").sum())
            rest = say(" Of the {parts} below it, {known} with a number").format(
                parts=plural(len(parts), "offense"), known=count(len(parts) - none)
            )
            rest += say(", {none} without.").format(none=count(none)) if none else "."
        why = withheld(row)
        if why:
            yield {
                "text": say("{title} is {why}.{rest}").format(title=step.title, why=say(why), rest=rest),
                "link": link,
            }
            continue
        places = decimals([row["q05"], row["q95"]], factor_of(step.scale))
        middle = estimate(row["median"], step.scale, places)
        ends = interval(row["q05"], row["q95"], step.scale, places)
        name = "the same-period ratio" if row["clock"] == "period" else "the rate"
        unit = "" if step.scale == "percent" else say(" per {unit}").format(unit=step.unit)
        yield {
            "text": say("{title}: {name} is {middle}{unit} (90 % interval {ends}), {label}.{rest}").format(
                title=step.title,
                name=say(name),
                middle=middle,
                unit=unit,
                ends=ends,
                label=row["label"],
                rest=rest,
            ),
            "link": link,
        }


def _labels(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = grid(view)
    counts = rows["label"].value_counts()
    said = ", ".join(f"{count(counts[label])} {say(label)}" for label in LABELS if counts.get(label, 0))
    if len(rows) > threshold:
        yield {"n": count(len(rows)), "said": said, "link": f"#{FRONT}"}


def _level(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """Between which round numbers the rates of the whole lie."""
    whole = view.rates("offense")
    whole = whole[whole["offense"] == view.answer["offense"]]
    claims = [claim for word in ("above", "below") for claim in view.claims(word) if claim["holds"]]
    for row in whole.to_dict("records"):
        mine = [claim for claim in claims if claim["quantity_ids"][0] == row["quantity_id"]]
        if mine:
            parts = [f"{c['said'].split(' is ')[1]} ({probability(c['probability'])})" for c in mine]
            link = row_link(row["offense"])
            yield {"step": view.step[row["step"]].title, "parts": " and ".join(parts), "link": link}


def _highest(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """The offense that is the highest, where that is likely enough."""
    rows = view.rates("offense").set_index("quantity_id")
    for claim in view.claims("highest"):
        best = claim["quantity_ids"][0]
        if claim["holds"] and best in rows.index:
            row = rows.loc[best]
            link = "#" + anchor(TABLE, row["step"], row["offense"])
            yield {"text": claim["text"], "p": probability(claim["probability"]), "link": link}


SENTENCES = (
    Sentence("headline", "{text}", _headline, link_text="its row"),
    Sentence("labels", "Of the {n} rates in the table: {said}.", _labels),
    Sentence(
        "level of the whole",
        "{step}, in round numbers with their probabilities: {parts}.",
        _level,
        link_text="its row",
    ),
    Sentence(
        "highest offense",
        "{text} (probability {p}).",
        _highest,
        link_text="its row",
    ),
)
