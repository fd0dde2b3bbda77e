"""Sequences of many small objects that hold columns in their place; each object is made when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Any


class Lazy[T](Sequence[T]):
    """Items made from columns.

    Parameters
    ----------
    make : callable
        Makes an item of one value of each column.
    *columns : sequence or array
        All of one length; of an array the values run along its first axis.
    """

    def __init__(self, make: Callable[..., T], *columns: Any) -> None:
        self._make, self._columns = make, columns

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[T]:
        return map(self._make, *self._columns)

    def __getitem__(self, at: Any) -> Any:
        values = (column[at] for column in self._columns)
        return Lazy(self._make, *values) if isinstance(at, slice) else self._make(*values)


class Joined[T](Sequence[T]):
    """Sequences one after another, none of them copied.

    Parameters
    ----------
    *parts : sequence
    """

    def __init__(self, *parts: Sequence[T]) -> None:
        self._parts = parts
        self._ends = list(accumulate(len(part) for part in parts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[T]:
        return chain.from_iterable(self._parts)

    def __getitem__(self, at: Any) -> Any:
        where = range(len(self))[at]
        if isinstance(where, range):
            return [self[i] for i in where]
        part = bisect_right(self._ends, where)
        return self._parts[part][where - self._ends[part]]  # counted from its end


def shared[H: Hashable](values: Iterable[H]) -> list[H]:
    """The values, those that are equal as one object."""
    seen: dict[H, H] = {}
    return [seen.setdefault(value, value) for value in values]
