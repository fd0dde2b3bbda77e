"""Faults of a plan in words: a line each, with the key that the writer probably meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ..data.errors import Problem, did_you_mean
from ..data.wrongvalues import wrong_value
from ..models.priors import Exponential, HalfNormal, Normal, PrecisionGamma, UniformRate
from ..models.spec import EVERY

_PRIORS: dict[str, type[BaseModel]] = {
    "half_normal": HalfNormal, "exponential": Exponential, "precision_gamma": PrecisionGamma, "normal": Normal,
    "uniform_rate": UniformRate,
}  # fmt: skip
Models = Mapping[str, type[BaseModel]]


def fault_lines(error: ValidationError, where: str, sections: Sequence[str], models: Models) -> list[Problem]:
    """One line for each fault that pydantic found.

    Parameters
    ----------
    error : ValidationError
    where : str
        The plan's file.
    sections : sequence of str
        Keys of the top level.
    models : mapping of str to model
        The sections that have keys of their own.
    """
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
            known = _known_keys(fault["loc"][:-1], sections, models)
            problems.append(
                Problem("unknown key", where, key, "", did_you_mean(str(loc[-1]), known) if known else "")
            )
        elif fault["type"] == "missing":
            problems.append(Problem("missing key", where, "", key, f"add {key}"))
        else:
            problems.append(wrong_value(fault, where, key))
    return problems


def _of_pydantic(part: str) -> bool:
    """Names of types that pydantic puts among the keys."""
    return part[:1].isupper() or "[" in part or part in _PRIORS or part == EVERY


def _known_keys(loc: Sequence[Any], sections: Sequence[str], models: Models) -> list[str]:
    """The keys allowed at a place of the plan, as pydantic names it."""
    if not loc:
        return list(sections)
    named = [_PRIORS[str(part)] for part in loc if str(part) in _PRIORS]
    model = named[-1] if named else models.get(str(loc[0]))
    return [spec.alias or name for name, spec in model.model_fields.items()] if model else []
