"""What runs one function on many items: in this process, in several, on a cluster; a way of running is one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

Say = Callable[[str], None]


@dataclass(frozen=True)
class Where:
    """Where many fits are to run, as a person says it.

    Parameters
    ----------
    workers : int, optional
        Processes on this machine; None where nothing was said.
    scheduler : str, optional
        Of a cluster: its address, or ``local``.
    """

    workers: int | None = None
    scheduler: str | None = None


HERE = Where()


class Runner(ABC):
    """Runs one function on many items. Results do not depend on which runner it is: every fit has its own streams."""

    #: The function runs in this process: it may show its own progress, and needs no other to see what it sees.
    here: bool = False

    @abstractmethod
    def finished[Item, Result](
        self, task: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """Positions of the items and what the function gave, each as soon as it is finished, in any order.

        Parameters
        ----------
        task : callable
            One that another process can find by its name, or a partial one of such.
        items : sequence

        Raises
        ------
        Exception
            What the function raised; nothing else is begun then, as where the caller stops reading.
        """


class Way(ABC):
    """One way of running, with no state of its own: of all ways the first by ``order`` that takes a wish opens it."""

    name: str
    order: int

    @abstractmethod
    def takes(self, where: Where) -> bool:
        """Is this the way that was asked for?"""

    @abstractmethod
    def opened(self, where: Where, say: Say) -> AbstractContextManager[Runner]:
        """A runner for as long as the block lasts.

        Raises
        ------
        InputError
            What was asked for is not there.
        """
