"""What commands say of a comparison: what each scenario moved, and what differs between two runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.errors import AttritionError
from ..data.names import REEVALUATED
from .console import columns
from .exits import INTERRUPTED
from .findings import number, plain, records, run_value
from .revisions import claims_lines, revision_lines, revision_value

if TYPE_CHECKING:
    from ..estimation.sensitivity.compare import Comparison, Varied

SHOWN = 25


class Stopped(AttritionError):
    """The user stopped a sweep or a release."""

    exit_code = INTERRUPTED

    def __init__(self, what: str = "scenarios") -> None:
        super().__init__(f"stopped; finished {what} are kept, and the same command goes on from there")


def comparison_value(found: Comparison) -> dict[str, Any]:
    """A comparison as plain values: the runs, the front table, every row, and what differs."""
    rows = records(found.front())
    front: dict[str, dict[str, Any]] = {}
    for row in rows:
        same = ("quantity_id", "step", "offense", "jurisdiction", "period", "base", "base_sd", "base_label")
        entry = front.setdefault(row["quantity_id"], {key: row[key] for key in same})
        moved = {key: row[key] for key in ("scenario", "value", "shift", "label")}
        entry.setdefault("scenarios", []).append(moved)
        if row["largest"]:
            entry.setdefault("largest", row["scenario"])
    return {
        "base": run_value(found.base),
        "scenarios": [
            {**one.record(), "run": str(one.folder.resolve()) if one.folder else None} for one in found.varied
        ],
        "noise": found.noise,
        "front": [{"largest": None, **entry} for entry in front.values()],
        "rows": records(found.table),
        "differences": [one.record() for one in found.differences],
        "claims": [one.record() for one in found.claims],
        "revision": revision_value(found.revision),
    }


def sensitivity_text(found: Comparison) -> str:
    """The front table beside each scenario's, the scenarios numbered below it."""
    answer = found.base.blueprint.get("answer", {})
    head = f"Run {found.base.identity} of {found.base.name!r}, {found.base.status}; "
    head += f"jurisdiction {answer.get('jurisdiction', 'all')}, period {answer.get('period', 'all')}."
    names = [one.name for one in found.varied]
    lines = [head, _table(found, names, [f"({n})" for n in range(1, len(names) + 1)]), ""]
    lines += [f"({n}) {_scenario(one)}" for n, one in enumerate(found.varied, start=1)]
    return "\n".join([*lines, "", _meaning(found)])


def differences_text(found: Comparison) -> str:
    """What differs between two runs, in words, then the front table of both."""
    (other,) = found.varied
    lines = [f"{run.identity} of {run.name!r}, {run.status}" for run in (found.base, other.run)]
    lines = [
        f"From run {lines[0]}",
        f"  to run {lines[1]}{f', scenario {other.reason!r}' if other.reason else ''}",
    ]
    titles = {
        "fit": "Settings of the fit",
        "plan": "Keys of the plan",
        "axes": "Nodes of the axes",
        "statement": "Numbers read",
    }
    for about, title in titles.items():
        said = [one.sentence for one in found.differences if one.about == about]
        lines += ["", f"{title}: {len(said)} different." if said else f"{title}: the same."]
        lines += [f"  {sentence}" for sentence in said[:SHOWN]]
        lines += [f"  and {len(said) - SHOWN} more; --json gives them all"] if len(said) > SHOWN else []
    lines += ["", _table(found, [other.name], ["then"]), "", _meaning(found)]
    return "\n".join([*lines, *claims_lines(found.claims), *revision_lines(found)])


def _table(found: Comparison, names: list[str], titles: list[str]) -> str:
    """Offense × step: the base's median, each other's with its shift, and who moved the row furthest."""
    several = len(names) > 1
    rows = []
    front = found.front()
    for _, group in front.groupby("quantity_id", sort=False):
        by = {row["scenario"]: row for row in group.to_dict("records")}
        first = next(iter(by.values()))
        cells = [_cell(by[name]) if name in by else "" for name in names]
        top = [title for name, title in zip(names, titles, strict=True) if name in by and by[name]["largest"]]
        rows.append((str(first["step"]), str(first["offense"]), number(first["base"]) or _label(first["base_label"]),
                     *cells, *(top[:1] or [""] if several else [])))  # fmt: skip
    return columns(rows, ("step", "offense", "base", *titles, *(["largest"] if several else [])))


def _cell(row: dict[str, Any]) -> str:
    value, shift = number(row["value"]), plain(row["shift"])
    if not value:
        return _label(row["label"])
    label = f" {row['label']}" if row["label"] != row["base_label"] else ""
    return value + (f" {shift:+.2f}" if shift is not None else "") + label


def _route(one: Varied) -> str:
    if one.weighed:
        return f"{one.route}, k-hat {one.weighed.khat:.2f}"
    if one.route == REEVALUATED:
        return f"{one.route}, the plan's own draws"
    return f"fitted: {one.why}" if one.why else "fitted"


def _label(label: Any) -> str:
    return str(plain(label) or "no such row")


def _scenario(one: Varied) -> str:
    settings = ", ".join(f"{key} = {written(value)}" for key, value in one.set.items())
    mark = ": UNFIT, the sampler did not reach its diagnostics" if one.run.unfit else ""
    route = _route(one)
    said = [f"    {change.sentence()}" for change in one.claims]
    return "\n".join([f"{one.name}{mark}; {settings}; {one.reason}; {route}", *said])


def written(value: Any) -> str:
    """A value as a plan writes it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _meaning(found: Comparison) -> str:
    words = "Medians, each with its shift in posterior sd of the base, on the log scale for a ratio and the logit else."
    if found.noise is not None:
        words += f" A shift below {found.noise:.2f} may be simulation alone."
    if found.base.unfit:
        words += " The base did not reach its diagnostics: every number is marked."
    return words
