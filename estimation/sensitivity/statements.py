"""Numbers read that are not the same in two runs: matched by what they say, then by what they speak of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Line = Mapping[str, Any]
Key = Callable[[Line], Hashable]
Change = Literal["added", "removed", "changed"]

_SUBJECT: Final = ("stage", "offense", "jurisdiction", "period", "source_id")
_FACT: Final = (*_SUBJECT, "relation", "count", "low", "high", "unit", "origin", "clock")
_PLACED: Final = (
    "id",
    "file",
    "row",
    "note",
    "as_of",
)  # where and when a fact was read, which is no part of it
_FATE: Final = ("role", "preferred", "unit_class", "shifted", "kinds", "others", "status", "reason")


@dataclass(frozen=True)
class StatementChange:
    """A statement that only one run has, or that says or counts otherwise in the other.

    Parameters
    ----------
    change : {"added", "removed", "changed"}
    id : str
        In the second run; of a removed one, in the first.
    before, after : dict or None
        The lines of ``intake.json``; None where there is none.
    """

    change: Change
    id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    def sentence(self) -> str:
        """The change in words."""
        line = self.after or self.before or {}
        what = f"{line['stage']} ({line['offense']}, {line['jurisdiction']}, {line['period']}"
        what += f"; source {line['source_id']})" if line.get("source_id") else ")"
        if self.before is None or self.after is None:
            return f"{what}: {self.change} {_value(line)}, {line.get('status', 'used')}"
        parts = []
        if _value(self.before) != _value(self.after):
            parts.append(f"{_value(self.before)} → {_value(self.after)}")
        parts += [
            f"{column} {_word(self.before.get(column))} → {_word(self.after.get(column))}"
            for column in _FACT
            if column not in ("relation", "count", "low", "high")
            and self.before.get(column) != self.after.get(column)
        ]
        if self.before.get("status") != self.after.get("status"):
            reason = f" ({self.after['reason']})" if self.after.get("reason") else ""
            parts.append(f"{self.before.get('status')} → {self.after.get('status')}{reason}")
        return f"{what}: {'; '.join(parts)}"


def statement_changes(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[StatementChange]:
    """Statements that differ between two intakes.

    Parameters
    ----------
    one, two : mapping
        As stored in ``intake.json``.

    Returns
    -------
    list of StatementChange
        Equal facts are matched first, so that a row may move in its file; then what speaks of the same count of
        the same source; then what has the same id. The rest was removed or added. A matched pair is listed when
        its fact or its fate (used, unused, excluded, dropped) differs.
    """
    left: list[Line] = list(one.get("statements", []))
    right: list[Line] = list(two.get("statements", []))
    pairs: list[tuple[Line, Line]] = []
    keys: tuple[Key, ...] = (_by("id", *_FACT), _by(*_FACT), _by(*_SUBJECT), _by("id"))
    for key in keys:
        more, left, right = _match(left, right, key)
        pairs += more
    changed = [
        StatementChange("changed", str(b["id"]), dict(a), dict(b))
        for a, b in pairs
        if any(a.get(column) != b.get(column) for column in (*_FACT, "status"))
    ]
    return [
        *changed,
        *(StatementChange("removed", str(line["id"]), dict(line), None) for line in left),
        *(StatementChange("added", str(line["id"]), None, dict(line)) for line in right),
    ]


def _by(*columns: str) -> Key:
    return lambda line: tuple(line.get(column) for column in columns)


def _match(
    left: Sequence[Line], right: Sequence[Line], key: Key
) -> tuple[list[tuple[Line, Line]], list[Line], list[Line]]:
    """Pairs of equal key in the order of reading, and what is left of both sides."""
    waiting: dict[Hashable, list[Line]] = defaultdict(list)
    for line in reversed(right):
        waiting[key(line)].append(line)
    pairs, alone = [], []
    for line in left:
        found = waiting.get(key(line))
        if found:
            pairs.append((line, found.pop()))
        else:
            alone.append(line)
    taken = {id(after) for _, after in pairs}
    return pairs, alone, [line for line in right if id(line) not in taken]


def _value(line: Line) -> str:
    """What was counted, in words."""
    relation, count = str(line.get("relation", "exact")), line.get("count")
    if count is None:
        return f"{relation} {_word(line.get('low'))} to {_word(line.get('high'))}"
    return _word(count) if relation == "exact" else f"{relation} {_word(count)}"


def _word(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.0f}" if value == int(value) else f"{value:g}"
    return str(value) if value not in (None, "") else "nothing"
