"""Simulation-based calibration of a plan: many worlds, each kept as soon as it is finished, and one certificate.

Draw parameters from the prior and a panel from the parameters, fit the panel, and rank the truth among the draws:
where program and sampler are right, every rank is uniform (Talts et al. 2018).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...data.digest import digest
from ...data.errors import InputError, Problem
from ..binding import Bound, bind_plan
from ..plan import Plan
from ..runners.catalogue import open_runner
from ..runners.contract import HERE, Runner, Where
from ..store.identity import source_digest
from ..store.layout import run_folder, runs_root
from ..store.lines import add_line, read_lines
from .certificate import SOURCES, certificate, form_of, write_certificate
from .coverage import pooled
from .verdict import Verdict, verdicts
from .world import AS_IT_IS, FITTED, Case, one_world

Say = Callable[[str], None]
Record = Mapping[str, Any]
NAME = "sbc.jsonl"
LEAST = 20  # worlds below which no test has a say
AGAIN = 4  # a plan that fails is judged once more, on so many times the worlds
_MOST_LEFT_OUT = 10  # tries for each world that is fitted


@dataclass(frozen=True)
class Calibration:
    """What the worlds of a plan say.

    Parameters
    ----------
    plan : str
    worlds : tuple of mapping
        Records of the worlds judged.
    left_out : mapping of status to int
        Worlds drawn and not fitted.
    verdicts : tuple of Verdict
    coverage : mapping of stratum to mapping
        As ``coverage.pooled``.
    repeated : bool
        Judged a second time, on ``AGAIN`` times the worlds.
    """

    plan: str
    worlds: tuple[Record, ...]
    left_out: Mapping[str, int]
    verdicts: tuple[Verdict, ...]
    coverage: Mapping[str, Mapping[str, float]]
    repeated: bool

    @property
    def passed(self) -> bool:
        """No quantity failed."""
        return not any(one.failed for one in self.verdicts)

    @property
    def engine(self) -> str:
        """What fitted the worlds; under ``auto`` it may be more than one."""
        return ", ".join(sorted({one["engine"] for one in self.worlds}))

    def account(self) -> dict[str, Any]:
        """How the worlds went, as plain values."""
        return {
            "fitted": len(self.worlds),
            "left_out": dict(self.left_out),
            "repeated": self.repeated,
            "rhat_max": max(one["rhat"] for one in self.worlds),
            "ess_min": min(one["ess"] for one in self.worlds),
            "diverged": sum(one["divergences"] > 0 for one in self.worlds),
            "seconds": round(float(np.mean([one["seconds"] for one in self.worlds])), 2),
            "coverage": self.coverage,
        }


def calibrate(
    plan: Plan, worlds: int = 200, where: Where = HERE, runs: Path | None = None, say: Say = print
) -> Calibration:
    """Calibrate a plan on worlds of its own and write its certificate; what is kept is not done again.

    Parameters
    ----------
    plan : Plan
        Fitted with its own ``[estimate]``.
    worlds : int
        Worlds to fit. Where some quantity fails, ``AGAIN`` times as many are fitted before it is called a failure.
    where : Where
        Where they are fitted; nothing but values goes there and comes back.
    runs : Path, optional
        Folder of runs; ``sbc.jsonl`` and ``certificate.json`` stand in the plan's own folder there.
    say : callable
        Told of the progress.

    Raises
    ------
    InputError
        Faults of the plan or the data; too few worlds; a plan hardly any of whose worlds can be fitted; or what fits
        them is gone, and finished worlds are kept.
    KeyboardInterrupt
        The user stopped it; finished worlds are kept, and the next call goes on.
    """
    if worlds < LEAST:
        raise InputError(Problem("too few worlds", "-n", str(worlds), f"{LEAST} or more"))
    bound = bind_plan(plan)
    folder = run_folder(runs_root(plan.file or Path("plan.toml"), runs), plan.name, "").absolute()
    with open_runner(where, say) as runner:
        found = judged(bound, worlds, runner, folder / NAME, say)
        if not found.passed:
            failed = ", ".join(one.quantity for one in found.verdicts if one.failed)
            say(f"Not uniform at {worlds} worlds: {failed}. Fitting {AGAIN} times as many …")
            found = judged(bound, AGAIN * worlds, runner, folder / NAME, say, repeated=True)
    records = [one.record() for one in found.verdicts]
    form = form_of(bound.blueprint, found.engine)
    write_certificate(folder, certificate(form, plan.name, records, found.account()))
    return found


def judged(
    bound: Bound,
    worlds: int,
    runner: Runner,
    file: Path,
    say: Say,
    case: Case = AS_IT_IS,
    repeated: bool = False,
) -> Calibration:
    """Fit the worlds that a file does not hold, and judge.

    Parameters
    ----------
    file : Path
        JSON lines, one a world, each with the identity of what it was made from.
    case : Case
        As ``one_world``; a file of its own for each.
    """
    return _judge(bound, simulated(bound, worlds, runner, file, say, case), repeated)


def kept(bound: Bound, file: Path) -> Calibration | None:
    """Judge the worlds that a file holds, as far as they follow one another; None for fewer than can be judged."""
    done = _done(file, _identity(bound))
    seeds = next(n for n in itertools.count(1) if n not in done)
    records = [done[seed] for seed in range(1, seeds)]
    if sum(one["status"] == FITTED for one in records) < LEAST:
        return None
    return _judge(bound, records, False)


def _judge(bound: Bound, records: Sequence[Record], repeated: bool) -> Calibration:
    fitted = [one for one in records if one["status"] == FITTED]
    rest = [one["status"] for one in records if one["status"] != FITTED]
    return Calibration(
        bound.plan.name,
        tuple(fitted),
        {status: rest.count(status) for status in sorted(set(rest))},
        tuple(verdicts([one["ranks"] for one in fitted])),
        pooled(one["coverage"] for one in fitted),
        repeated,
    )


def simulated(
    bound: Bound,
    worlds: int,
    runner: Runner,
    file: Path,
    say: Say,
    case: Case = AS_IT_IS,
) -> list[Record]:
    """Records of the worlds 1, 2, … up to the one that makes the number fitted full, in order.

    Worlds are taken by number, never by which is finished first: how long a fit takes depends on its truth.
    """
    identity = _identity(bound)
    done = _done(file, identity)
    told = _Told(say, worlds)
    top = 0
    while True:
        fitted = sum(done[seed]["status"] == FITTED for seed in range(1, top + 1))
        if fitted == worlds:
            return [done[seed] for seed in range(1, top + 1)]
        if top >= _MOST_LEFT_OUT * worlds:
            raise InputError(_hardly_any(bound, done, fitted, top))
        top += worlds - fitted
        missing = [seed for seed in range(1, top + 1) if seed not in done]
        for _, record in runner.finished(partial(_world, bound, case), missing):
            done[record["seed"]] = {**record, "identity": identity}
            add_line(file, done[record["seed"]])
            told.one(sum(one["status"] == FITTED for one in done.values()))


def _world(bound: Bound, case: Case, seed: int) -> dict[str, Any]:
    return one_world(bound, seed, case)


def _identity(bound: Bound) -> str:
    """Of what decides a plan's worlds and their fits."""
    return digest(
        {
            "blueprint": bound.description,
            "statements": bound.panel.digest(),
            "engine": bound.plan.estimate.model_dump(exclude={"seed"}),
            "sources": source_digest(SOURCES),
        }
    )[:12]


