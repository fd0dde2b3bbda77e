"""Every way of running, found by scanning the folder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from .. import runners as folder
from ..scan import scan
from .contract import Runner, Say, Way, Where


@cache
def ways() -> tuple[Way, ...]:
    """One instance of each, in the order in which they are asked."""
    return scan(folder, Way)


def open_runner(where: Where, say: Say) -> AbstractContextManager[Runner]:
    """The runner that was asked for.

    Parameters
    ----------
    where : Where
    say : callable
        Told of what the runner waits for.

    Raises
    ------
    InputError
        It is not there.
    """
    return next(way for way in ways() if way.takes(where)).opened(where, say)
