"""Which claims two runs make otherwise: those that hold in one alone, and those that say something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...data.names import CHANGE, ROOT
from ..binding import LATEST


@dataclass(frozen=True)
class ClaimChange:
    """A claim that holds in one run only, or holds in both and says something else.

    Parameters
    ----------
    change : {"appeared", "withdrawn", "changed"}
    key : str
        What the claim is about.
    before, after : str or None
        The sentence where it holds; None where it does not.
    probability_before, probability_after : float or None
        Of the sentence that run would make; None where it makes none.
    """

    change: Literal["appeared", "withdrawn", "changed"]
    key: str
    before: str | None
    after: str | None
    probability_before: float | None
    probability_after: float | None

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"sentence": self.sentence()}

    def sentence(self) -> str:
        """The change in words."""
        if self.before is None:
            return f"now said: {self.after} ({self._probabilities()})"
        if self.after is None:
            return f"no longer said: {self.before} ({self._probabilities()})"
        return f"before: {self.before}; now: {self.after} ({self._probabilities()})"

    def _probabilities(self) -> str:
        words = [
            "no claim" if p is None else f"{p:.2f}" for p in (self.probability_before, self.probability_after)
        ]
        return "probability " + " → ".join(words)


def latest_periods(one: Mapping[str, Any], two: Mapping[str, Any]) -> tuple[str, str] | None:
    """The period that each of two runs answers for, where both answer for the latest and it has moved on.

    Parameters
    ----------
    one, two : mapping
        As stored in ``blueprint.json``.
    """
    asked = {run.get("plan", {}).get("answer", {}).get("period") for run in (one, two)}
    old, new = (run.get("answer", {}).get("period", "") for run in (one, two))
    # Where no number has a period of its own the answer is of all, which names other axes' roots too.
    return (old, new) if asked == {LATEST} and old != new and ROOT not in (old, new) else None


def claim_changes(
    one: Sequence[Mapping[str, Any]],
    two: Sequence[Mapping[str, Any]],
    periods: tuple[str, str] | None = None,
) -> tuple[ClaimChange, ...]:
    """Claims that differ between two runs, in the order of the second, then those it has no more.

    Parameters
    ----------
    one, two : sequence of mapping
        As stored in ``claims.json``.
    periods : tuple of str, optional
        A period of the first run and the one of the second whose claims are held against it: what is said of the
        latest period is said again when there is a later one, or it is not.
    """
    same = _periods_meant(two, periods) if periods else {}
    before = {
        "|".join(same.get(_end(part), part) for part in claim["key"].split("|")): claim for claim in one
    }
    after = {claim["key"]: claim for claim in two}
    found = []
    for key in [*after, *(key for key in before if key not in after)]:
        old, new = before.get(key), after.get(key)
        # A sentence of a change names its periods, which have moved on: what is said of them is compared.
        if _held(old, "said") == _held(new, "said"):
            continue
        was, now = _held(old, "text"), _held(new, "text")
        change: Literal["appeared", "withdrawn", "changed"] = (
            "appeared" if was is None else "withdrawn" if now is None else "changed"
        )
        chances = (None if claim is None else float(claim["probability"]) for claim in (old, new))
        found.append(ClaimChange(change, key, was, now, *chances))
    return tuple(found)


def _periods_meant(
    claims: Sequence[Mapping[str, Any]], periods: tuple[str, str]
) -> dict[tuple[str, bool], str]:
    """What the claims of a later run call the period that an earlier one answers for, and the change to it."""
    earlier, later = periods
    names = {(earlier, False): later}
    for claim in claims:
        # The period before the latest is whichever stands in the claims of the change to it.
        for part in claim["key"].split("|"):
            if _end(part) == (later, True):
                names[earlier, True] = part
    return names


def _end(part: str) -> tuple[str, bool]:
    """The period that a part of a key ends at, and whether it is a change to it."""
    return part.rsplit(CHANGE, 1)[-1], CHANGE in part


def _held(claim: Mapping[str, Any] | None, what: str) -> str | None:
    return str(claim[what]) if claim is not None and claim["holds"] else None
