"""The fields of one row: categories, words from a list, dates and counts, with every fault located."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .calendar import Span, parse_date, parse_period
from .columns import Layout
from .errors import Problem, did_you_mean
from .faults import Faults
from .inputs import InputSpec
from .names import ROOT
from .sources import Sources
from .spelling import oddity
from .table import Table
from .tokens import NumberFault


@dataclass
class Fields:
    """Reads the fields of the rows of one table.

    Parameters
    ----------
    table : Table
    spec : InputSpec
    layout : Layout
    sources : Sources
    today : str
        Stands in for a missing as-of date; ``undated`` counts the rows where it had to.
    faults : Faults
    units : mapping of str to str, optional
        Class of every unit text; None where the plan gives no table of units.
    """

    table: Table
    spec: InputSpec
    layout: Layout
    sources: Sources
    today: str
    faults: Faults
    units: Mapping[str, str] | None = None
    undated: int = 0
    _strange: set[str] = field(default_factory=set)

    def row(self, position: int) -> dict[str, str]:
        """One row by standard name, with the plan's ``values`` applied; other columns by their own name."""
        cells = self.table.rows[position]
        out = {column: cells[at].strip() for column, at in self.layout.unread.items()}
        out |= {name: cells[at] for name, at in self.layout.at.items()}
        for name, mapped in self.spec.values.items():
            if name in self.layout.at:
                raw = out[name]
                out[name] = mapped.get(raw, mapped.get(raw.strip(), raw))
        return out

    def fault(self, row: int, name: str, what: str, found: str, allowed: str = "", do: str = "") -> None:
        """Report a fault in one field of the row with this number."""
        column = self.layout.theirs.get(name, name)
        self.faults.add(
            Problem(what, f"{self.table.name}, row {row}, column {column}", repr(found), allowed, do),
            f"{self.table.name}, column {column}",
        )

    def category(self, row: int, values: Mapping[str, str], name: str) -> str | None:
        """A node's name as it stands; None after a fault. A column that is absent means the root."""
        if name not in self.layout.at:
            # That a column is not there which the plan names has been said: without it no row can be placed.
            return None if name in self.layout.theirs else ROOT
        text = values[name]
        if not text.strip():
            self.fault(
                row, name, f"empty {name}", text, do=f"fill it in; a total over all is written {ROOT!r}"
            )
            return None
        odd = oddity(text)
        if odd:
            hint = f'correct it, or map it: values.{name} = {{"{text}" = "…"}}'
            self.fault(row, name, f"odd spelling of a name: {odd}", text, do=hint)
            return None
        return text

    def word(
        self, row: int, values: Mapping[str, str], name: str, allowed: Sequence[str], default: str
    ) -> str | None:
        """A word from a list, ``default`` where the field is empty; None after a fault."""
        text = values.get(name, "").strip() or default
        if text in allowed:
            return text
        hint = f'{did_you_mean(text, allowed)} or map it: values.{name} = {{"{text}" = "…"}}'
        self.fault(row, name, f"unknown {name}", text, ", ".join(allowed), hint)
        return None

    def unit_class(self, row: int, unit: str) -> str:
        """The class of a unit; empty without a table of units or a unit. An unlisted unit is one fault."""
        if self.units is None or not unit or unit in self._strange:
            return ""
        if unit not in self.units:
            self._strange.add(unit)
            self.faults.add(
                Problem(
                    "unit without a class",
                    f"{self.table.name}, row {row}, column {self.layout.theirs.get('unit', 'unit')}",
                    repr(unit),
                    do=f"{did_you_mean(unit, self.units)}; or add it to {self.spec.units}",
                )
            )
        return self.units.get(unit, "")

    def as_of(self, row: int, values: Mapping[str, str], source: str) -> str | None:
        """When the fact was known: the row's date, its source's publication, the input's, today.

        The end of the month or year where only that is given; None after a fault.
        """
        text = values.get("as_of", "").strip()
        if text:
            try:
                return parse_date(text, end=True).isoformat()
            except ValueError as error:
                self.fault(row, "as_of", "not a date", text, do=str(error))
                return None
        known = self.sources.published.get(source) or self.spec.as_of
        self.undated += known is None
        return known or self.today

    def period(self, row: int, values: Mapping[str, str]) -> tuple[bool, Span | None]:
        """The wide form's period; the first element is False after a fault."""
        text = values.get("period", ROOT).strip()
        try:
            return True, parse_period(text)
        except ValueError as error:
            what = "not a period" if text else "empty period"
            self.fault(row, "period", what, text, "2024, 2024Q3 or all", str(error))
            return False, None

    def dates(self, row: int, values: Mapping[str, str]) -> Span | None:
        """The long form's period; None after a fault."""
        ends = []
        for name in ("period_start", "period_end"):
            text = values.get(name, "").strip()
            try:
                ends.append(parse_date(text, end=name == "period_end"))
            except ValueError as error:
                self.fault(row, name, "not a date" if text else f"empty {name}", text, do=str(error))
        if len(ends) < 2:
            return None
        if ends[0] > ends[1]:
            self.fault(
                row,
                "period_end",
                "the period ends before it starts",
                values["period_end"].strip(),
                f"{values['period_start'].strip()} or later",
            )
            return None
        return Span(ends[0], ends[1])

    def number_fault(self, row: int, name: str, text: str, fault: NumberFault) -> None:
        """Report a field that is not a number."""
        self.fault(row, name, fault.what, text.strip(), fault.allowed, fault.do)
