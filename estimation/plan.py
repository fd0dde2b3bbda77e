"""The plan: what the analyst wrote, in TOML, with every key checked at once."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..data.errors import InputError, Problem
from ..data.inputs import (
    AxesSpec,
    ExcludeSpec,
    FunnelSpec,
    InputSpec,
    IntakeSpec,
    MixSpec,
    PanelSpec,
    PreferSpec,
    SourcesSpec,
)
from ..data.names import ROOT, ShiftUnit
from ..models.spec import PriorSpec, reads_vintages
from .disclosure.spec import DisclosureSpec
from .patches import SET, apply_patches, plain
from .planfaults import fault_lines
from .store.layout import default_name

FORMAT = 1
Engine = Literal["nuts", "laplace", "numpyro", "auto"]
ENGINES: tuple[str, ...] = get_args(Engine)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerSpec(_Section):
    """``[answer]``: the node at which the front table (offense × step) is read.

    The period ``latest`` is the last one that the numbers known at the plan's date hold.
    """

    jurisdiction: str = ROOT
    period: str = ROOT


class EstimateSpec(_Section):
    """``[estimate]``: how to fit. The gates of the checks, not these, decide what may be published."""

    engine: Engine = "nuts"
    draws: int = Field(1500, ge=50)
    tune: int = Field(1000, ge=50)
    chains: int = Field(4, ge=2)
    seed: int = Field(1, ge=0)
    target_accept: float = Field(0.95, gt=0.5, lt=1)


class PublishSpec(_Section):
    """``[publish]``: which rows of estimates are written; the default is all of them.

    ``cells``: single cells. ``crossed``: on how many axes at once a row may lie below the root.
    """

    cells: bool = True
    crossed: int = Field(3, ge=1, le=3)


class ClaimsSpec(_Section):
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


class AssumeSpec(_Section):
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


class ScenarioSpec(_Section):
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


class VarySpec(_Section):
    """``[vary]``: what ``attrition vary`` does where nobody says otherwise.

    Parameters
    ----------
    scenarios : tuple of str or None
        Names of ``[[scenario]]`` entries, or of scenarios or families built in; None for all entries of the plan.
    """

    scenarios: tuple[str, ...] | None = None


class ReleaseSpec(_Section):
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


class NoteSpec(_Section):
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


class Plan(_Section):
    """A plan as written, with defaults filled in.

    Parameters
    ----------
    format : int
        1.
    name : str
    funnel, input, axes, sources, mix, intake, exclude, prefer
        What was recorded; see ``attrition.data.inputs``.
    assume
        What is assumed of what nobody recorded.
    answer, publish, claims
        What to tell.
    effect, prior, kind
        The model; see ``attrition.models.spec``.
    disclosure
        What may not leave the run's folder; see ``DisclosureSpec``.
    estimate
        How to fit.
    scenario
        Other judgements, for ``vary``; they are no part of the identity of the plan's own run.
    vary
        Which of them are tried; no part of the identity either.
    release
        What a release asks for; no part of the identity either.
    note
        What a report says above the first table; no part of the identity either.
    folder : Path
        The folder of the plan's file, to which its paths are relative. Not part of the file.
    varies
        The scenario that this plan, patched, is. Not part of the file.
    """

    format: Literal[1] = 1
    name: str = ""
    funnel: FunnelSpec
    input: tuple[InputSpec, ...] = Field(min_length=1)
    axes: AxesSpec = AxesSpec()
    sources: SourcesSpec | None = None
    mix: MixSpec | None = None
    intake: IntakeSpec = IntakeSpec()
    assume: AssumeSpec = AssumeSpec()
    answer: AnswerSpec = AnswerSpec()
    publish: PublishSpec = PublishSpec()
    claims: ClaimsSpec = ClaimsSpec()
    effect: tuple[dict[str, Any], ...] | None = None
    prior: PriorSpec = PriorSpec()
    kind: dict[str, dict[str, Any]] = Field(default_factory=dict)
    exclude: tuple[ExcludeSpec, ...] = ()
    prefer: tuple[PreferSpec, ...] = ()
    disclosure: DisclosureSpec | None = None
    estimate: EstimateSpec = EstimateSpec()
    scenario: tuple[ScenarioSpec, ...] = Field(default=(), exclude=True)
    vary: VarySpec = Field(default=VarySpec(), exclude=True)
    release: ReleaseSpec = Field(default=ReleaseSpec(), exclude=True)
    note: tuple[NoteSpec, ...] = Field(default=(), exclude=True)
    folder: Path = Field(default=Path(), exclude=True)
    file: Path | None = Field(default=None, exclude=True)
    patches: dict[str, Any] = Field(default_factory=dict, exclude=True)
    varies: ScenarioSpec | None = Field(default=None, exclude=True)

    def panel_spec(self) -> PanelSpec:
        """What ``read_panel`` needs."""
        return PanelSpec(
            funnel=self.funnel,
            inputs=self.input,
            axes=self.axes,
            excludes=self.exclude,
            prefers=self.prefer,
            sources=self.sources,
            mix=self.mix,
            roles=self.intake.roles,
            vintages=reads_vintages(self.kind),
            as_of=self.intake.as_of,
        )


def settled(plan: Plan, engine: str | None = None, seed: int | None = None, draft: bool = False) -> Plan:
    """A plan with the settings of one fit: another engine or seed, or the few draws of a draft.

    Raises
    ------
    InputError
        For an engine that does not exist.
    """
    given = {key: value for key, value in (("engine", engine), ("seed", seed)) if value is not None}
    if draft:
        given |= {"draws": 250, "tune": 400}
    settings = plan.estimate.model_copy(update=given)
    if settings.engine not in ENGINES:
        raise InputError(Problem("no such engine", "--engine", repr(settings.engine), ", ".join(ENGINES)))
    return plan.model_copy(update={"estimate": settings})


_NOT_KEYS = ("folder", "file", "patches", "varies")
_MODELS: dict[str, type[BaseModel]] = {
    "funnel": FunnelSpec, "input": InputSpec, "axes": AxesSpec, "sources": SourcesSpec, "mix": MixSpec,
    "intake": IntakeSpec, "assume": AssumeSpec, "answer": AnswerSpec, "publish": PublishSpec, "claims": ClaimsSpec,
    "prior": PriorSpec, "estimate": EstimateSpec, "scenario": ScenarioSpec,
    "vary": VarySpec, "release": ReleaseSpec, "note": NoteSpec, "disclosure": DisclosureSpec,
}  # fmt: skip
SECTIONS = tuple(key for key in Plan.model_fields if key not in _NOT_KEYS)


def read_plan(path: str | Path, patches: Mapping[str, Any] | None = None, origin: str = SET) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path : path
        A TOML file.
    patches : mapping, optional
        Dotted keys and the values that replace what is written, e.g. ``{"prior.spread": 2.0}``. An array of tables
        takes a position from 0 or, for effects, its kind: ``effect.time.over``; ``exclude.+`` appends to one.
    origin : str
        What messages call the place of the patches.

    Raises
    ------
    InputError
        The file cannot be read or some key or value is not allowed; every fault is listed.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "plan.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            Problem("no such plan", str(path), do="make one with: attrition init table FILE DIR")
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"cannot be read: {error}", str(path), do="save it as UTF-8 text")) from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(Problem(f"is not valid TOML: {error}", str(path))) from None
    return parse_plan(apply_patches(raw, patches or {}, origin), path, plain(dict(patches or {})))


def parse_plan(raw: dict[str, Any], path: Path, patches: dict[str, Any] | None = None) -> Plan:
    """Check a plan that has been read into a dictionary.

    Raises
    ------
    InputError
        With every fault found.
    """
    where = str(path)
    found = raw.get("format", FORMAT)
    if isinstance(found, int) and found > FORMAT:
        raise InputError(
            Problem(
                "the plan has a newer format than this version reads",
                where,
                f"format = {found}",
                f"format = {FORMAT}",
                "upgrade attrition, or write the plan in the older format",
            )
        )
    problems = [
        Problem("a key that is set by the program", where, key, ", ".join(SECTIONS), "remove it")
        for key in _NOT_KEYS
        if key in raw
    ]
    if problems:
        raise InputError(problems)
    try:
        plan = Plan(**raw, folder=path.parent, file=path, patches=patches or {})
        plan.panel_spec()  # some sections are checked against one another
    except ValidationError as error:
        raise InputError(fault_lines(error, where, SECTIONS, _MODELS)) from None
    return plan if plan.name else plan.model_copy(update={"name": default_name(path)})
