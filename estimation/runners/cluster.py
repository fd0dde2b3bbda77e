"""On the workers of a Dask scheduler, here or elsewhere (the extra ``dask``).

A task whose worker is lost is run again on another. Functions, items and results travel by value, the function once to
each worker; only one that writes files needs a folder that all see (``estimation/store/shared.py``).
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from ...data.errors import InputError, Problem
from ..extras import dask_distributed
from ..store.identity import source_digest
from .contract import Runner, Say, Way, Where

LOCAL = "local"
_PATIENCE = 15.0  # seconds for a scheduler to answer
_UNTOLD = 30.0  # seconds without a result after which the user hears why, if nobody works on one
# Samplers and the threads of linear algebra are a process's own: a worker of several threads fits one at a time.
_ONE_AT_A_TIME = Lock()


def on_a_worker[Item, Result](task: Callable[[Item], Result], sources: str, item: Item) -> Result:
    """Run a function where the package is that of the client.

    Raises
    ------
    InputError
        It is another: its numbers could be others.
    """
    if source_digest() != sources:
        raise InputError(
            Problem(
                "a worker has another version of attrition",
                "--scheduler",
                "sources that differ from those of this process",
                do="install the same package and the same constraints.txt on every worker, and start them again",
            )
        )
    with _ONE_AT_A_TIME:
        return task(item)


def _unpacked() -> Callable[[bytes, bytes], Any]:
    """A function that itself travels by value and unpacks the others only when it is run.

    A worker that cannot read a message stops listening, and what it was given never ends; one that cannot run a task
    says so.
    """
    return lambda task, item: pickle.loads(task)(pickle.loads(item))


@dataclass(frozen=True)
class Cluster(Runner):
    """The workers that a client's scheduler has, those too that come later.

    Parameters
    ----------
    distributed : module
    client : distributed.Client
    address : str
        As the user gave it.
    say : callable
    """

    distributed: Any
    client: Any
    address: str
    say: Say

    def finished[Item, Result](
        self, task: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result]]:
        """As they come."""
        if not items:
            return
        packed = pickle.dumps(partial(on_a_worker, task, source_digest()))
        # A step of its own in the graph: what a lost worker held of it is made again.
        given = self.client.submit(bytes, packed, pure=False)
        run = _unpacked()
        futures = [self.client.submit(run, given, pickle.dumps(item), pure=False) for item in items]
        places = {future.key: number for number, future in enumerate(futures)}
        done: SimpleQueue[Any] = SimpleQueue()
        for future in futures:
            future.add_done_callback(done.put)
        try:
            for _ in futures:
                future = self._next(done)
                yield places[future.key], self._result(future)
        except BaseException:
            if self.client.status == "running":
                self.client.cancel(futures, force=True)
            raise

    def _next(self, done: SimpleQueue[Any]) -> Any:
        while True:
            try:
                return done.get(timeout=_UNTOLD)
            except Empty:
                if self.client.status != "running":
                    raise self._gone() from None
                if not self.client.scheduler_info(n_workers=1)["workers"]:
                    self.say(f"The scheduler {self.address} has no worker; waiting for one …")

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except CancelledError:
            raise self._gone() from None
        except self.distributed.KilledWorker as error:
            raise InputError(
                Problem(
                    "workers are lost while they fit",
                    "--scheduler",
                    f"{error.allowed_failures + 1} in a row on one fit",
                    do="give each worker more memory; what is finished is kept, and the same command goes on",
                )
            ) from error
        except ModuleNotFoundError as error:
            raise InputError(
                Problem(
                    "a worker lacks a package",
                    "--scheduler",
                    f"no {error.name}",
                    do="install attrition on every worker with the same constraints.txt",
                )
            ) from error

    def _gone(self) -> InputError:
        return InputError(
            Problem(
                "the scheduler is gone",
                "--scheduler",
                self.address,
                do="start it again; what is finished is kept, and the same command goes on",
            )
        )


class OnACluster(Way):
    """``--scheduler ADDRESS``, or ``--scheduler local`` for one that lives as long as the command."""

    name = "dask"
    order = 90

    def takes(self, where: Where) -> bool:
        """Any scheduler."""
        return where.scheduler is not None

    @contextmanager
    def opened(self, where: Where, say: Say) -> Iterator[Runner]:
        """Connected to the scheduler for as long as the block lasts."""
        assert where.scheduler is not None
        if where.scheduler != LOCAL and where.workers is not None:
            raise InputError(
                Problem(
                    "a scheduler has workers of its own",
                    "--workers",
                    str(where.workers),
                    do=f"leave out --workers, or use --scheduler {LOCAL}",
                )
            )
        distributed = dask_distributed()
        with (
            distributed.dask.config.set(_settings()),
            _local(distributed, where.workers)
            if where.scheduler == LOCAL
            else _remote(distributed, where) as client,
        ):
            workers = client.scheduler_info(n_workers=-1)["workers"]
            say(f"Scheduler {where.scheduler}: {len(workers)} workers")
            yield Cluster(distributed, client, where.scheduler, say)


def _settings() -> Mapping[str, Any]:
    # What a task needs is sent once, however large.
    return {"distributed.admin.large-graph-warning-threshold": "100 GiB"}


@contextmanager
def _local(distributed: Any, workers: int | None) -> Iterator[Any]:
    """A cluster of processes on this machine; of a core each unless so many are asked for."""
    with (
        distributed.LocalCluster(
            n_workers=workers or os.cpu_count(),
            threads_per_worker=1,
            processes=True,
            # A fit takes the memory it takes: the guard would end it where the machine has room.
            memory_limit=0,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def _remote(distributed: Any, where: Where) -> Iterator[Any]:
    try:
        client = distributed.Client(where.scheduler, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            Problem(
                "no scheduler answers",
                "--scheduler",
                f"{where.scheduler}: {error}",
                f"the address of a Dask scheduler, tcp://host:port, or {LOCAL}",
                "start one with: dask scheduler",
            )
        ) from error
    with client:
        yield client
