"""The long form: one row a statement."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

from .draft import Draft, Drafts
from .fields import Fields
from .names import CLOCKS, CLOSED, ORIGINS, RELATIONS, ROLES, SHARE_OF, Clock, Origin, Role
from .statement import Statement
from .tokens import (
    NOT_APPLICABLE,
    NOT_REPORTED,
    NumberFault,
    Reading,
    decimal_number,
    parse_tokens,
    share_number,
    whole_number,
)

NUMBERS = ("count", "count_low", "count_high")
_NEEDS_RANGE = ("range", "suppressed")


def read_long(fields: Fields, label: str, roles: Collection[str] = ("use",)) -> Drafts:
    """Drafts of a long table.

    Parameters
    ----------
    fields : Fields
    label : str
        The table's name in statement ids, unique within the panel.
    roles : collection of str
        Those that may be fitted, whose counts must be whole.
    """
    tokens = parse_tokens(fields.spec.tokens)
    spec = fields.spec
    drafts: list[Draft] = []
    blank = inapplicable = 0
    for position, number in enumerate(fields.table.numbers):
        row = fields.row(position)
        role = fields.word(number, row, "funnel_role", ROLES, "use")
        reading = _reading(fields, number, row, tokens, whole=role in roles)
        if reading is not None and reading.state != "count":
            blank += reading.state == "not reported"
            inapplicable += reading.state == "not applicable"
            continue
        offense = fields.category(number, row, "offense")
        jurisdiction = fields.category(number, row, "jurisdiction")
        stage = fields.category(number, row, "stage")
        span = fields.dates(number, row)
        origin = fields.word(number, row, "origin", ORIGINS, spec.origin or "unknown")
        clock = fields.word(number, row, "clock", CLOCKS, spec.clock or "unknown")
        source = row.get("source_id", "").strip() or spec.source_id or fields.table.name
        as_of = fields.as_of(number, row, source)
        part_of = fields.category(number, row, "part_of") if row.get("part_of", "").strip() else ""
        if reading is None or span is None or offense is None or jurisdiction is None or stage is None:
            continue
        if origin is None or clock is None or role is None or as_of is None or part_of is None:
            continue
        statement = Statement(
            id=f"{label}:{number}:{stage}",
            stage=stage,
            offense=offense,
            jurisdiction=jurisdiction,
            period=span.label,
            relation=reading.relation,
            count=reading.count,
            low=reading.low,
            high=reading.high,
            unit=row.get("unit", "").strip(),
            unit_class=fields.unit_class(number, row.get("unit", "").strip()),
            origin=cast("Origin", origin),
            clock=cast("Clock", clock),
            as_of=as_of,
            source_id=source,
            role=cast("Role", role),
            file=fields.table.name,
            row=number,
            note=row.get("note", "").strip(),
        )
        drafts.append(
            Draft(statement, span, row, fields.layout.theirs["count"], fields.layout.theirs, part_of)
        )
    return Drafts(drafts, blank, inapplicable)


def _reading(
    fields: Fields, number: int, row: Mapping[str, str], tokens: Mapping[str, Reading], whole: bool
) -> Reading | None:
    """The relation and numbers of a row; None after a fault."""
    text = {name: row.get(name, "").strip() for name in NUMBERS}
    if not any(text.values()):
        return NOT_REPORTED
    token = tokens.get(text["count"]) if text["count"] else None
    if token is not None:
        # A declared token says what is known, whatever the relation column holds.
        return (
            token
            if token.state == "count"
            else (NOT_REPORTED if token.state == "not reported" else NOT_APPLICABLE)
        )
    relation = row.get("relation", "").strip()
    share = relation.startswith(SHARE_OF) and len(relation) > len(SHARE_OF)
    if relation not in RELATIONS and not share:
        allowed = (*RELATIONS, f"{SHARE_OF}<stage>")
        if relation:
            fields.word(number, row, "relation", allowed, "")
        else:
            fields.fault(number, "relation", "empty relation", "", ", ".join(allowed), "fill it in")
        return None
    values: dict[str, float | None] = {}
    sound = True
    for name in NUMBERS:
        try:
            read = share_number if share else whole_number if whole else decimal_number
            values[name] = read(text[name]) if text[name] else None
        except NumberFault as fault:
            fields.number_fault(number, name, text[name], fault)
            sound = False
    if not sound:
        return None
    reading = Reading("count", relation, values["count"], values["count_low"], values["count_high"])
    return _complete(fields, number, reading, share)


def _complete(fields: Fields, number: int, reading: Reading, share: bool) -> Reading | None:
    """Check that a relation has the numbers it needs and no others; None after a fault."""
    relation, count, low, high = reading.relation, reading.count, reading.low, reading.high

    def refuse(name: str, what: str, found: str, allowed: str, do: str) -> None:
        fields.fault(number, name, what, found, allowed, do)

    if (low is None) != (high is None):
        name = "count_low" if low is None else "count_high"
        refuse(
            name,
            "half a range",
            "",
            "both count_low and count_high",
            "fill in both, or use at_least, at_most",
        )
        return None
    if low is not None and high is not None and low > high:
        refuse(
            "count_low", "the range is empty, its low end exceeds its high end", f"{low:g}..{high:g}", "", ""
        )
        return None
    ranged = low is not None
    if relation in _NEEDS_RANGE and not ranged:
        refuse(
            "count_low",
            f"relation {relation} without its range",
            "",
            "count_low and count_high",
            "fill in both",
        )
        return None
    if relation in _NEEDS_RANGE and count is not None:
        refuse(
            "count",
            f"relation {relation} with a count",
            f"{count:g}",
            "an empty count",
            "use count_low, count_high",
        )
        return None
    if relation == CLOSED and count is not None and ranged:
        refuse(
            "count",
            f"relation {relation} with a count and a range",
            f"{count:g}, {low:g}..{high:g}",
            "one of the two",
            "empty count, or count_low and count_high",
        )
        return None
    if relation in ("exact", "approx", "at_least", "at_most", "rounded") and count is None:
        refuse(
            "count", f"relation {relation} without a count", "", "a count", "a range has the relation range"
        )
        return None
    if relation in ("exact", "at_least", "at_most") and ranged:
        refuse(
            "count_low",
            f"relation {relation} with a range",
            f"{low:g}..{high:g}",
            "empty fields",
            "use the relation range",
        )
        return None
    # A share that states both a value and its limits is known by its limits.
    return replace(reading, count=None) if share and ranged else reading
