"""What intervals are worth: a small plan of each kind calibrated, and faults planted to see whether it would tell.

Run by hand, from the folder of the checkout::

    python benchmarks/calibration.py run [KIND …] [-n 200]     the plans in benchmarks/calibration
    python benchmarks/calibration.py mutants [KIND …] [-n 60]  the same with a fault planted in what is fitted
    python benchmarks/calibration.py page                      write docs/calibration.md from what has been kept

Worlds are kept as JSON lines below ``--out`` (default ``out/calibration``): a second call goes on where one stopped.
``page`` sums up what is kept there in ``benchmarks/calibration/results.json``, which also remembers what other sources
gave, and writes the page of it. ``benchmarks/worlds.py`` fits the worlds in which the truth is other than the model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import worlds as other

from attrition.estimation.binding import Bound, bind_plan
from attrition.estimation.calibration.certificate import SOURCES
from attrition.estimation.calibration.quantities import LIKELIHOOD
from attrition.estimation.calibration.sbc import NAME, Calibration, calibrate, judged, kept
from attrition.estimation.calibration.world import Case
from attrition.estimation.plan import Plan, read_plan
from attrition.estimation.runners.catalogue import open_runner
from attrition.estimation.runners.contract import Where
from attrition.estimation.store.identity import source_digest
from attrition.models.batches import Batch
from attrition.models.blueprint import Blueprint

ROOT = Path(__file__).resolve().parents[1]
PLANS = ROOT / "benchmarks" / "calibration"
PAGE = ROOT / "docs" / "calibration.md"
KINDS = ("exact", "total", "bounded", "skipped", "all_sources", "missing_denominator", "immature", "closed")
TOLD_BY = {"closed": "immature"}  # the log-likelihood in which a kind without one of its own is counted
TOYS = (*KINDS, "corrections")  # the last is a setting of a kind, so that no fault of its own can be planted
WORLDS, MUTANTS = 200, 60
RESULTS = PLANS / "results.json"
Results = dict[str, dict[str, Any]]  # of ``kinds``, ``mutants`` and ``worlds`` by name


# ---- Faults ----


def of_kind(blueprint: Blueprint, batch: Batch, kind: str) -> np.ndarray:
    """Groups of a batch that a kind shapes, (S,) bool; closed units are read in groups of ``immature``."""
    lags = [blueprint.analysis.groups[number].lags for number in batch.groups]
    ended = [kind == "closed" and each is not None and each.closed > 0 for each in lags]
    return np.array([kind in (batch.report, *own) for own in batch.kinds]) | np.array(ended)


def deleted(blueprint: Blueprint, kind: str) -> Blueprint:
    """The likelihood without the groups of a kind; of a blueprint that has no others, without every second one."""
    marked = [of_kind(blueprint, batch, kind) for batch in blueprint.batches]
    if all(rows.all() for rows in marked):
        marked = [rows & (np.arange(len(rows)) % 2 == 1) for rows in marked]
    left = (batch.take(np.flatnonzero(~rows)) for batch, rows in zip(blueprint.batches, marked, strict=True))
    return replace(blueprint, batches=tuple(batch for batch in left if batch.groups))


def shifted(blueprint: Blueprint, kind: str) -> Blueprint:
    """The groups of a kind, each of which reads the rates of the group before it."""
    batches = []
    for batch in blueprint.batches:
        rows, slots = np.flatnonzero(of_kind(blueprint, batch, kind)), batch.slots.copy()
        slots[rows] = slots[np.roll(rows, 1)]
        batches.append(replace(batch, slots=slots))
    return replace(blueprint, batches=tuple(batches))


FAULTS: dict[str, Callable[[Blueprint, str], Blueprint]] = {"deleted": deleted, "shifted": shifted}


# ---- Commands ----


def plan_of(kind: str) -> Plan:
    """The small plan of a kind."""
    return read_plan(PLANS / f"{kind}.toml")


def say(text: str) -> None:
    """A line of progress."""
    print(text, flush=True)


def run(kinds: Sequence[str], worlds: int, workers: int, out: Path) -> None:
    """Calibrate the plans, one after another."""
    for kind in kinds:
        say(f"== {kind}")
        found = calibrate(plan_of(kind), worlds, Where(workers), out, say)
        for one in found.verdicts:
            if one.failed:
                say(f"{one.quantity}: {one.record()}")
        say(f"{kind}: {'passed' if found.passed else 'failed'}, {len(found.worlds)} worlds, {found.left_out}")


def mutants(kinds: Sequence[str], worlds: int, workers: int, out: Path) -> None:
    """Plant each fault in what is fitted; the kind's log-likelihood must tell."""
    with open_runner(Where(workers), say) as runner:
        for kind in kinds:
            for name, fault in FAULTS.items():
                bound = bind_plan(plan_of(kind))
                case = Case(fitted=partial(fault, kind=kind))
                found = judged(bound, worlds, runner, file_of(kind, name, out), say, case)
                say(_mutant_line(f"{kind}, {name}", _mutant(kind, found)))


