"""A collector of faults: everything is shown at once, but the same fault not a thousand times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .errors import InputError, Problem

SHOWN = 20


class Faults:
    """Gathers problems; of one kind at one place (a column of a table) 20 are kept and the rest counted."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._seen: Counter[tuple[str, str]] = Counter()

    def add(self, problem: Problem, place: str = "") -> None:
        """Add one problem; ``place`` groups repeats, e.g. ``"data.csv, column arrest"``."""
        key = (problem.what, place)
        self._seen[key] += 1
        if not place or self._seen[key] <= SHOWN:
            self._problems.append(problem)

    def extend(self, problems: Iterable[Problem], place: str = "") -> None:
        """Add several."""
        for problem in problems:
            self.add(problem, place)

    def __bool__(self) -> bool:
        return bool(self._problems)

    def problems(self) -> tuple[Problem, ...]:
        """The problems kept, and a line for each kind that had more."""
        more = [
            Problem(f"{count - SHOWN:,} more of this fault: {what}", place)
            for (what, place), count in self._seen.items()
            if place and count > SHOWN
        ]
        return (*self._problems, *more)

    def raise_any(self) -> None:
        """Raise what was gathered.

        Raises
        ------
        InputError
        """
        if self._problems:
            raise InputError(self.problems())
