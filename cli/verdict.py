"""What the commands say of a release and of a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .console import columns
from .findings import number

SHOWN = 12
NO_NEWS = "Nothing was news: no number, no part of the model and no version of the program differs."
_WORDS = ("quantity", "step", "basis")
_NUMBERS = (
    "numbers", "bias", "mean_absolute", "root_mean_square", "share_outside", "counted", "counted_outside",
)  # fmt: skip
_HEADER = (
    "quantity",
    "step",
    "basis",
    "numbers",
    "mean",
    "absolute",
    "root mean square",
    "outside",
    "counted",
    "outside",
)


def verdict_text(verdict: Mapping[str, Any]) -> str:
    """The verdict, what is withheld and why, and what changed since the last release."""
    lines = [
        f"Release {verdict['name']} as of {verdict['as_of']}: {verdict['verdict']}. Run {verdict['run']}, "
        f"{verdict['status']}.",
        f"{verdict['published']:,} numbers published, {verdict['withheld']:,} withheld; "
        f"{verdict['claims']:,} claims may be said.",
    ]
    if verdict["draft"]:
        lines.append(
            "This is a draft of few draws, held to the limits of a draft: a rehearsal, not for publication."
        )
    lines += [f"Failed check, {one['name']}: {one['sentence']}" for one in verdict["failed"]]
    lines += [f"Failed and accepted, {one['name']}: {one['reason']}" for one in verdict["accepted"]]
    unfit = [one["name"] for one in verdict["scenarios"] if one["status"] != "complete"]
    if unfit:
        lines.append(f"Scenarios that did not reach their diagnostics: {', '.join(unfit)}.")
    lines += _since(verdict)
    return "\n".join([*lines, f"Folder: {verdict['folder']}"])


def _since(verdict: Mapping[str, Any]) -> list[str]:
    found = verdict["revisions"]
    if found is None:
        return ["No earlier release to compare with."]
    lines = [
        f"Since {verdict['previous']}: {found['numbers']:,} numbers published in both; of the "
        f"{found['with_interval']:,} that had a 90 % interval {found['outside']:,} lie outside it."
    ]
    steps = "; then ".join(f"{link['sentence']} ({link['part']})" for link in found["links"])
    order = f"Split in this order: {steps}." if steps else NO_NEWS
    lines.append(f"Not split: {found['unsplit']}." if found["unsplit"] else order)
    changed = verdict["claims_changed"]
    lines.append(f"Claims: {len(changed)} different." if changed else "Claims: the same.")
    if verdict["periods_compared"]:
        lines[-1] += " What was said of {} is held against what is said of {}.".format(
            *verdict["periods_compared"]
        )
    lines += [f"  {one['sentence']}" for one in changed[:SHOWN]]
    return lines + ([f"  and {len(changed) - SHOWN} more, in release.json"] if len(changed) > SHOWN else [])


def statistics_text(found: Sequence[Mapping[str, Any]]) -> str:
    """Revisions from first to last: a line for each quantity, step and basis."""
    return columns(
        [[*(str(row[n]) for n in _WORDS), *(number(row[n]) for n in _NUMBERS)] for row in found], _HEADER
    )


def backtest_text(found: Mapping[str, Any]) -> str:
    """The dates, and how what was said first stands to what is known at the last of them."""
    dates = [(one["as_of"], one["run"], one["status"]) for one in found["dates"]]
    lines = [columns(dates, ("date", "run", "status")), ""]
    lines += [f"Skipped, {one['as_of']}: {one['reason']}" for one in found["skipped"]]
    lines += [
        f"{found['numbers']:,} numbers said on an earlier date and on {dates[-1][0]}. Revisions from the first to the "
        "last, and shares outside the 90 % interval said first, of all and of those counted since:",
        statistics_text(found["statistics"]),
        f"Folder: {found['folder']}",
    ]
    return "\n".join(lines)