def _done(file: Path, identity: str) -> dict[int, Record]:
    """Worlds of an identity that a file holds, by number."""
    return {one["seed"]: one for one in read_lines(file) if one.get("identity") == identity}


def _hardly_any(bound: Bound, done: Mapping[int, Record], fitted: int, top: int) -> Problem:
    why = next((one["why"] for one in done.values() if "why" in one), "its cells are other than the plan's")
    return Problem(
        f"{fitted} of {top} simulated panels could be fitted",
        f"plan {bound.plan.name}",
        f"the first that was left out: {why}",
        do="give the plan denominators large enough that its prior makes panels like its own",
    )


class _Told:
    """Says how far it is and how long it may take, after the first world and then every ten seconds."""

    def __init__(self, say: Say, worlds: int) -> None:
        self._say, self._worlds = say, worlds
        self._begun = time.monotonic()
        self._said, self._new = -np.inf, 0

    def one(self, fitted: int) -> None:
        """One more world is finished; ``fitted`` of all are."""
        self._new += 1
        now = time.monotonic()
        if now - self._said < 10 and fitted < self._worlds:
            return
        self._said = now
        each = (now - self._begun) / self._new
        left = each * max(self._worlds - fitted, 0)
        self._say(f"{fitted} of {self._worlds} worlds fitted, {each:.1f} s each; about {left:.0f} s left")
