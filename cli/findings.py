"""What commands say of a validation, a run, its checks and its answer: words, and the same as values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..data.names import BASES
from .combined import combined_text
from .console import columns

if TYPE_CHECKING:
    import pandas as pd

    from ..estimation.store.runs import Run
    from ..estimation.validation import Validation

SHOWN_WITHOUT = 12


class Described(Protocol):
    """An entry of the catalogue."""

    name: ClassVar[str]
    example: ClassVar[str]

    def sentence(self) -> str:
        """What it says, in one sentence."""
        ...


def catalogue_value(noun: str, entries: Iterable[Described]) -> list[dict[str, str]]:
    """Entries of the catalogue as {noun, sentence, example}."""
    return [{noun: one.name, "sentence": one.sentence(), "example": one.example} for one in entries]


def catalogue_text(noun: str, found: Sequence[dict[str, str]]) -> str:
    """Entries of the catalogue, a line each."""
    return columns([(entry[noun], entry["sentence"]) for entry in found])


def validation_text(found: Validation, plan: Path, explain: bool) -> str:
    """What validation found, and what to do next."""
    lines = list(found.sentences)
    odd = [*found.intake.get("warnings", ()), *found.intake.get("suspects", ())]
    lines += [sentence for sentence in odd if sentence not in lines]
    without = found.without_statement
    if without:
        more = f" and {len(without) - SHOWN_WITHOUT} more" if len(without) > SHOWN_WITHOUT else ""
        lines.append(f"No statement speaks of: {'; '.join(without[:SHOWN_WITHOUT])}{more}.")
    if explain:
        lines += ["", f"The rate: {found.blueprint['equation']}"]
        lines += [
            f"  {effect['kind']}: {effect['sentence']} {effect['because']}".rstrip()
            for effect in found.blueprint["effects"]
        ]
        lines += [f"  {kind['kind']}: {kind['sentence']}" for kind in found.blueprint["kinds"]]
        lines += ["", combined_text(found.intake, found.blueprint), ""]
    return "\n".join([*lines, f"No problem found. Next: attrition estimate {plan}"])


def validation_value(found: Validation) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "problems": [problem.line() for problem in found.problems],
        "sentences": list(found.sentences),
        "without_statement": list(found.without_statement),
        "counts": found.intake.get("counts", {}),
        "warnings": list(found.intake.get("warnings", ())),
        "suspects": list(found.intake.get("suspects", ())),
    }


def simulation_text(drawn: dict[str, Any]) -> str:
    """Drawn statements as a table; the true rates are in the JSON."""
    header = ("stage", "offense", "jurisdiction", "period", "relation", "count")
    rows = [
        (*(str(one[key]) for key in header[:5]), counted(one["count"], one["low"], one["high"]))
        for one in drawn["statements"]
    ]
    end = f"{len(rows)} statements; --json also gives the {len(drawn['truth'])} true rates."
    return f"{columns(rows, header)}\n\n{end}"


def run_value(run: Run) -> dict[str, Any]:
    """A run as the plain values other programs read."""
    return {
        "run": str(run.folder.resolve()),
        "identity": run.identity,
        "engine": run.manifest["engine"],
        "status": run.status,
        "seconds": run.manifest.get("timings", {}),
    }


def run_text(run: Run) -> str:
    """A finished fit in two lines, and what to do next."""
    seconds = run.manifest.get("timings", {}).get("total")
    took = f", fitted in {seconds:.0f} s" if seconds is not None else ""
    lines = [f"Run {run.identity} of {run.name!r} is {run.status}{took}: {run.folder}"]
    if run.draft:
        lines.append("It is a draft of few draws, for a first look: no number of it is for publication.")
    if run.unfit:
        lines.append("The sampler did not reach its diagnostics: every number of this run is marked.")
    lines.append(f"Next: attrition check {run.folder}\n      attrition report {run.folder}")
    return "\n".join(lines)


def checks_text(run: Run, results: Sequence[dict[str, Any]]) -> str:
    """Checks as a table, failures first, and their tally."""
    order = {"failed": 0, "informational": 1, "passed": 2}
    rows = [
        (one["verdict"], one["name"], number(one["value"]), number(one["threshold"]), one["sentence"])
        for one in sorted(results, key=lambda one: order.get(one["verdict"], 0))
    ]
    tally = {verdict: sum(one["verdict"] == verdict for one in results) for verdict in order}
    summary = ", ".join(f"{tally[verdict]} {verdict}" for verdict in ("passed", "failed", "informational"))
    table = columns(rows, ("verdict", "check", "value", "threshold", "what it says"))
    return f"{table}\n\nRun {run.identity}: {summary}."


def answer_text(run: Run) -> str:
    """The front table of a run."""
    table = run.table(by="offense")
    where = run.blueprint.get("answer", {})
    head = f"Run {run.identity} of {run.name!r}, {run.status}; "
    head += f"jurisdiction {where.get('jurisdiction', 'all')}, period {where.get('period', 'all')}."
    rows = [
        (
            str(row["step"]),
            str(row["offense"]),
            *interval(row),
            bounds(row),
            str(row["label"]),
            f"{row['statements']:.0f}",
        )
        for row in table.to_dict("records")
    ]
    header = ("step", "offense", "median", "90 % interval", "bounds", "label", "statements")
    return f"{head}\n{columns(rows, header)}"


def answer_value(run: Run) -> dict[str, Any]:
    """The front table as plain values."""
    return {**run_value(run), "name": run.name, "table": records(run.table(by="offense"))}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values; what is absent is None."""
    return [{key: plain(value) for key, value in row.items()} for row in table.to_dict("records")]


def plain(value: Any) -> Any:
    """A value JSON can hold: NumPy scalars unwrapped, NaN and NA as None."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if str(value) in ("<NA>", "NaT") else str(value)


def number(value: Any) -> str:
    """A number to four figures; empty where there is none."""
    value = plain(value)
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def counted(count: Any, low: Any, high: Any) -> str:
    """A statement's count, or its range; counts are written out, shares to four figures."""
    count, low, high = (
        f"{one:,.0f}" if isinstance(one, int | float) and one == int(one) else number(one)
        for one in map(plain, (count, low, high))
    )
    return count or f"{low} to {high}"


def interval(row: dict[str, Any]) -> tuple[str, str]:
    """Median and central 90 % interval of a row of estimates, empty where they are not published."""
    middle, low, high = (number(row[key]) for key in ("median", "q05", "q95"))
    return middle, f"{low} to {high}" if low else ""


def bounds(row: dict[str, Any]) -> str:
    """The range the data alone allow."""
    low, high = number(row["bound_low"]), number(row["bound_high"])
    return f"{low or '0'} to {high or 'no limit'}" if low or high else ""


def basis_name(basis: str) -> str:
    """A basis in words."""
    return dict(zip(BASES, ("rate of the population", "rate among these cases"), strict=True))[basis]
