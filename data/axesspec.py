"""The section of a plan that says which axes there are."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from .calendar import Span, parse_period
from .section import Section


class AxesSpec(Section):
    """``[axes]``: files with name, label, parent; what the leaves of the period axis are, and where it ends.

    Parameters
    ----------
    offense, jurisdiction : str or None
        Files. A jurisdiction file may have a column ``members``: how many first-level parts a place has.
    period : {"year", "quarter"} or None
        None: quarters where the data hold any, else years.
    first, last : str or None
        ``from`` and ``to`` in a plan: the first and the last leaf, e.g. 2015 and 2025. None: as the data reach.
    remainder : bool
        A place less its parts that are known is a unit of its own.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    offense: str | None = None
    jurisdiction: str | None = None
    period: Literal["year", "quarter"] | None = None
    first: str | None = Field(None, alias="from")
    last: str | None = Field(None, alias="to")
    remainder: bool = False

    @field_validator("first", "last")
    @classmethod
    def _ends(cls, text: str | None) -> str | None:
        if text is not None and parse_period(text) is None:
            raise ValueError("write a year as 2024 and a quarter as 2024Q3")
        return text

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ends = self.ends
        if self.period == "year" and any(end is not None and end.grain == "quarter" for end in ends):
            raise ValueError("from, to: a quarter cannot end an axis of years")
        if ends[0] is not None and ends[1] is not None and ends[0].start > ends[1].end:
            raise ValueError(f"from = {self.first} lies after to = {self.last}")
        return self

    @property
    def ends(self) -> tuple[Span | None, Span | None]:
        """The days of the first and of the last leaf, where the plan gives them."""
        return (
            None if self.first is None else parse_period(self.first),
            None if self.last is None else parse_period(self.last),
        )
