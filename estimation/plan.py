"""The plan: what the analyst wrote, in TOML, with every key checked at once."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..data.errors import InputError, Problem, did_you_mean
from ..data.inputs import (
    AxesSpec,
    ExcludeSpec,
    FunnelSpec,
    InputSpec,
    PanelSpec,
    PreferSpec,
    SourcesSpec,
)
from ..data.names import ROOT
from ..models.priors import Exponential, HalfNormal, Normal, PrecisionGamma, UniformRate
from ..models.spec import EVERY, PriorSpec
from .store.layout import default_name

FORMAT = 1


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerSpec(_Section):
    """``[answer]``: the node at which the front table (offense × step) is read."""

    jurisdiction: str = ROOT
    period: str = ROOT


class EstimateSpec(_Section):
    """``[estimate]``: how to fit. The gates of the checks, not these, decide what may be published."""

    engine: Literal["nuts", "laplace", "auto"] = "nuts"
    draws: int = Field(1500, ge=50)
    tune: int = Field(1000, ge=50)
    chains: int = Field(4, ge=2)
    seed: int = Field(1, ge=0)
    target_accept: float = Field(0.95, gt=0.5, lt=1)


class PublishSpec(_Section):
    """``[publish]``: which rows of estimates are written; the default is all of them."""

    cells: bool = True


class Plan(_Section):
    """A plan as written, with defaults filled in.

    Parameters
    ----------
    format : int
        1.
    name : str
    funnel, input, axes, sources, exclude, prefer
        What was recorded; see ``attrition.data.inputs``.
    answer, publish
        What to tell.
    effect, prior, kind
        The model; see ``attrition.models.spec``.
    estimate
        How to fit.
    folder : Path
        The folder of the plan's file, to which its paths are relative. Not part of the file.
    """

    format: Literal[1] = 1
    name: str = ""
    funnel: FunnelSpec
    input: tuple[InputSpec, ...] = Field(min_length=1)
    axes: AxesSpec = AxesSpec()
    sources: SourcesSpec | None = None
    answer: AnswerSpec = AnswerSpec()
    publish: PublishSpec = PublishSpec()
    effect: tuple[dict[str, Any], ...] | None = None
    prior: PriorSpec = PriorSpec()
    kind: dict[str, dict[str, Any]] = Field(default_factory=dict)
    exclude: tuple[ExcludeSpec, ...] = ()
    prefer: tuple[PreferSpec, ...] = ()
    estimate: EstimateSpec = EstimateSpec()
    folder: Path = Field(default=Path(), exclude=True)
    file: Path | None = Field(default=None, exclude=True)
    patches: dict[str, Any] = Field(default_factory=dict, exclude=True)

    def panel_spec(self) -> PanelSpec:
        """What ``read_panel`` needs."""
        return PanelSpec(
            funnel=self.funnel,
            inputs=self.input,
            axes=self.axes,
            excludes=self.exclude,
            prefers=self.prefer,
            sources=self.sources,
        )


_NOT_KEYS = ("folder", "file", "patches")
_PRIORS: dict[str, type[BaseModel]] = {
    "half_normal": HalfNormal, "exponential": Exponential, "precision_gamma": PrecisionGamma, "normal": Normal,
    "uniform_rate": UniformRate,
}  # fmt: skip
SECTIONS = tuple(key for key in Plan.model_fields if key not in _NOT_KEYS)


def read_plan(path: str | Path, patches: Mapping[str, Any] | None = None) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path : path
        A TOML file.
    patches : mapping, optional
        Dotted keys and the values that replace what is written, e.g. ``{"prior.spread": 2.0}``. An array of tables
        takes a position from 0 or, for effects, its kind: ``effect.time.over``.

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
    return parse_plan(apply_patches(raw, patches or {}), path, dict(patches or {}))


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
    except ValidationError as error:
        raise InputError(_lines(error, where)) from None
    return plan if plan.name else plan.model_copy(update={"name": default_name(path)})


def _lines(error: ValidationError, where: str) -> list[Problem]:
    """One line for each fault, with the key the writer probably meant."""
    problems = []
    faults = error.errors()
    for fault in faults:
        place = fault["loc"]
        inner = any(len(f["loc"]) > len(place) and f["loc"][: len(place)] == place for f in faults)
        if fault["type"] == "too_short" and inner:
            continue  # its entries are at fault, each with a line of its own
        loc = [part for part in fault["loc"] if not _of_pydantic(str(part))]
        key = ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)
        if fault["type"] == "extra_forbidden":
            known = _known_keys(fault["loc"][:-1])
            problems.append(
                Problem("unknown key", where, key, "", did_you_mean(str(loc[-1]), known) if known else "")
            )
        elif fault["type"] == "missing":
            problems.append(Problem("missing key", where, "", key, f"add {key}"))
        else:
            message = fault["msg"].removeprefix("Value error, ")
            problems.append(Problem(message, f"{where}, {key}", repr(fault.get("input"))[:80]))
    return problems


def _of_pydantic(part: str) -> bool:
    """Names of types that pydantic puts among the keys."""
    return part[:1].isupper() or "[" in part or part in _PRIORS or part == EVERY


def _known_keys(loc: Sequence[Any]) -> list[str]:
    """The keys allowed at a place of the plan, as pydantic names it."""
    sections: dict[str, type[BaseModel]] = {
        "funnel": FunnelSpec, "input": InputSpec, "axes": AxesSpec, "sources": SourcesSpec, "answer": AnswerSpec,
        "publish": PublishSpec, "prior": PriorSpec, "estimate": EstimateSpec,
    }  # fmt: skip
    if not loc:
        return list(SECTIONS)
    named = [_PRIORS[str(part)] for part in loc if str(part) in _PRIORS]
    model = named[-1] if named else sections.get(str(loc[0]))
    return list(model.model_fields) if model else []


def apply_patches(raw: dict[str, Any], patches: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a plan's dictionary with dotted keys replaced.

    Raises
    ------
    InputError
        A key leads through something that is not a table.
    """
    out = copy.deepcopy(raw)
    for key, value in patches.items():
        place: Any = out
        *path, last = _split(key)
        for part in path:
            place = _enter(place, part, key)
        if not isinstance(place, dict):
            raise InputError(Problem("does not lead to a table", f"--set {key}", do="name a key of a table"))
        place[last] = value
    return out


def _split(key: str) -> list[str]:
    """Parts of a dotted key; a part in double quotes may hold dots."""
    parts, quoted, current = [], False, ""
    for letter in key:
        if letter == '"':
            quoted = not quoted
        elif letter == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [*parts, current]


def _enter(place: Any, part: str, key: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(part, {})
    if isinstance(place, list):
        for number, item in enumerate(place):
            if part == str(number) or (isinstance(item, dict) and item.get("kind") == part):
                return item
    raise InputError(Problem("no such place in the plan", f"--set {key}", part))
