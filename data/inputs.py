"""The sections of a plan that say what was recorded: funnel, inputs, axes, filters, sources."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from .calendar import parse_date
from .errors import did_you_mean
from .funnel import Funnel
from .names import LONG_COLUMNS, LONG_OPTIONAL, ROOT, WIDE_KEYS, WIDE_OPTIONAL, Clock, Origin, UnitClass
from .tokens import parse_tokens


class Section(BaseModel):
    """A section of a plan: unknown keys are refused, values are never changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class FunnelSpec(Section):
    """``[funnel]``: the stages in order, their units, and what is assumed of the steps."""

    stages: tuple[str, ...] = Field(min_length=2)
    units: dict[str, UnitClass] = Field(default_factory=dict)
    assume_one_to_one: dict[str, str] = Field(default_factory=dict)
    max_per_unit: dict[str, float] = Field(default_factory=dict)

    @field_validator("stages")
    @classmethod
    def _stages(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        reserved = {*WIDE_KEYS, *WIDE_OPTIONAL, *LONG_COLUMNS, *LONG_OPTIONAL, ROOT}
        for stage in stages:
            if not stage or "-" in stage or stage in reserved or stage.startswith("share_of_"):
                raise ValueError(
                    f"{stage!r} cannot name a stage: it is empty, holds '-', or is a column's name"
                )
            if stages.count(stage) > 1:
                raise ValueError(f"stage {stage!r} is listed twice")
        return stages

    @model_validator(mode="after")
    def _known(self) -> Self:
        for stage in self.units:
            if stage not in self.stages:
                raise ValueError(f"units: {stage!r} is no stage; {did_you_mean(stage, self.stages)}")
        funnel = self.to_funnel()
        n = len(self.stages)
        steps = {funnel.step(i, j).name: funnel.step(i, j) for i in range(n) for j in range(i + 1, n)}
        for section in (self.assume_one_to_one, self.max_per_unit):
            for name in section:
                if name not in steps:
                    raise ValueError(f"{name!r} is no step; {did_you_mean(name, steps)}")
        for name, reason in self.assume_one_to_one.items():
            if not reason:
                raise ValueError(f"assume_one_to_one: {name!r} needs a reason")
        for name, largest in self.max_per_unit.items():
            if steps[name].kind != "ratio" or not largest > 0:
                raise ValueError(f"max_per_unit: {name!r} must be a ratio step and its value above 0")
        return self

    def to_funnel(self) -> Funnel:
        """The funnel these keys describe."""
        return Funnel(self.stages, dict(self.units), dict(self.assume_one_to_one), dict(self.max_per_unit))


class InputSpec(Section):
    """``[[input]]``: one table, where it is and how to read it.

    Parameters
    ----------
    file : str or None
        Relative to the plan: .csv, .parquet or .xlsx. Either this or ``query``.
    query : str or None
        One SELECT for DuckDB; files in it are relative to the plan's folder.
    sheet : str or None
        Of a workbook that has several.
    form : {"wide", "long"}
    columns : dict
        Standard name to the name in the file.
    values : dict of dict
        By standard column: value in the file to standard value.
    tokens : dict
        Text in a number's field to its meaning, e.g. ``{"<5": "suppressed 1..4"}``.
    origin, clock, source_id, as_of
        Used where the row is silent. Wide tables default to ``referred_only`` and ``cohort``.
    """

    file: str | None = None
    query: str | None = None
    sheet: str | None = None
    form: Literal["wide", "long"] = "wide"
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    tokens: dict[str, str] = Field(default_factory=dict)
    origin: Origin | None = None
    clock: Clock | None = None
    source_id: str | None = None
    as_of: str | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _as_of(cls, value: Any) -> Any:
        # TOML has dates of its own; both spellings mean the same.
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, str):
            return parse_date(value.strip(), end=True).isoformat()
        return value

    @field_validator("tokens")
    @classmethod
    def _tokens(cls, tokens: dict[str, str]) -> dict[str, str]:
        parse_tokens(tokens)
        return tokens

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.query is None):
            raise ValueError("give either file or query")
        theirs = list(self.columns.values())
        for name in theirs:
            if theirs.count(name) > 1:
                raise ValueError(f"columns: {name!r} is given to two standard names")
        return self

    @property
    def name(self) -> str:
        """What messages call this table."""
        return self.file if self.file is not None else "query"


class AxesSpec(Section):
    """``[axes]``: files with name, label, parent; and what the leaves of the period axis are.

    ``period`` absent: quarters where the data hold any, else years.
    """

    offense: str | None = None
    jurisdiction: str | None = None
    period: Literal["year", "quarter"] | None = None


class SourcesSpec(Section):
    """``[sources]``: a file with source_id, title, publisher, published, url."""

    file: str


class _Filter(Section):
    """Column filters and the reason for them; keys other than ``reason`` are columns."""

    where: dict[str, tuple[str, ...]]
    reason: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _columns(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "where" in data:
            return data
        columns = {key: value for key, value in data.items() if key != "reason"}
        if not columns:
            raise ValueError('name at least one column to filter by, e.g. source_id = "x"')
        out: dict[str, Any] = {"where": {k: _texts(k, v) for k, v in columns.items()}}
        if "reason" in data:
            out["reason"] = data["reason"]
        return out


def _texts(column: str, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(v, str | int | date) and not isinstance(v, bool) for v in values):
        raise ValueError(f"{column}: a filter is a text or a list of texts")
    return tuple(v.isoformat() if isinstance(v, date) else str(v).strip() for v in values)


class ExcludeSpec(_Filter):
    """``[[exclude]]``: rows that are read, listed and not used."""


class PreferSpec(_Filter):
    """``[[prefer]]``: rows that win where sources conflict."""


class PanelSpec(Section):
    """Everything ``read_panel`` needs."""

    funnel: FunnelSpec
    inputs: tuple[InputSpec, ...] = Field(min_length=1)
    axes: AxesSpec = AxesSpec()
    excludes: tuple[ExcludeSpec, ...] = ()
    prefers: tuple[PreferSpec, ...] = ()
    sources: SourcesSpec | None = None
