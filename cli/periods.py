"""Reading the periods of other people's tables: ``Q3 2024``, ``2024-07``, ``FY2024``, ``7/1/2024``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ..data.calendar import FIRST_YEAR, LAST_YEAR

Grain = Literal["year", "quarter", "month", "fiscal"]
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_GAP = r"[\s\-_/.,]*"
_NAMED = "|".join(f"{name}[a-z]*" for name in MONTHS)
_QUARTERS = (
    re.compile(rf"{_YEAR}{_GAP}(?:q|qtr|quarter){_GAP}(?P<q>[1-4])", re.IGNORECASE),
    re.compile(rf"(?:q|qtr|quarter){_GAP}(?P<q>[1-4]){_GAP}{_YEAR}", re.IGNORECASE),
    re.compile(rf"(?P<q>[1-4])(?:st|nd|rd|th)?{_GAP}(?:q|qtr|quarter){_GAP}{_YEAR}", re.IGNORECASE),
)
_MONTH_FORMS = (
    re.compile(rf"{_YEAR}[-/.](?P<m>\d{{1,2}})(?:[-/.](?P<d>\d{{1,2}}))?(?:[ T]00:00(?::00)?)?"),
    re.compile(rf"(?P<m>{_NAMED}){_GAP}(?:(?P<d>\d{{1,2}}),\s*)?{_YEAR}", re.IGNORECASE),
    re.compile(rf"(?:(?P<d>\d{{1,2}}){_GAP})?(?P<m>{_NAMED}){_GAP}{_YEAR}", re.IGNORECASE),
    re.compile(rf"{_YEAR}{_GAP}(?P<m>{_NAMED})", re.IGNORECASE),
    re.compile(rf"(?P<m>\d{{1,2}})[-/]{_YEAR}"),
)
_TWO_NUMBERS = re.compile(rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.]{_YEAR}")
_SPAN = re.compile(rf"{_YEAR}-(?P<next>\d\d)")
_FISCAL = (
    re.compile(rf"(?:fy|fiscal(?: year)?|sfy|ffy){_GAP}{_YEAR}", re.IGNORECASE),
    re.compile(rf"(?:fy{_GAP})?{_YEAR}[-/–](?:\d\d|(?:19|20)\d\d)", re.IGNORECASE),
)
_PLAIN = re.compile(rf"{_YEAR}(?:\.0)?|(?:cy|year){_GAP}(?P<y2>(?:19|20)\d\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Periods:
    """How the periods of a column are read.

    Parameters
    ----------
    labels : dict of str to str
        Text in the column to ``2024`` or ``2024Q3``.
    months : dict of str to str
        Text to ``2024-03`` where the column holds months or days, which have to be added up; else empty.
    remarks : tuple of str
        What was assumed.
    """

    labels: dict[str, str]
    months: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_periods(texts: Iterable[str]) -> Periods | None:
    """The periods a column's texts stand for; None when any of them is no period.

    A column of months is read as quarters. Where it holds dates alone, those in only the first (or the last)
    month of a quarter or of a year name that quarter or year; beside quarters or years a month is a month.
    """
    values = sorted(set(texts))
    day_first, remarks = _order(values)
    parsed = {text: _parse(text, day_first) for text in values}
    spans = [_SPAN.fullmatch(text.strip()) for text in values]
    if all(m and (int(m["y"]) + 1) % 100 == int(m["next"]) for m in spans):
        # 2009-10 alone could be a month; a whole column of them is years that end in the next one.
        parsed = {text: ("fiscal", int(text.strip()[:4]), 0) for text in values}
    found = {text: one for text, one in parsed.items() if one is not None}
    if not values or len(found) < len(values):
        return None
    if any(grain == "fiscal" for grain, _, _ in found.values()):
        remarks.append(
            "a year such as FY2024 is written as 2024 and one such as 2023/24 as its first year; "
            "change values.period where more of its days lie in the other year"
        )
    dates = all(grain == "month" for grain, _, _ in found.values())
    months = sorted({part for grain, _, part in found.values() if grain == "month"})
    label = {}
    if dates and months in ([1], [12]):
        label = {text: f"{year}" for text, (_, year, _) in found.items()}
        remarks.append("dates are read as the years they begin or end")
        return Periods(label, {}, tuple(remarks))
    for text, (grain, year, part) in found.items():
        quarter = part if grain == "quarter" else (part + 2) // 3
        label[text] = f"{year}Q{quarter}" if grain in ("quarter", "month") else f"{year}"
    if dates and (set(months) <= {1, 4, 7, 10} or set(months) <= {3, 6, 9, 12}):
        remarks.append("dates are read as the quarters they begin or end")
        return Periods(label, {}, tuple(remarks))
    by_month = {text: f"{y}-{part:02d}" for text, (grain, y, part) in found.items() if grain == "month"}
    return Periods(label, by_month, tuple(remarks))


def _order(values: list[str]) -> tuple[bool, list[str]]:
    """Is 03/04/2024 in April? Decided by the column as a whole."""
    pairs = [(int(m["a"]), int(m["b"])) for m in map(_TWO_NUMBERS.fullmatch, values) if m]
    if not pairs:
        return False, []
    first, second = ({pair[i] for pair in pairs} for i in (0, 1))
    if max(first) > 12 or (max(second) <= 12 and len(first) == 1 < len(second)):
        return True, []
    if max(second) > 12 or len(second) == 1:
        return False, []
    return False, ["dates such as 03/04/2024 could be read either way; they are read month first"]


def _parse(text: str, day_first: bool) -> tuple[Grain, int, int] | None:
    """Grain, year and quarter or month (0 for a year) of one text; None when it is no period."""
    text = " ".join(text.split())
    if match := _PLAIN.fullmatch(text):
        return _checked("year", match["y"] or match["y2"], 0)
    for pattern in _QUARTERS:
        if match := pattern.fullmatch(text):
            return _checked("quarter", match["y"], int(match["q"]))
    if match := _TWO_NUMBERS.fullmatch(text):
        return _checked("month", match["y"], int(match["b" if day_first else "a"]))
    for pattern in _MONTH_FORMS:
        if match := pattern.fullmatch(text):
            month = match["m"]
            part = int(month) if month.isdigit() else MONTHS.index(month[:3].lower()) + 1
            if 1 <= part <= 12:
                return _checked("month", match["y"], part)
    for pattern in _FISCAL:
        if match := pattern.fullmatch(text):
            return _checked("fiscal", match["y"], 0)
    return None


def _checked(grain: Grain, year: str, part: int) -> tuple[Grain, int, int] | None:
    inside = FIRST_YEAR <= int(year) <= LAST_YEAR and 0 <= part <= 12
    return (grain, int(year), part) if inside else None
