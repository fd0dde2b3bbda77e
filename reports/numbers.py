"""Numbers as people read them: with the digits their intervals support, and their units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

from .wording import say

Scale = Literal["percent", "points", "each", "each change"]
CHANGES: Final = ("points", "each change")
NONE: Final = "–"
MINUS: Final = "−"
SPACE: Final = "\u202f"
_FINEST: Final = 6


def known(*values: float | None) -> bool:
    """Are all of these numbers, and finite?"""
    return all(v is not None and math.isfinite(v) for v in values)


def decimals(values: Sequence[float], factor: float) -> int:
    """Decimal places that show two digits of the width of the interval given; one when there is none.

    A width of zero (a counted value) asks for three digits of the value itself.
    """
    shown = [v * factor for v in values if known(v)]
    if not shown:
        return 1
    width = max(shown) - min(shown)
    size = width if width > 0 else max(abs(v) for v in shown) / 10
    if size <= 0:
        return 1
    return int(min(max(1 - math.floor(math.log10(size)), 0), 4))


def number(value: float | None, places: int, *, signed: bool = False) -> str:
    """A number with a true minus sign and narrow spaces between thousands."""
    if not known(value):
        return NONE
    assert value is not None
    text = f"{value:+,.{places}f}" if signed else f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS).replace(",", SPACE)


def estimate(value: float | None, scale: Scale, places: int) -> str:
    """A rate in per cent, a difference in percentage points, or outcomes per unit; with its sign or unit."""
    if not known(value):
        return NONE
    assert value is not None
    if scale == "percent":
        return number(value * 100, places) + f"{SPACE}%"
    return number(value * factor_of(scale), places, signed=scale in CHANGES)


def interval(low: float | None, high: float | None, scale: Scale, places: int) -> str:
    """``low to high``, the unit written once; an end of a rate that is not zero does not read as zero."""
    if not known(low, high):
        return NONE
    assert low is not None
    assert high is not None
    factor, signed = factor_of(scale), scale in CHANGES
    ends = [
        number(end, places if signed else max(places, _first_digit(end)), signed=signed)
        for end in (low * factor, high * factor)
    ]
    text = say("{low} to {high}").format(low=ends[0], high=ends[1])
    return text + (f"{SPACE}%" if scale == "percent" else "")


def _first_digit(value: float) -> int:
    """The decimal place of the first digit that is not zero, at most the sixth."""
    return min(max(-math.floor(math.log10(abs(value))), 0), _FINEST) if value else 0


def factor_of(scale: Scale) -> float:
    """What a stored value is multiplied by before it is printed."""
    return 100.0 if scale in ("percent", "points") else 1.0


def share(value: float | None) -> str:
    """A share or a contraction: two decimals, no leading zero."""
    if not known(value):
        return NONE
    assert value is not None
    text = f"{abs(value):.2f}"
    return (MINUS if value < 0 and float(text) else "") + (text[1:] if text.startswith("0.") else text)


def probability(value: float) -> str:
    """A probability; never 0 or 1, which draws cannot show."""
    if value >= 0.995:
        return say("above .99")
    return say("below .01") if value < 0.005 else share(value)


def count(value: float | None) -> str:
    """A whole number."""
    return number(value, 0)


def plural(n: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``3 rows``."""
    return f"{count(n)} {say(one if n == 1 else (many or one + 's'))}"
