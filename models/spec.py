"""The sections of a plan that the model reads: effects, priors, kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..data.errors import Problem, did_you_mean
from ..data.funnel import Funnel
from ..data.wrongvalues import wrong_value
from . import catalogue
from .priors import Exponential, InterceptPrior, Normal, ScalePrior
from .terms import Effect, Settings

EVERY = "*"
DEFAULT_EFFECTS: tuple[str, ...] = (
    "intercept", "offense", "jurisdiction", "time", "offense_jurisdiction", "offense_time", "context",
    "cell",
)  # fmt: skip


class PriorSpec(BaseModel):
    """The plan's ``[prior]``.

    Parameters
    ----------
    spread : float
        Scale of the half-normal prior of the total between-cell sd of a step, which a uniform Dirichlet splits over
        the blocks.
    intercept : mapping of step name to prior
        In a plan also one prior for every step.
    phi : prior of φ - 1, the excess variance factor of ratio steps.
    allow_extreme : str
        The reason for fitting although the implied prior of a step reaches beyond [1e-4, 0.999]; printed in the
        report.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    spread: float = Field(1.0, gt=0)
    intercept: dict[str, InterceptPrior] = Field(default_factory=dict)
    phi: ScalePrior = Exponential(mean=1.0)
    allow_extreme: str = ""

    @field_validator("intercept", mode="before")
    @classmethod
    def _one_for_all(cls, value: Any) -> Any:
        # A table of settings, rather than of tables, is one prior for every step.
        tables = isinstance(value, dict) and all(
            isinstance(entry, dict | BaseModel) for entry in value.values()
        )
        return value if tables else {EVERY: value}

    def intercept_of(self, step: str) -> InterceptPrior:
        """The prior of one step's level."""
        return self.intercept.get(step, self.intercept.get(EVERY, Normal()))

    def problems(self, funnel: Funnel) -> list[Problem]:
        """Steps named that the funnel does not have."""
        known = [step.name for step in funnel.steps]
        return [
            Problem("unknown step", f"plan, [prior] intercept, {name}", name, ", ".join(known))
            for name in self.intercept
            if name not in (*known, EVERY)
        ]


def read_effects(
    entries: list[dict[str, Any]] | None,
) -> tuple[tuple[tuple[Effect, Settings], ...], list[Problem]]:
    """Effects with their settings from the plan's ``[[effect]]`` entries; the default set when there are none."""
    wanted: list[dict[str, Any]] = (
        [{"kind": name} for name in DEFAULT_EFFECTS] if entries is None else entries
    )
    found: list[tuple[Effect, Settings]] = []
    problems: list[Problem] = []
    known = {effect.name: effect for effect in catalogue.effects()}
    for number, entry in enumerate(wanted, start=1):
        where = f"plan, [[effect]] {number}"
        name = entry.get("kind")
        if name not in known:
            problems.append(Problem("unknown effect", where, repr(name), "", did_you_mean(str(name), known)))
            continue
        if any(effect.name == name for effect, _ in found):
            problems.append(Problem("effect given twice", where, repr(name), "one entry an effect"))
            continue
        rest = {key: value for key, value in entry.items() if key != "kind"}
        try:
            found.append((known[name], known[name].Settings(**rest)))
        except ValidationError as error:
            problems += settings_problems(error, f"{where} ({name})", known[name].Settings)
    if not problems and not any(effect.name == "intercept" for effect, _ in found):
        found.append((known["intercept"], known["intercept"].Settings()))
    found.sort(key=lambda pair: pair[0].order)
    return tuple(found), problems


def read_kinds(entries: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, BaseModel], list[Problem]]:
    """Settings of every kind from the plan's ``[kind.<name>]`` tables."""
    known = {kind.name: kind for kind in catalogue.kinds()}
    problems = [
        Problem("unknown kind", f"plan, [kind.{name}]", repr(name), "", did_you_mean(name, known))
        for name in entries
        if name not in known
    ]
    settings: dict[str, BaseModel] = {}
    for name, kind in known.items():
        try:
            settings[name] = kind.Settings(**entries.get(name, {}))
        except ValidationError as error:
            problems += settings_problems(error, f"plan, [kind.{name}]", kind.Settings)
    return settings, problems


def reads_vintages(entries: Mapping[str, Mapping[str, Any]]) -> bool:
    """Does some kind, with the settings of a plan, need to know when each count was known?"""
    settings, _ = read_kinds(entries)
    return any(kind.dated(settings[kind.name]) for kind in catalogue.kinds() if kind.name in settings)


def settings_problems(error: ValidationError, where: str, model: type[BaseModel]) -> list[Problem]:
    """One line for each fault pydantic found in a table of the plan."""
    out = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            advice = did_you_mean(str(fault["loc"][-1]), model.model_fields)
            out.append(Problem("unknown key", where, key, "", advice))
        else:
            out.append(wrong_value(fault, where, key))
    return out
