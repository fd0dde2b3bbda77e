"""What intervals are worth: a small plan of each kind calibrated, and faults planted to see whether it would tell.

Run by hand, from the folder of the checkout::

    python benchmarks/calibration.py run [KIND …] [-n 200]     the plans in benchmarks/calibration
    python benchmarks/calibration.py mutants [KIND …] [-n 60]  the same with a fault planted in what is fitted
    python benchmarks/calibration.py page                      write docs/calibration.md from what has been kept

Worlds are kept as JSON lines below ``--out`` (default ``out/calibration``): a second call goes on where one stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from string import Template

import numpy as np

from attrition.estimation.binding import bind_plan
from attrition.estimation.calibration.quantities import LIKELIHOOD
from attrition.estimation.calibration.sbc import NAME, Calibration, calibrate, judged, kept
from attrition.estimation.plan import Plan, read_plan
from attrition.models.blueprint import Blueprint
from attrition.models.contract import Batch

ROOT = Path(__file__).resolve().parents[1]
PLANS = ROOT / "benchmarks" / "calibration"
PAGE = ROOT / "docs" / "calibration.md"
KINDS = ("exact", "total", "bounded", "skipped", "all_sources", "missing_denominator", "immature")
WORLDS, MUTANTS = 200, 60


# ---- Faults ----


def of_kind(batch: Batch, kind: str) -> np.ndarray:
    """Groups of a batch that a kind shapes, (S,) bool."""
    return np.array([kind in (batch.report, *own) for own in batch.kinds])


def deleted(blueprint: Blueprint, kind: str) -> Blueprint:
    """The likelihood without the groups of a kind; of a blueprint that has no others, without every second one."""
    marked = [of_kind(batch, kind) for batch in blueprint.batches]
    if all(rows.all() for rows in marked):
        marked = [rows & (np.arange(len(rows)) % 2 == 1) for rows in marked]
    left = (batch.take(np.flatnonzero(~rows)) for batch, rows in zip(blueprint.batches, marked, strict=True))
    return replace(blueprint, batches=tuple(batch for batch in left if batch.groups))


def shifted(blueprint: Blueprint, kind: str) -> Blueprint:
    """The groups of a kind, each of which reads the rates of the group before it."""
    batches = []
    for batch in blueprint.batches:
        rows, slots = np.flatnonzero(of_kind(batch, kind)), batch.slots.copy()
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
        found = calibrate(plan_of(kind), worlds, workers, out, say)
        for one in found.verdicts:
            if one.failed:
                say(f"{one.quantity}: {one.record()}")
        say(f"{kind}: {'passed' if found.passed else 'failed'}, {len(found.worlds)} worlds, {found.left_out}")


def mutants(kinds: Sequence[str], worlds: int, workers: int, out: Path) -> None:
    """Plant each fault in what is fitted; the kind's log-likelihood must tell."""
    for kind in kinds:
        for name, fault in FAULTS.items():
            bound = bind_plan(plan_of(kind))
            file = out / "mutants" / f"{kind}-{name}.jsonl"
            found = judged(bound, worlds, workers, file, say, partial(fault, kind=kind))
            say(_mutant(kind, name, found))


def _mutant(kind: str, fault: str, found: Calibration) -> str:
    told = next(one for one in found.verdicts if one.quantity == f"{LIKELIHOOD}, {kind}")
    others = sum(one.failed for one in found.verdicts if not one.quantity.startswith(LIKELIHOOD))
    all_others = sum(not one.quantity.startswith(LIKELIHOOD) for one in found.verdicts)
    return (
        f"| {kind} | {fault} | {len(found.worlds)} | {told.mean:.2f} | {_probability(told.adjusted)} | "
        f"{'yes' if told.failed else 'no'} | {others} of {all_others} |"
    )


def _probability(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.4f}" if value >= 1e-4 else "< .0001"


# ---- The page ----


def page(out: Path) -> str:
    """The page, of the worlds that have been kept."""
    lines, told, few = [], [], []
    cover: list[str] = []
    for kind in KINDS:
        found = kept(bind_plan(plan_of(kind)), out / f"calibration-{kind}" / NAME)
        worlds = 0 if found is None else len(found.worlds)
        few += [f"{kind} ({worlds})"] if worlds < WORLDS else []
        if found is None:
            lines.append(f"| {kind} | 0 | | | | | |")
            continue
        account = found.account()
        least = min(found.verdicts, key=lambda one: one.adjusted)
        verdict = f"{_probability(least.adjusted)} ({least.quantity})" + (
            "" if found.passed else ", **failed**"
        )
        lines.append(
            f"| {kind} | {len(found.worlds)} | {sum(found.left_out.values())} | {len(found.verdicts)} | {verdict} | "
            f"{account['rhat_max']:.3f} | {account['ess_min']:.0f} |"
        )
        cover += ["", f"**{kind}**", "", "| | 50 % | 90 % | intervals |", "|---|---|---|---|"]
        cover += [
            f"| {name} | {one['cover50']:.3f} ± {one['error50']:.3f} | {one['cover90']:.3f} ± {one['error90']:.3f} | "
            f"{one['rows']:,.0f} |"
            for name, one in found.coverage.items()
        ]
    for kind in KINDS:
        for fault in FAULTS:
            one = kept(bind_plan(plan_of(kind)), out / "mutants" / f"{kind}-{fault}.jsonl")
            told += [] if one is None else [_mutant(kind, fault, one)]
    text = Template((PLANS / "page.md").read_text(encoding="utf-8"))
    short = f"Of fewer than {WORLDS} worlds when this was written: {', '.join(few)}." if few else ""
    parts = {"short": [short], "kinds": lines, "coverage": cover[1:], "mutants": told}
    return text.substitute({name: "\n".join(part) for name, part in parts.items()})


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, worlds in (("run", WORLDS), ("mutants", MUTANTS)):
        command = commands.add_parser(name)
        command.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
        command.add_argument("-n", type=int, default=worlds, help="worlds")
        command.add_argument("--workers", type=int, default=1)
    commands.add_parser("page")
    for command in commands.choices.values():
        command.add_argument(
            "--out", type=Path, default=Path("out/calibration"), help="where worlds are kept"
        )
    given = parser.parse_args(arguments)
    if given.command == "page":
        PAGE.write_text(page(given.out), encoding="utf-8")
        return
    does = run if given.command == "run" else mutants
    does(given.kinds or KINDS, given.n, given.workers, given.out)


if __name__ == "__main__":
    main()
