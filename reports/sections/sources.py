"""Where the numbers come from: every source in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from ..document import Cell, Section
from ..numbers import count, number, plural
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..view import View

order = 120
title = "Sources"
short = True


def build(view: View) -> Section:
    """Every source with its link, how many of its statements were used, and its share in the whole."""
    known = pd.DataFrame(view.run.intake.get("sources", []))
    used = view.used
    counts = used["source_id"].value_counts() if len(used) else pd.Series(dtype=int)
    names = list(dict.fromkeys([*(known["source_id"] if len(known) else []), *counts.index]))
    data = pd.DataFrame({"source_id": names})
    if len(known):
        data = data.merge(known.drop_duplicates("source_id"), how="left", on="source_id")
    for column in ("title", "publisher", "published", "confidence", "url"):
        if column not in data:
            data[column] = ""
    data["read"] = data["source_id"].map(view.statements["source_id"].value_counts()).fillna(0).astype(int)
    data["statements"] = data["source_id"].map(counts).fillna(0).astype(int)
    data["share"] = data["source_id"].map(_shares(view))
    data["link"] = [address(u) for u in data["url"]]
    linked = dict(zip(data["source_id"], data["link"], strict=True))
    titled = dict(zip(data["source_id"], data["title"], strict=True))
    shown = data.assign(cited=data["source_id"])
    table = printed(
        "sources",
        "Sources",
        shown,
        {
            "source_id": left("Source", text),
            "cited": left("Title", lambda s: Cell(text(titled[s]) or s, linked[s])),
            "publisher": left("Publisher", text),
            "published": left("Published", text),
            **(
                {"confidence": left("Confidence", text)}
                if (data["confidence"].fillna("") != "").any()
                else {}
            ),
            "read": right("Numbers read", count),
            "statements": right("Used", count),
            "share": right("Share in the whole", lambda v: f"{number(v * 100, 0)} %" if v == v else "–"),
        },
        (
            "Share in the whole: of the information in the last rate of the answer's whole, the prior "
            "included.",
        ),
    )
    return Section("section-sources", title, (*said(view, SENTENCES), table))


def address(url: object) -> str:
    """The address where it is one a page may link to; empty otherwise."""
    found = text(url).strip()
    return found if found.lower().startswith(("https://", "http://")) else ""


def _shares(view: View) -> dict[str, float]:
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.answer["offense"]]
    if not len(rows):
        return {}
    info = view.run.information
    info = info[(info["quantity_id"] == rows["quantity_id"].iloc[-1]) & (info["by"] == "source_id")]
    return dict(zip(info["name"], info["share"], strict=True))


def _counted(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """How many sources were used, by their confidence."""
    known = {s["source_id"]: str(s.get("confidence") or "") for s in view.run.intake.get("sources", [])}
    named = list(dict.fromkeys(view.used["source_id"]))
    by = pd.Series([known.get(name, "") for name in named], dtype=object)
    by = by[by != ""].value_counts()
    if len(by) > threshold:
        said_ = ", ".join(f"{count(n)} {name}" for name, n in by.items())
        yield {"n": plural(len(named), "source"), "said": said_, "link": "#sources"}


SENTENCES = (Sentence("sources", "The numbers rest on {n}: {said}.", _counted, 0, link_text="the list"),)
