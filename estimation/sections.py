"""Sections of a plan that say what to assume, what to tell and how to fit; `data/inputs.py` has those of its data."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from ..data.names import ROOT, ShiftUnit
from ..data.section import Section
from .patches import plain

Engine = Literal["nuts", "laplace", "numpyro", "auto"]
ENGINES: tuple[str, ...] = get_args(Engine)


class AnswerSpec(Section):
    """``[answer]``: the node at which the front table (offense × step) is read.

    The period ``latest`` is the last one that the numbers known at the plan's date hold.
    """

    jurisdiction: str = ROOT
    period: str = ROOT


class EstimateSpec(Section):
    """``[estimate]``: how to fit. The gates of the checks, not these, decide what may be published.

    Parameters
    ----------
    engine : {"nuts", "laplace", "numpyro", "auto"}
    draws, tune, chains : int
        Draws a chain, those before them that are not kept, and chains.
    seed : int
    target_accept : float
        Of a sampler.
    points : int or None
        By ``laplace``: points of the scales a chain, a power of two; None for more the fewer cells there are.
    """

    engine: Engine = "nuts"
    draws: int = Field(1500, ge=50)
    tune: int = Field(1000, ge=50)
    chains: int = Field(4, ge=2)
    seed: int = Field(1, ge=0)
    target_accept: float = Field(0.95, gt=0.5, lt=1)
    points: int | None = Field(None, ge=16)

    @field_validator("points")
    @classmethod
    def _points(cls, value: int | None) -> int | None:
        if value is not None and value & (value - 1):
            raise ValueError("not a power of two")
        return value


class PublishSpec(Section):
    """``[publish]``: which rows of estimates are written; the default is all of them.

    ``cells``: single cells. ``crossed``: on how many axes at once a row may lie below the root.
    """

    cells: bool = True
    crossed: int = Field(3, ge=1, le=3)


class ClaimsSpec(Section):
    """``[claims]``: when a sentence about rates is said.

    Parameters
    ----------
    probability : float
        From which on it is said.
    effect : float
        The least relative difference that matters: 0.1 is a tenth of the rate.
    """

    probability: float = Field(0.9, gt=0.5, lt=1)
    effect: float = Field(0.1, ge=0, allow_inf_nan=False)


class AssumeSpec(Section):
    """``[assume]``: what is assumed of what nobody recorded.

    Parameters
    ----------
    silent_shift : float
        Places without any outcome differ from the others by so much.
    silent_unit : {"sd", "logit", "rate"}
        What the shift is counted in: standard deviations between places on the link scale; the link scale itself, the
        logit or for a ratio step the log; the rate.
    """

    silent_shift: float = Field(0.0, allow_inf_nan=False)
    silent_unit: ShiftUnit = "sd"


class ScenarioSpec(Section):
    """``[[scenario]]``: another judgement, as changes of the plan.

    Parameters
    ----------
    name : str
        Unique among the scenarios of a plan.
    reason : str
        Why the judgement could be another.
    set : dict
        Dotted keys and their values, as ``--set`` takes them; ``"exclude.+"`` appends an entry.
    """

    name: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    set: dict[str, Any] = Field(min_length=1)

    @field_validator("set")
    @classmethod
    def _set(cls, value: dict[str, Any]) -> dict[str, Any]:
        return plain(value)


class VarySpec(Section):
    """``[vary]``: what ``attrition vary`` does where nobody says otherwise.

    Parameters
    ----------
    scenarios : tuple of str or None
        Names of ``[[scenario]]`` entries, or of scenarios or families built in; None for all entries of the plan.
    """

    scenarios: tuple[str, ...] | None = None


class ReleaseSpec(Section):
    """``[release]``: what ``attrition release`` does beside estimating.

    Parameters
    ----------
    scenarios : tuple of str or None
        Names of ``[[scenario]]`` entries, or of scenarios or families built in; None for all entries of the plan, or
        where it has none for five that are built in.
    accept : dict
        By check: the reason for which numbers are published although it failed. The report prints it.
    """

    scenarios: tuple[str, ...] | None = None
    accept: dict[str, str] = Field(default_factory=dict)

    @field_validator("accept")
    @classmethod
    def _accept(cls, value: dict[str, str]) -> dict[str, str]:
        for name, reason in value.items():
            if not reason.strip():
                raise ValueError(f"accept: {name!r} needs a reason")
        return value


class NoteSpec(Section):
    """``[[note]]``: what a reader must know before the numbers, and no run could find out by itself.

    Parameters
    ----------
    text : str
        Printed above the first table.
    source : str
        Where it is shown.
    date : date or None
        When it was found.
    """

    text: str = Field(min_length=1)
    source: str = ""
    date: dt.date | None = None
