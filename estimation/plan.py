"""The plan: what the analyst wrote, in TOML, with every key checked at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

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
from ..data.section import Section
from ..models.spec import PriorSpec, reads_vintages
from .disclosure.spec import DisclosureSpec
from .patches import SET, apply_patches, plain
from .planfaults import fault_lines
from .sections import (
    ENGINES,
    AnswerSpec,
    AssumeSpec,
    ClaimsSpec,
    EstimateSpec,
    NoteSpec,
    PublishSpec,
    ReleaseSpec,
    ScenarioSpec,
    VarySpec,
)
from .store.layout import default_name

FORMAT = 1


class Plan(Section):
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


def to_come(plan: Plan, where: str = "plan, [intake] as_of") -> list[Problem]:
    """That ``intake.as_of`` lies in the future: what will be known then is not known now."""
    as_of, today = plan.intake.as_of, date.today().isoformat()
    if as_of is None or as_of <= today:
        return []
    return [
        Problem("a date in the future", where, as_of, f"{today} or earlier", "choose a day that has been")
    ]


def settled(plan: Plan, engine: str | None = None, seed: int | None = None, draft: bool = False) -> Plan:
    """A plan with the settings of one fit: another engine or seed, or the few draws of a draft.

    Raises
    ------
    InputError
        For an engine that does not exist, or a seed below 0.
    """
    given = {key: value for key, value in (("engine", engine), ("seed", seed)) if value is not None}
    if draft:
        # Those of many chains together would be as many as those of a full run, and held to its limits.
        given |= {"draws": 250, "tune": 400, "chains": min(plan.estimate.chains, 4)}
    settings = plan.estimate.model_copy(update=given)
    if settings.engine not in ENGINES:
        raise InputError(Problem("no such engine", "--engine", repr(settings.engine), ", ".join(ENGINES)))
    if settings.seed < 0:
        # The plan's own has been checked; a copy of the settings is not checked again.
        raise InputError(Problem("not a seed", "--seed", str(settings.seed), "0 or more", "choose another"))
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
