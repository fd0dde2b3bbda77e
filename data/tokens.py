"""What stands in a number's field: a count, a declared token, nothing, or a fault with its remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .names import Relation

State = Literal["count", "not reported", "not applicable"]
LARGEST = 2**53  # above it a float no longer holds every whole number
_WHOLE = re.compile(r"([0-9]+)(?:\.0*)?")
_DECIMAL = re.compile(r"[0-9]*\.?[0-9]+|[0-9]+\.")
_NUM = r"([0-9]+)"
_MEANINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("suppressed", re.compile(rf"suppressed {_NUM}\.\.{_NUM}")),
    ("range", re.compile(rf"range {_NUM}\.\.{_NUM}")),
    ("at_least", re.compile(rf"at least {_NUM}")),
    ("at_most", re.compile(rf"at most {_NUM}")),
    ("approx", re.compile(rf"approx {_NUM}")),
)
# Thousands set apart by commas, apostrophes or blanks; a point is none of them, for it may be a decimal point.
GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:'[0-9]{3})+|(?:[ \u00a0\u202f][0-9]{3})+)")
MEANINGS = "suppressed 1..4, range 5..9, at least 100, at most 100, approx 100, not reported, not applicable"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a field says: one of the states, and for a count its relation and numbers."""

    state: State
    relation: Relation = "exact"
    count: float | None = None
    low: float | None = None
    high: float | None = None


NOT_REPORTED = Reading("not reported")
NOT_APPLICABLE = Reading("not applicable")


class NumberFault(ValueError):
    """A field that is not a number: what is wrong, what is allowed, what to do."""

    def __init__(self, what: str, allowed: str, do: str = "") -> None:
        super().__init__(what)
        self.what, self.allowed, self.do = what, allowed, do


def parse_meaning(text: str) -> Reading:
    """The meaning a plan gives to a token.

    Raises
    ------
    ValueError
        When the meaning is none of those listed in ``MEANINGS``, or its range is empty.
    """
    words = " ".join(text.split())
    if words == "not reported":
        return NOT_REPORTED
    if words == "not applicable":
        return NOT_APPLICABLE
    for relation, pattern in _MEANINGS:
        match = pattern.fullmatch(words)
        if match is None:
            continue
        numbers = [float(part) for part in match.groups()]
        if max(numbers) > LARGEST:
            raise ValueError(f"{text!r}: the number is larger than 2^53")
        if len(numbers) == 1:
            return Reading("count", relation, count=numbers[0])
        if numbers[0] > numbers[1]:
            raise ValueError(f"{text!r}: the range is empty, its low end exceeds its high end")
        return Reading("count", relation, low=numbers[0], high=numbers[1])
    raise ValueError(f"{text!r} is no meaning; allowed: {MEANINGS}")


def parse_tokens(tokens: Mapping[str, str]) -> dict[str, Reading]:
    """The meanings of a plan's tokens, by the text as it stands in the file without outer blanks."""
    if any(not text.strip() for text in tokens):
        raise ValueError("an empty field is 'not reported' and cannot be a token")
    return {text.strip(): parse_meaning(meaning) for text, meaning in tokens.items()}


def read_count(text: str, tokens: Mapping[str, Reading]) -> Reading:
    """Read one field of counts.

    Parameters
    ----------
    text : str
    tokens : mapping of str to Reading
        Declared by the plan; looked up before anything else, so that ``"-9"`` can be declared too.

    Raises
    ------
    NumberFault
    """
    text = text.strip()
    if text in tokens:
        return tokens[text]
    if not text:
        return NOT_REPORTED
    return Reading("count", count=whole_number(text))


def whole_number(text: str) -> float:
    """A count: a whole number from 0 to 2^53, written in digits alone (``12.0`` is 12, ``12.000`` is refused).

    Raises
    ------
    NumberFault
    """
    if text.isdecimal() and text.isascii() and len(text) < 16:
        return float(text)
    match = _WHOLE.fullmatch(text)
    digits = match[1].lstrip("0") if match else ""
    # 12.000 is twelve thousand in one country and twelve in another.
    if match is None or (digits and _GROUPED.fullmatch(text)):
        raise _diagnose(text)
    digits = digits or "0"
    if len(digits) > 16 or int(digits) > LARGEST:
        raise NumberFault("number too large to be a count", "whole numbers up to 2^53")
    return float(digits)


def decimal_number(text: str) -> float:
    """A number that may have a fraction, for a share or for a row that is not fitted.

    Raises
    ------
    NumberFault
    """
    if _DECIMAL.fullmatch(text) is None:
        raise _diagnose(text)
    value = float(text)
    if value > LARGEST:
        raise NumberFault("number too large to be a count", "numbers up to 2^53")
    return value


def share_number(text: str) -> float:
    """A share: a number from 0 to 1; percentages are refused.

    Raises
    ------
    NumberFault
    """
    value = decimal_number(text)
    if value > 1.0:
        raise NumberFault("share outside [0, 1]", "a share from 0 to 1", "write 5 % as 0.05")
    return value


