"""Side by side, in so many processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

from .contract import Runner, Say, Way, Where


@dataclass(frozen=True)
class Processes(Runner):
    """A pool of processes.

    Parameters
    ----------
    pool : ProcessPoolExecutor
    """

    pool: ProcessPoolExecutor

    def finished[Item, Result](
        self, task: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """As they come."""
        places = {self.pool.submit(task, item): number for number, item in enumerate(items)}
        for future in as_completed(places):
            yield places[future], future.result()


class SeveralProcesses(Way):
    """``--workers N`` without a scheduler."""

    name = "processes"
    order = 20

    def takes(self, where: Where) -> bool:
        """Two processes or more."""
        return where.scheduler is None and (where.workers or 1) > 1

    @contextmanager
    def opened(self, where: Where, say: Say) -> Iterator[Runner]:
        """Processes that end with the block; what none has begun is not begun when it ends early."""
        # Started afresh: threads of the sampler do not survive a fork.
        with ProcessPoolExecutor(where.workers, get_context("spawn")) as pool:
            try:
                yield Processes(pool)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
