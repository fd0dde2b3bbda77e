"""What this cannot tell you, read off the run itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ..companions import WITHHELD
from ..document import Paragraph, Section
from ..numbers import count, number, plural, share
from ..observed import STATES
from ..sentences import Sentence, said
from ..view import View
from ..wording import say

order = 100
title = "What this cannot tell you"


def build(view: View) -> Section:
    """One sentence for each limit this run has."""
    found = said(view, SENTENCES)
    if not found:
        found = (Paragraph("The run records none of the limits this report knows how to look for."),)
    return Section("section-limits", title, found)


def _labels(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    for by in ("offense", "jurisdiction", "period"):
        rows = view.rates(by)
        weak = int((rows["label"] == "prior-driven").sum())
        none = int((rows["label"] == WITHHELD).sum())
        if len(rows) and (weak + none) / len(rows) > threshold:
            table = {"offense": "answer"}.get(by, f"{by}s")
            yield {
                "by": by,
                "n": count(len(rows)),
                "weak": count(weak),
                "none": count(none),
                "link": f"#{table}",
            }


def _silent(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    axis = view.axes["jurisdiction"]
    answer = view.answer["jurisdiction"]
    states = view.observed.states[1:]
    quiet = (states == STATES.index("not reported")).all(axis=(0, 2))
    silent = [name for name, is_quiet in zip(view.observed.places, quiet, strict=True) if is_quiet]
    names = [axis.label(n) for n in silent if n == answer or answer in axis.ancestors(n)]
    if len(names) > threshold:
        more = say(" and {names} more").format(names=count(len(names) - 6)) if len(names) > 6 else ""
        which = ", ".join(names[:6]) + more
        yield {"n": plural(len(names), "jurisdiction"), "names": which, "link": "#section-known"}


def _clock(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    same = rows[rows["clock"] == "period"]
    if len(same) > threshold:
        steps = ", ".join(view.step[s].title for s in dict.fromkeys(same["step"]))
        yield {"steps": steps, "link": "#answer"}


def _ratio(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    ratio = [step for step in view.steps if step.kind == "ratio"]
    if len(ratio) > threshold:
        yield {"steps": ", ".join(step.title for step in ratio), "link": "#answer"}


def _assumed(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    for step in view.steps:
        if step.assumed and not (step.whole and len(view.steps) > 1):
            yield {"step": step.title, "why": step.assumed.rstrip("."), "link": "#answer"}


def _bounds(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.answer["offense"]]
    wide = rows[(rows["bound_high"] - rows["bound_low"]) > threshold]
    found = [
        say("{title} from {bound_low} to {bound_high} %").format(
            title=view.step[row["step"]].title,
            bound_low=number(row["bound_low"] * 100, 0),
            bound_high=number(row["bound_high"] * 100, 0),
        )
        for row in wide.to_dict("records")
        if view.step[row["step"]].kind == "probability"
    ]
    if found:
        yield {"ranges": "; ".join(found), "link": "#answer"}


def _own(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    gap = rows["contraction"] - rows["contraction_own"]
    lent = rows[(gap > threshold) & (rows["offense"] != view.answer["offense"])]
    if len(lent):
        names = dict.fromkeys(view.label("offense", o) for o in lent["offense"])
        yield {"names": ", ".join(list(names)[:6]), "gap": share(float(gap.max())), "link": "#answer"}


def _one_source(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.answer["offense"]]
    rows = view.with_sources(rows)
    rows = rows[rows["top_share"] > threshold]
    for source, block in rows.groupby("top_source", sort=False):
        steps = [f"{view.step[s].title} {number(p * 100, 0)} %" for s, p in zip(
            block["step"], block["top_share"], strict=True)]  # fmt: skip
        yield {"source": str(source), "steps": ", ".join(steps), "link": "#sources"}


def _origins(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    used = view.used
    if not len(used):
        return
    other = (used["origin"] != "referred_only").mean()
    if other > threshold:
        yield {"share": number(other * 100, 0), "link": "#intake-counts"}


def _suspects(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    suspects = view.run.intake.get("suspects", [])
    if len(suspects) > threshold:
        yield {
            "n": plural(len(suspects), "suspicious pattern"),
            "first": str(suspects[0]).rstrip("."),
            "link": "#section-intake",
        }


def _missing(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    blank = view.run.intake.get("not_reported", 0)
    if blank > threshold:
        yield {"n": plural(blank, "field"), "link": "#section-known"}


def _wide(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    rows = view.rates("jurisdiction")
    rows = rows[rows["median"].notna() & (rows["median"] > 0)]
    if len(rows):
        wide = (rows["q95"] - rows["q05"]) / rows["median"] > threshold
        if wide.any():
            yield {
                "n": count(int(wide.sum())),
                "of": count(len(rows)),
                "width": number(threshold * 100, 0),
                "median": number(float(np.median((rows["q95"] - rows["q05"]) / rows["median"])) * 100, 0),
                "link": "#jurisdictions",
            }


SENTENCES = (
    Sentence(
        "weak rows",
        "By {by}, {weak} of {n} rates are prior-driven and {none} are not published: the data do not "
        "decide them.",
        _labels,
    ),
    Sentence(
        "silent jurisdictions",
        "Nothing is recorded about outcomes in {n} ({names}). What is said of them is what "
        "their neighbors suggest, if those who do not report are like those who do; the data cannot show "
        "that they are.",
        _silent,
    ),
    Sentence(
        "same-period ratios",
        "{steps}: outcomes and referrals are matched by date, not by case. These are same-period ratios, "
        "not shares of referrals that led to an outcome.",
        _clock,
    ),
    Sentence(
        "ratios",
        "{steps}: the unit of counting changes, so the figure is outcomes per unit. It may exceed 1 and "
        "says nothing of how many units had any outcome.",
        _ratio,
    ),
    Sentence(
        "one to one",
        "{step}: the units differ and were taken as one to one because: {why}. Where that is wrong, so is "
        "the rate.",
        _assumed,
    ),
    Sentence(
        "wide bounds",
        "Without a model, the data alone leave room: {ranges}. What is narrower than that comes from "
        "pooling.",
        _bounds,
        0.2,
    ),
    Sentence(
        "borrowed strength",
        "Some rates rest on their relatives rather than on data of their own ({names}; the largest gap "
        "between the two contractions is {gap}).",
        _own,
        0.2,
    ),
    Sentence(
        "one source",
        "Much of what is known comes from one source, {source} ({steps}). An error there is an error here.",
        _one_source,
        0.5,
        link_text="the sources",
    ),
    Sentence(
        "origins",
        "{share} % of the statements used do not say, or do not hold, that their cases began as referrals.",
        _origins,
    ),
    Sentence(
        "wide intervals",
        "{n} of {of} published rates by jurisdiction have a 90 % interval wider than {width} % of the rate "
        "(median {median} %): use them as ranges, not as numbers.",
        _wide,
        1.0,
    ),
    Sentence(
        "suspects",
        "Found in the data and left as it is: {n}; the first: {first}.",
        _suspects,
        link_text="the intake",
    ),
    Sentence(
        "not reported",
        "Blank in the data: {n}. A blank is read as not reported, never as zero.",
        _missing,
        link_text="the map",
    ),
)
