"""What differs between two runs before any number is fitted: the fit, the plan, the axes, the statements."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from ...data.digest import canonical_json
from ...data.names import AXES
from ..store.runs import Run
from .statements import StatementChange, statement_changes

_UNSET: Final = "not written"
Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same in two runs.

    Parameters
    ----------
    about : {"fit", "plan", "axes", "statement"}
    change : {"added", "removed", "changed"}
    key : str
        The plan's key, the axis, or the statement's id.
    before, after : JSON-able
    sentence : str
    """

    about: Literal["fit", "plan", "axes", "statement"]
    change: Change
    key: str
    before: Any
    after: Any
    sentence: str

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def differences(one: Run, two: Run) -> tuple[Difference, ...]:
    """What the second run has otherwise than the first, most general first.

    Returns
    -------
    tuple of Difference
        Of how it was fitted (version, sources of the package, seed, draws); of the plan's keys, defaults included;
        of the nodes of the axes; of the numbers read.
    """
    return (
        *_keys("fit", _fit(one.manifest), _fit(two.manifest)),
        *_keys("plan", one.blueprint.get("plan", {}), two.blueprint.get("plan", {})),
        *_axes(one.blueprint, two.blueprint),
        *(_told(change) for change in statement_changes(one.intake, two.intake)),
    )


def _fit(manifest: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("engine", "seed", "package_version", "source_digest")
    arguments = {f"estimate.{key}": value for key, value in manifest.get("engine_args", {}).items()}
    return {key: manifest.get(key) for key in kept} | arguments


def _keys(about: Literal["fit", "plan"], one: Mapping[str, Any], two: Mapping[str, Any]) -> list[Difference]:
    """Dotted keys whose values differ; of arrays of tables, the entries."""
    before, after = _flat(one), _flat(two)
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if _tables(old) and _tables(new) and (old or new):
            found += _entries(about, key, old or [], new or [])
        elif key == "source_digest":
            words = "the sources of the package differ"
            found.append(Difference(about, "changed", key, old, new, words))
        else:
            words = f"{key}: {_short(old)} → {_short(new)}"
            found.append(Difference(about, "changed", key, old, new, words))
    return found


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, inner in value.items():
        name = f"{above}.{key}" if above else key
        if isinstance(inner, Mapping) and inner:
            out |= _flat(inner, name)
        elif inner is not None and inner != {} and inner != []:
            out[name] = inner
    return out


def _tables(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(one, dict) for one in value))


def _entries(about: Literal["fit", "plan"], key: str, old: list[Any], new: list[Any]) -> list[Difference]:
    counts = Counter(map(canonical_json, new))
    counts.subtract(map(canonical_json, old))
    found = []
    for text, surplus in counts.items():
        entry, change = json.loads(text), "added" if surplus > 0 else "removed"
        for _ in range(abs(surplus)):
            before, after = (None, entry) if surplus > 0 else (entry, None)
            words = f"{key}: {change} {_entry(entry)}"
            found.append(Difference(about, "added" if surplus > 0 else "removed", key, before, after, words))
    return found


def _entry(entry: Mapping[str, Any]) -> str:
    """An entry of an array in words; filters with their reason."""
    where = entry.get("where")
    if isinstance(where, Mapping):
        named = " and ".join(f"{column} = {' or '.join(map(str, v))}" for column, v in where.items())
        return f"{named} ({entry.get('reason', '')})"
    return ", ".join(
        f"{key} = {_short(value)}" for key, value in entry.items() if value not in (None, {}, [])
    )


def _short(value: Any) -> str:
    return _UNSET if value is None else json.dumps(value, ensure_ascii=False)


def _axes(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[Difference]:
    found = []
    for axis in AXES:
        old, new = ({n["name"]: n.get("parent") for n in b.get("axes", {}).get(axis, [])} for b in (one, two))
        for name in [*old, *(name for name in new if name not in old)]:
            if name not in new:
                found.append(Difference("axes", "removed", axis, name, None, f"{axis} {name}: removed"))
            elif name not in old:
                found.append(Difference("axes", "added", axis, None, name, f"{axis} {name}: added"))
            elif old[name] != new[name]:
                words = f"{axis} {name}: under {new[name]}, before under {old[name]}"
                found.append(Difference("axes", "changed", axis, old[name], new[name], words))
    return found


def _told(change: StatementChange) -> Difference:
    return Difference("statement", change.change, change.id, change.before, change.after, change.sentence())
