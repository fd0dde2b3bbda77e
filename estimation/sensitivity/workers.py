"""Fits side by side, a process each; their numbers are those of one process, for every chain has its own stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ..plan import Plan
from ..store.runs import Run
from .sweep import Fits


def side_by_side(fit: Callable[[Plan], Run], workers: int) -> Fits:
    """Plans fitted by so many processes; by this one where they are one.

    Parameters
    ----------
    fit : callable
        A function another process can find by its name, or a partial one of such.
    workers : int
    """
    if workers == 1:
        return lambda plans: map(fit, plans)

    def fits(plans: Iterable[Plan]) -> Iterator[Run]:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            try:
                yield from pool.map(fit, plans)
            except KeyboardInterrupt:
                # The workers have been told too; what none has begun is not begun.
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    return fits
