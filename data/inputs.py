"""The sections of a plan that say what was recorded: funnel, inputs, mix, roles, sources; and all together."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from .axesspec import AxesSpec
from .calendar import parse_date
from .errors import did_you_mean
from .filterspec import ExcludeSpec, PreferSpec
from .funnel import Funnel
from .names import (
    CLOSED_WITHOUT,
    LONG_COLUMNS,
    LONG_OPTIONAL,
    ROOT,
    SHARE_OF,
    UNIT_CLASSES,
    WIDE_KEYS,
    WIDE_OPTIONAL,
    Clock,
    Origin,
    Role,
)
from .section import Section
from .tokens import parse_tokens


class FunnelSpec(Section):
    """``[funnel]``: the stages in order, their units, and what is assumed of the steps.

    ``units`` gives a stage one unit class or a list of several, the usual one first.
    """

    stages: tuple[str, ...] = Field(min_length=2)
    units: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    assume_one_to_one: dict[str, str] = Field(default_factory=dict)
    max_per_unit: dict[str, float] = Field(default_factory=dict)

    @field_validator("stages")
    @classmethod
    def _stages(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        reserved = {*WIDE_KEYS, *WIDE_OPTIONAL, *LONG_COLUMNS, *LONG_OPTIONAL, ROOT}
        for stage in stages:
            if not stage or "-" in stage or stage in reserved or stage.startswith((SHARE_OF, CLOSED_WITHOUT)):
                raise ValueError(
                    f"{stage!r} cannot name a stage: it is empty, holds '-', or is a column's name"
                )
            if stages.count(stage) > 1:
                raise ValueError(f"stage {stage!r} is listed twice")
        return stages

    @field_validator("units")
    @classmethod
    def _units(cls, units: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
        for stage, found in units.items():
            classes = (found,) if isinstance(found, str) else found
            for word in classes:
                if word not in UNIT_CLASSES:
                    raise ValueError(
                        f"{stage}: {word!r} is no class of unit; allowed: {', '.join(UNIT_CLASSES)}"
                    )
            if not classes or len(set(classes)) < len(classes):
                raise ValueError(f"{stage}: name one class, or several different ones")
        # A list of one says no more than its word.
        return {stage: found[0] if len(found) == 1 else found for stage, found in units.items()}

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
    units : str or None
        A file with the columns unit and class, for the long form: the class of every unit text. Statements of a
        class that is not among those of their stage are not used.
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
    units: str | None = None
    origin: Origin | None = None
    clock: Clock | None = None
    source_id: str | None = None
    as_of: str | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _as_of(cls, value: Any) -> Any:
        return _last_day(value)

    @field_validator("tokens")
    @classmethod
    def _tokens(cls, tokens: dict[str, str]) -> dict[str, str]:
        parse_tokens(tokens)
        return tokens

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.query is None):
            raise ValueError("give either file or query")
        if self.units is not None and self.form == "wide":
            raise ValueError("units: a wide table names no units; say them in [funnel] units")
        theirs = list(self.columns.values())
        for name in theirs:
            if theirs.count(name) > 1:
                raise ValueError(f"columns: {name!r} is given to two standard names")
        return self

    @property
    def name(self) -> str:
        """What messages call this table."""
        return self.file if self.file is not None else "query"


def _last_day(value: Any) -> Any:
    # TOML has dates of its own; both spellings mean the same.
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return parse_date(value.strip(), end=True).isoformat()
    return value


class MixSpec(Section):
    """``[mix]``: a stage and a place whose exact and approximate counts tell how a total divides by offense.

    They are placed on the period axis and belong to no other axis: the place need not be one of the plan's.
    """

    stage: str = Field(min_length=1)
    jurisdiction: str = Field(min_length=1)


class IntakeSpec(Section):
    """``[intake]``: which statements are fitted.

    Parameters
    ----------
    roles : tuple of {"use", "doubtful"}
        Those of these roles; ``context`` never is.
    as_of : str or None
        Those known at this date; a month or a year means its last day.
    """

    roles: tuple[Role, ...] = Field(("use",), min_length=1)
    as_of: str | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _as_of(cls, value: Any) -> Any:
        return _last_day(value)

    @field_validator("roles")
    @classmethod
    def _roles(cls, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        return _fitted_roles(roles)


def _fitted_roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    if "context" in roles:
        raise ValueError("context is background and never fitted; name use or doubtful")
    return roles


class SourcesSpec(Section):
    """``[sources]``: a file with source_id, title, publisher, published, url."""

    file: str


class PanelSpec(Section):
    """Everything ``read_panel`` needs.

    ``vintages``: outcomes of one cohort known at different dates are different facts, not rival ones.
    """

    funnel: FunnelSpec
    inputs: tuple[InputSpec, ...] = Field(min_length=1)
    axes: AxesSpec = AxesSpec()
    excludes: tuple[ExcludeSpec, ...] = ()
    prefers: tuple[PreferSpec, ...] = ()
    sources: SourcesSpec | None = None
    mix: MixSpec | None = None
    roles: tuple[Role, ...] = Field(("use",), min_length=1)
    vintages: bool = False
    as_of: str | None = None

    @field_validator("roles")
    @classmethod
    def _roles(cls, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        return _fitted_roles(roles)

    @model_validator(mode="after")
    def _mix_outside(self) -> Self:
        if self.mix is not None and self.mix.stage in self.funnel.stages:
            raise ValueError(f"mix: {self.mix.stage!r} is a stage of the funnel, whose counts are fitted")
        return self