def file_of(kind: str, fault: str, out: Path) -> Path:
    """Where worlds of a mutant are kept."""
    return out / "mutants" / f"{kind}-{fault}.jsonl"


# ---- What came of it ----


def _summary(found: Calibration) -> dict[str, Any]:
    """What the page says of a plan."""
    account = found.account()
    least = min(found.verdicts, key=lambda one: one.adjusted)
    return {
        "fitted": len(found.worlds),
        "left_out": sum(found.left_out.values()),
        "quantities": len(found.verdicts),
        "least": least.adjusted,
        "least_of": least.quantity,
        "passed": found.passed,
        **{name: account[name] for name in ("rhat_max", "ess_min", "seconds", "coverage")},
    }


def _mutant(kind: str, found: Calibration) -> dict[str, Any]:
    """What the page says of a mutant."""
    mine = f"{LIKELIHOOD}, {TOLD_BY.get(kind, kind)}"
    told = next(one for one in found.verdicts if one.quantity == mine)
    others = [one.failed for one in found.verdicts if not one.quantity.startswith(LIKELIHOOD)]
    return {
        "fitted": len(found.worlds),
        "mean": told.mean,
        "adjusted": told.adjusted,
        "told": told.failed,
        "others": f"{sum(others)} of {len(others)}",
    }


def _world(found: Calibration) -> dict[str, Any]:
    """What the page says of worlds that are not as the model says."""
    raised = [name for one in found.worlds for name in set(one["alarms"])]
    shares = {name: raised.count(name) / len(found.worlds) for name in sorted(set(raised))}
    return _summary(found) | {"alarms": shares}


def results(out: Path) -> Results:
    """What was found before, and in its place what is kept of these sources."""
    known: Results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    told: Results = {part: dict(known.get(part, {})) for part in ("kinds", "mutants", "worlds")}

    def put(
        part: str, name: str, bound: Bound, file: Path, sum_up: Callable[[Calibration], dict[str, Any]]
    ) -> None:
        if file.is_file() and (found := kept(bound, file)) is not None:
            told[part][name] = {"sources": source_digest(SOURCES)[:12], **sum_up(found)}

    for kind in TOYS:
        bound = bind_plan(plan_of(kind))
        put("kinds", kind, bound, out / f"calibration-{kind}" / NAME, _summary)
        for fault in FAULTS:
            put("mutants", f"{kind}, {fault}", bound, file_of(kind, fault, out), partial(_mutant, kind))
    for name in other.KINDS:
        put("worlds", name, other.bound_of(name), other.file_of(name, out), _world)
    return told


# ---- The page ----


def _probability(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}" if value >= 1e-4 else "< .0001"


