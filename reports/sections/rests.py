"""What each number of the front table rests on: its information by source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from ..companions import LONG, withheld
from ..document import Cell, Column, Row, Section, Table
from ..front import name_of, row_link
from ..numbers import number, plural
from ..printed import left, printed, right, text
from ..sentences import Sentence, said
from ..steps import words
from ..view import View
from ..wording import say
from .sources import address

order = 12
title = "What each number rests on"
short = True
TABLE: Final = "rests"
MOST: Final = 4


def build(view: View) -> Section | None:
    """Sources of every number the front table shows, with links, and the kinds of observation."""
    data = informed(view)
    if not len(data):
        return None
    return Section("section-rests", title, (*said(view, SENTENCES), _table(view, data), _kinds(view)))


def informed(view: View) -> pd.DataFrame:
    """One row a shown front number and source: step, offense, name, share, of_data, rank, and the source's facts.

    ``share`` is of all information, the prior's included; ``of_data`` of what the data said.
    """
    rows = view.rates("offense")
    rows = rows.loc[[i for i, row in rows.to_dict("index").items() if not withheld(row)]]
    info = view.run.information
    info = info[(info["by"] == "source_id") & (info["share"] > 0)]
    data = rows[["quantity_id", "step", "offense", "label"]].merge(info, on="quantity_id").drop(columns="by")
    data["prior"] = data["name"] == "prior"
    told = data["share"].mask(data["prior"], 0.0)
    data["of_data"] = (told / told.groupby(data["quantity_id"]).transform("sum")).mask(data["prior"])
    place = {name: i for i, name in enumerate(rows["quantity_id"])}
    data["place"] = data["quantity_id"].map(place)
    data = data.sort_values(
        ["place", "prior", "share", "name"], ascending=[True, True, False, True], kind="stable"
    )
    data["rank"] = data.groupby("quantity_id").cumcount() + 1
    known = pd.DataFrame(view.run.intake.get("sources", []), columns=None)
    facts = [c for c in ("title", "publisher", "confidence", "url") if c in known]
    if facts:
        known = known.drop_duplicates("source_id")[["source_id", *facts]].rename(
            columns={"source_id": "name"}
        )
        data = data.merge(known, how="left", on="name")
    for column in ("title", "publisher", "confidence", "url"):
        if column not in data:
            data[column] = ""
    return data.drop(columns=["place", "prior"]).reset_index(drop=True)


def _table(view: View, data: pd.DataFrame) -> Table:
    printed_rows: list[Row] = []
    for _, block in data.groupby("quantity_id", sort=False):
        first = block.iloc[0]
        step = view.step[first["step"]]
        head = f"{name_of(view, first['offense'])}, {step.title}: {first['label']}"
        printed_rows.append(Row((Cell(head, href=row_link(first["offense"]), span=5),), head=True))
        sources = block[block["name"] != "prior"]
        printed_rows += [_line(row) for row in sources.head(MOST).to_dict("records")]
        rest = sources.iloc[MOST:]
        if len(rest):
            words_ = plural(len(rest), "other source")
            printed_rows.append(_sums(words_, rest["share"].sum(), rest["of_data"].sum()))
        prior = block[block["name"] == "prior"]
        if len(prior):
            printed_rows.append(_sums("the prior", float(prior["share"].iloc[0]), None))
    columns = (
        Column("Source"), Column("Publisher"), Column("Confidence"), Column("Of all", "right"),
        Column("Of what the data said", "right"),
    )  # fmt: skip
    notes = (
        "Of all: share of the information behind the number, the prior's included. A number with a large share "
        "of the prior repeats what was assumed.",
        say("The {most} largest sources of each; tables/{id}.csv holds them all.").format(
            most=MOST, id=TABLE
        ),
    )
    shown = data.drop(columns=["rank"])
    return Table(
        TABLE, "Information by source", columns, tuple(printed_rows), shown, notes, len(printed_rows) > LONG
    )


def _line(row: dict[str, object]) -> Row:
    name = text(row["title"]) or str(row["name"])
    return Row(
        (
            Cell(name, address(row["url"])),
            Cell(text(row["publisher"])),
            Cell(text(row["confidence"])),
            Cell(_percent(row["share"])),
            Cell(_percent(row["of_data"])),
        )
    )


def _sums(name: str, share: float, of_data: float | None) -> Row:
    told = Cell("" if of_data is None else _percent(of_data), tone="muted")
    return Row((Cell(name, tone="muted"), Cell(), Cell(), Cell(_percent(share), tone="muted"), told))


def _percent(value: object) -> str:
    share = float(str(value))
    return "below 1 %" if 0 < share < 0.005 else f"{number(share * 100, 0)} %"


def _kinds(view: View) -> Table:
    """Shares of information by kind of observation in each rate of the whole."""
    rows = view.rates("offense")
    rows = rows[rows["offense"] == view.answer["offense"]][["quantity_id", "step"]]
    info = view.run.information
    data = rows.merge(info[info["by"] == "kind"], on="quantity_id")[["step", "name", "share"]]
    return printed(
        "information",
        "What the rates of the whole rest on, by kind of observation",
        data.reset_index(drop=True),
        {
            "step": left("Step", lambda s: view.step[s].title),
            "name": left("Kind of observation", lambda k: words(str(k))),
            "share": right("Share", _percent),
        },
        folded=len(data) > LONG,
    )


def _largest(view: View, threshold: float) -> Iterator[Mapping[str, str]]:
    """The largest source of each number of the whole."""
    data = informed(view)
    data = data[data["offense"] == view.answer["offense"]]
    for step, block in data.groupby("step", sort=False):
        sources = block[block["name"] != "prior"]
        if len(sources) <= threshold:
            continue
        top = sources.iloc[0]
        prior = block.loc[block["name"] == "prior", "share"]
        yield {
            "step": view.step[str(step)].title,
            "n": plural(len(sources), "source"),
            "source": text(top["title"]) or str(top["name"]),
            "share": number(top["of_data"] * 100, 0),
            "prior": number(float(prior.sum()) * 100, 0),
            "confidence": _by_confidence(sources),
            "link": f"#{TABLE}",
        }


def _by_confidence(sources: pd.DataFrame) -> str:
    """How much of what the data said comes from sources of each confidence; empty where none is known."""
    known = sources[sources["confidence"].fillna("").astype(str) != ""]
    shares = known.groupby("confidence")["of_data"].sum().sort_values(ascending=False)
    if not len(shares):
        return ""
    return "; by their confidence: " + ", ".join(f"{name} {_percent(v)}" for name, v in shares.items())


SENTENCES = (
    Sentence(
        "largest source",
        "{step}: the number of the whole rests on {n}; “{source}” gave {share} % of what the data said, and the prior "
        "holds {prior} % of all{confidence}.",
        _largest,
        link_text="the shares",
    ),
)