_COUNTS = "whole numbers 0, 1, 2, …; an empty field is 'not reported'"
_SIGNS = {
    "less than": "<", "fewer than": "<", "under": "<", "below": "<", "at most": "<=", "up to": "<=", "≤": "<=",
    "more than": ">", "over": ">", "above": ">", "at least": ">=", "≥": ">=",
}  # fmt: skip
_LEFT = re.compile(
    rf"(?:n\s*)?(<=|<|>=|>|~|≈|ca\.?|c\.|approx\.?|about|{'|'.join(_SIGNS)})\s*([0-9].*)", re.IGNORECASE
)
_BETWEEN = re.compile(r"([0-9]+)\s*(?:-|–|—|to|\.\.)\s*([0-9]+)")
_GROUPED = re.compile(rf"{GROUPED.pattern}|[1-9][0-9]{{0,2}}(?:\.[0-9]{{3}})+")
_NO_FRACTION = "; if the point is a decimal point it is no count"


def _diagnose(text: str) -> NumberFault:
    """The most specific fault of a text that is not a count, and its remedy."""
    if text.startswith(("=", "+", "@")):
        return NumberFault("formula or sign in a number", _COUNTS, "store the value it stands for")
    if re.fullmatch(r"[-−–]\s*[0-9.,]+", text):
        return NumberFault(
            "negative count", _COUNTS, f'if it is a code, declare it: tokens = {{"{text}" = "not reported"}}'
        )
    if re.fullmatch(r"[-+]?(inf|infinity|nan|null|none|na|n/a|n\.a\.|#n/a)", text, re.IGNORECASE):
        return NumberFault(
            "not a number",
            _COUNTS,
            f'leave the field empty or declare: tokens = {{"{text}" = "not reported"}} (or "not applicable")',
        )
    if re.fullmatch(r"[0-9.,]+\s*%", text):
        return NumberFault(
            "percentage in a count", _COUNTS, "a share belongs in the long form (share_of_<stage>)"
        )
    base = re.sub(r"\.0{1,2}$", "", text)
    if _GROUPED.fullmatch(base):
        do = f"write {re.sub(r'[^0-9]', '', base)}"
        if base.count(".") == 1:
            # One point may be a decimal point; several can only group thousands.
            whole, after = base.split(".")
            do += f", or {whole} if the point is a decimal point" if after == "000" else _NO_FRACTION
        return NumberFault("thousands separator in a number", _COUNTS, do)
    if re.fullmatch(r"[0-9]*[.,][0-9]+", text):
        return NumberFault(
            "fraction in a count", _COUNTS, "a share belongs in the long form (share_of_<stage>)"
        )
    if re.fullmatch(r"[0-9][0-9,.' \u00a0\u202f]*", text):
        return NumberFault("separators in a number", _COUNTS, "write its digits alone")
    if re.fullmatch(r"[0-9.]+[eE][-+]?[0-9]+", text):
        return NumberFault("number in scientific notation", _COUNTS, "write all its digits")
    meaning, relation = _guess(text)
    token = f'tokens = {{"{text}" = "{meaning}"}}'
    do = f"declare it in the plan: {token}, or use the long form with relation {relation}"
    return NumberFault("text in a number", _COUNTS, do)


def proposed_meaning(text: str) -> str:
    """The meaning a text in a number's field most probably has, to be confirmed in the plan."""
    return _guess(text)[0]


def _guess(text: str) -> tuple[str, str]:
    """A meaning to propose for a text, and the relation of the long form that says the same."""
    plus = re.fullmatch(r"([0-9].*)\+", text)
    number = _bound(plus[1]) if plus else None
    if number is not None:
        return f"at least {number}", "at_least"
    between = _BETWEEN.fullmatch(text)
    if between and int(between[1]) <= int(between[2]):
        return f"range {between[1]}..{between[2]}", "range"
    left = _LEFT.fullmatch(text)
    number = _bound(left[2]) if left else None
    if left and number is not None:
        sign = _SIGNS.get(left[1].lower(), left[1])
        if sign == "<" and number > 1:
            return f"suppressed 1..{number - 1}", "suppressed (count_low, count_high)"
        if sign == "<" and number == 1:
            return "at most 0", "at_most"
        if sign == "<=":
            return f"at most {number}", "at_most"
        if sign == ">=":
            return f"at least {number}", "at_least"
        if sign == ">":
            return f"at least {number + 1}", "at_least"
        if sign != "<":
            return f"approx {number}", "approx"
    return "not reported", "suppressed, at_least, at_most or approx"


def _bound(text: str) -> int | None:
    """The whole number in a text about one, thousands separators allowed; None for any other."""
    text = text.strip()
    try:
        return int(whole_number(re.sub("[^0-9]", "", text) if GROUPED.fullmatch(text) else text))
    except NumberFault:
        return None