def _kind_line(kind: str, one: Mapping[str, Any]) -> str:
    verdict = f"{_probability(one['least'])} ({one['least_of']})" + ("" if one["passed"] else ", **failed**")
    return (
        f"| {kind} | {one['fitted']} | {one['left_out']} | {one['quantities']} | {verdict} | "
        f"{one['rhat_max']:.3f} | {one['ess_min']:.0f} | {one['sources']} |"
    )


def _mutant_line(name: str, one: Mapping[str, Any]) -> str:
    told = "yes" if one["told"] else "no"
    return (
        f"| {name} | {one['fitted']} | {one['mean']:.2f} | {_probability(one['adjusted'])} | {told} | "
        f"{one['others']} |"
    )


def _share(one: Mapping[str, float], mass: int) -> str:
    return f"{one[f'cover{mass}']:.3f} ± {one[f'error{mass}']:.3f}"


def _world_line(name: str, one: Mapping[str, Any]) -> str:
    cover = one["coverage"]
    places = [
        _share(cover[stratum], 90) if stratum in cover else ""
        for stratum in ("cells", "cells, n = 0", "aggregates", "root")
    ]
    alarms = ", ".join(f"{check} {share:.0%}" for check, share in one["alarms"].items()) or "none"
    return f"| {name} | {other.KINDS[name].says} | {one['fitted']} | {' | '.join(places)} | {alarms} |"


def _coverage(kind: str, one: Mapping[str, Any]) -> list[str]:
    lines = [
        f"| {name} | {_share(found, 50)} | {_share(found, 90)} | {found['rows']:,.0f} |"
        for name, found in one["coverage"].items()
    ]
    return ["", f"**{kind}**", "", "| | 50 % | 90 % | intervals |", "|---|---|---|---|", *lines]


def _unmeasured(told: Results) -> str:
    """Which mutants and worlds nobody has fitted yet."""
    mutants = [f"{kind}, {fault}" for kind in KINDS for fault in FAULTS]
    left = [name for name in mutants if name not in told["mutants"]]
    left += [name for name in other.KINDS if name not in told["worlds"]]
    return f"Not measured when this was written: {'; '.join(left)}." if left else ""


def page(told: Results) -> str:
    """The page, of what was found."""
    kinds = {kind: told["kinds"][kind] for kind in TOYS if kind in told["kinds"]}
    few = [f"{kind} ({kinds[kind]['fitted'] if kind in kinds else 0})" for kind in TOYS
           if kind not in kinds or kinds[kind]["fitted"] < WORLDS]  # fmt: skip
    parts = {
        "short": [f"Of fewer than {WORLDS} worlds when this was written: {', '.join(few)}."] if few else [],
        "kinds": [_kind_line(kind, one) for kind, one in kinds.items()],
        "coverage": [line for kind, one in kinds.items() for line in _coverage(kind, one)][1:],
        "mutants": [_mutant_line(name, one) for name, one in sorted(told["mutants"].items())],
        "worlds": [_world_line(name, one) for name, one in sorted(told["worlds"].items())],
        "unmeasured": [_unmeasured(told)],
    }
    text = Template((PLANS / "page.md").read_text(encoding="utf-8"))
    return text.substitute({name: "\n".join(part) for name, part in parts.items()})


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, worlds in (("run", WORLDS), ("mutants", MUTANTS)):
        command = commands.add_parser(name)
        command.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(TOYS))
        command.add_argument("-n", type=int, default=worlds, help="worlds")
        command.add_argument("--workers", type=int, default=1)
    commands.add_parser("page")
    for command in commands.choices.values():
        command.add_argument(
            "--out", type=Path, default=Path("out/calibration"), help="where worlds are kept"
        )
    given = parser.parse_args(arguments)
    if given.command == "page":
        told = results(given.out)
        RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page(told), encoding="utf-8")
        return
    does = run if given.command == "run" else mutants
    does(given.kinds or (TOYS if does is run else KINDS), given.n, given.workers, given.out)


if __name__ == "__main__":
    main()
