"""The wide form: one row a cell, one column a stage, and where there is one a column of those closed without it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from .draft import Draft, Drafts
from .fields import Fields
from .names import CLOCKS, CLOSED, CLOSED_WITHOUT, ORIGINS, ROOT, Clock, Origin
from .statement import Statement
from .tokens import NumberFault, Reading, parse_tokens, read_count


def read_wide(fields: Fields, stages: tuple[str, ...], label: str) -> Drafts:
    """Drafts of a wide table.

    Parameters
    ----------
    fields : Fields
    stages : tuple of str
        Of the funnel; those that are columns are read, and the columns ``closed_without_<stage>``.
    label : str
        The table's name in statement ids, unique within the panel.
    """
    tokens = parse_tokens(fields.spec.tokens)
    named = [(stage, stage) for stage in stages] + [(CLOSED_WITHOUT + stage, stage) for stage in stages[1:]]
    present = [(column, stage) for column, stage in named if column in fields.layout.at]
    spec = fields.spec
    readings: dict[str, Reading] = {}  # most counts stand in many fields
    drafts: list[Draft] = []
    blank = inapplicable = 0
    for position, number in enumerate(fields.table.numbers):
        row = fields.row(position)
        offense = fields.category(number, row, "offense")
        jurisdiction = fields.category(number, row, "jurisdiction")
        ok, span = fields.period(number, row)
        origin = fields.word(number, row, "origin", ORIGINS, spec.origin or "referred_only")
        clock = fields.word(number, row, "clock", CLOCKS, spec.clock or "cohort")
        source = row.get("source_id", "").strip() or spec.source_id or fields.table.name
        as_of = fields.as_of(number, row, source)
        sound = ok and None not in (offense, jurisdiction, origin, clock, as_of)
        period = ROOT if span is None else span.label
        note = row.get("note", "").strip()
        for column, stage in present:
            text = row[column]
            try:
                reading = readings.get(text)
                if reading is None:
                    reading = readings[text] = read_count(text, tokens)
                if column != stage:
                    reading = _closed(reading)
            except NumberFault as fault:
                fields.number_fault(number, column, text, fault)
                continue
            if reading.state != "count":
                blank += reading.state == "not reported"
                inapplicable += reading.state == "not applicable"
                continue
            if not sound:
                continue
            statement = Statement(
                id=f"{label}:{number}:{column}",
                stage=stage,
                offense=offense or ROOT,
                jurisdiction=jurisdiction or ROOT,
                period=period,
                relation=reading.relation,
                count=reading.count,
                low=reading.low,
                high=reading.high,
                origin=cast("Origin", origin),
                clock=cast("Clock", clock),
                as_of=as_of or "",
                source_id=source,
                file=fields.table.name,
                row=number,
                note=note,
            )
            drafts.append(Draft(statement, span, row, fields.layout.theirs[column], fields.layout.theirs))
    return Drafts(drafts, blank, inapplicable)


def _closed(reading: Reading) -> Reading:
    """A count of units closed without the stage, exactly or within a range."""
    if reading.state != "count":
        return reading
    if reading.relation not in ("exact", "range", "suppressed"):
        raise NumberFault(
            f"{reading.relation.replace('_', ' ')} in a count of closed units",
            "a whole number, or a token that stands for a range",
            "give the range, or leave it empty",
        )
    return replace(reading, relation=CLOSED)
