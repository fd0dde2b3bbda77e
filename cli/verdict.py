"""What the command says of a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHOWN = 12


def verdict_text(verdict: Mapping[str, Any]) -> str:
    """The verdict, what is withheld and why, and what changed since the last release."""
    lines = [
        f"Release {verdict['name']} as of {verdict['as_of']}: {verdict['verdict']}. Run {verdict['run']}, "
        f"{verdict['status']}.",
        f"{verdict['published']:,} numbers published, {verdict['withheld']:,} withheld; "
        f"{verdict['claims']:,} claims may be said.",
    ]
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
        f"Since {verdict['previous']}: {found['numbers']:,} numbers published in both, {found['outside']:,} of them "
        "outside the 90 % interval they had."
    ]
    steps = "; then ".join(f"{link['sentence']} ({link['part']})" for link in found["links"])
    lines.append(f"Not split: {found['unsplit']}." if found["unsplit"] else f"Split in this order: {steps}.")
    changed = verdict["claims_changed"]
    lines.append(f"Claims: {len(changed)} different." if changed else "Claims: the same.")
    lines += [f"  {one['sentence']}" for one in changed[:SHOWN]]
    return lines + ([f"  and {len(changed) - SHOWN} more, in release.json"] if len(changed) > SHOWN else [])
