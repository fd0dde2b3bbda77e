"""One after another, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from .contract import Runner, Say, Way, Where


class Here(Runner):
    """This process; items are begun in their order, each when the result before it has been taken."""

    here = True

    def finished[Item, Result](
        self, task: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """In the order of the items."""
        return ((number, task(item)) for number, item in enumerate(items))


class InThisProcess(Way):
    """Nothing else was asked for."""

    name = "here"
    order = 10

    def takes(self, where: Where) -> bool:
        """At most one process."""
        return where.scheduler is None and (where.workers or 1) == 1

    def opened(self, where: Where, say: Say) -> AbstractContextManager[Runner]:
        """This process is always open."""
        return nullcontext(Here())
