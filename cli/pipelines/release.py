"""A release: validate, estimate, vary, check, compare with the one before, report; one folder, one verdict."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ...data.digest import digest
from ...data.errors import InputError, Problem
from ...estimation import verbs
from ...estimation.claims.catalogue import claims_of, told_of
from ...estimation.plan import Plan, settled, to_come
from ...estimation.sensitivity.claims import ClaimChange, claim_changes, latest_periods
from ...estimation.sensitivity.history import history, statistics, vintage
from ...estimation.sensitivity.revision import Revision
from ...estimation.store import layout
from ...estimation.store.beside import write_notes
from ...estimation.store.draws import copy_draws
from ...estimation.store.find import earlier_releases
from ...estimation.store.runs import Run
from ...estimation.store.write import RunWriter, put_json, put_table
from ...estimation.withholding import failures, withheld, without
from ...reports.render import write_report
from ..exits import CHECK_FAILED, DONE, UNFIT
from ..findings import records

Say = Callable[[str], None]
COPIED: Final = (
    layout.PLAN,
    layout.BLUEPRINT,
    layout.INTAKE,
    layout.MANIFEST,
    layout.INFORMATION,
    layout.CHECKS,
)
VERDICTS: Final = {DONE: "passed", UNFIT: "unfit", CHECK_FAILED: "withheld"}


def release(
    plan: Plan, *, runs: Path | None, releases: Path | None, formats: Sequence[str], draft: bool, say: Say
) -> dict[str, Any]:
    """Make a release of a plan that has a date.

    Parameters
    ----------
    plan : Plan
        With ``intake.as_of``.
    runs, releases : Path or None
        Folders of runs and of releases; None for those beside the plan.
    formats : sequence of str
        Of the report: html, pdf.
    draft : bool
        Few draws, for a rehearsal.
    say : callable
        Told of every step when it begins.

    Returns
    -------
    dict
        The verdict, as stored in ``release.json``, with the absolute ``folder``.

    Raises
    ------
    InputError
        Every fault of plan, data and scenarios, a date to come, or the release exists already; nothing is fitted.
    """
    as_of = plan.intake.as_of
    assert as_of is not None
    # The release of a day to come could not be made any more on that day.
    if late := to_come(plan, "--as-of"):
        raise InputError(late)
    plan = settled(plan, draft=draft)
    root = releases or Path(plan.folder).resolve() / layout.RELEASES
    name = layout.release_name(as_of)
    final = layout.run_folder(root, plan.name, name)
    if final.exists():
        raise InputError(
            Problem(
                "this release exists, and no release is overwritten", str(final), do="choose another date"
            )
        )
    earlier = earlier_releases(root, plan.name, name)
    previous = earlier[-1] if earlier else None
    say("1 of 6: validating")
    problems = verbs.validate(plan).problems
    if problems:
        raise InputError(problems)
    asked = verbs.scenarios(plan, plan.release.scenarios, draft=draft, release=True)
    names = [one.name for one in asked.scenarios]
    say("2 of 6: estimating")
    run = verbs.estimate(plan, runs=runs, progress=True)
    say(f"3 of 6: varying, {len(names)} scenarios")
    left_out = [problem.line() for problem in asked.refused]
    for line in left_out:
        say(f"left out: {line}")
    if names:
        verbs.vary(plan, names, runs=runs, draft=draft)
        run = Run(run.folder)
    say("4 of 6: checking")
    failed = failures(run.checks, plan.release.accept)
    if run.unfit:
        failed.append({"name": "unfit", "sentence": "The sampler did not reach its diagnostics."})
    hidden = withheld(run.estimates, run.blueprint, failed)
    with RunWriter(root, plan.name, name) as writer:
        draws = copy_draws(run.folder, writer.folder)  # for as long as the report is made
        _copy(run, writer.folder, hidden)
        say("5 of 6: comparing with the last release" if previous else "5 of 6: no release before this one")
        made = Run(writer.folder)
        found = verbs.revised(previous, made, run) if previous else None
        moved = latest_periods(previous.blueprint, made.blueprint) if previous else None
        changed = claim_changes(previous.claims, made.claims, moved) if previous else ()
        if found is not None:
            put_table(writer.folder / layout.REVISIONS, found.table)
        past = history([vintage(one.release["as_of"], one) for one in earlier] + [vintage(as_of, made)])
        if earlier:
            put_table(writer.folder / layout.HISTORY, past)
        verdict = _verdict(plan, run, made, failed, previous, found, changed)
        verdict["scenarios_left_out"] = left_out
        verdict["periods_compared"] = list(moved) if moved else []
        verdict["vintages"] = [one.release["as_of"] for one in earlier] + [as_of]
        verdict["statistics"] = records(statistics(past))
        put_json(writer.folder / layout.RELEASE, verdict)
        say("6 of 6: reporting")
        write_report(Run(writer.folder), formats, writer.folder / layout.REPORT)
        # Draws would give back what is withheld; the run keeps them.
        draws.unlink() if draws.is_file() else shutil.rmtree(draws)
    return {"folder": str(final.resolve()), **verdict}


def _copy(run: Run, folder: Path, hidden: dict[str, str]) -> None:
    """The files of a run, without the numbers that are withheld."""
    for name in COPIED:
        shutil.copyfile(run.folder / name, folder / name)
    put_table(folder / "estimates", without(run.estimates, hidden))
    if (run.folder / layout.DISCLOSURE).is_file():
        shutil.copyfile(run.folder / layout.DISCLOSURE, folder / layout.DISCLOSURE)
        told = pd.read_parquet(run.folder / f"{layout.RELEASED}.parquet")
        put_table(folder / layout.RELEASED, without(told, hidden))
    put_json(folder / layout.WITHHELD, hidden)
    write_notes(folder, run.notes)
    claims = claims_of(told_of(Run(folder)))
    if run.scenarios and run.sensitivity is not None:
        table = run.sensitivity.copy()
        rows = table["quantity_id"].isin(list(hidden))
        table.loc[rows, ["value", "base", "base_sd", "shift"]] = float("nan")
        put_table(folder / layout.SENSITIVITY, table)
        # Of what is withheld no scenario says anything either.
        said = {claim.key for claim in claims}
        put_json(
            folder / layout.SCENARIOS,
            [
                {**one, "claims_changed": [c for c in one["claims_changed"] if c["key"] in said]}
                for one in run.scenarios
            ],
        )
    put_json(folder / layout.CLAIMS, [claim.record() for claim in claims])
    _copy_curves(run, folder, hidden)


def _copy_curves(run: Run, folder: Path, hidden: dict[str, str]) -> None:
    """The curves of what is published against the shift of silent places."""
    if run.tipping is None or run.silent is None:
        return
    told = [claim["key"] for claim in Run(folder).claims]
    put_table(folder / layout.TIPPING, run.tipping[run.tipping["key"].isin(told)])
    put_table(folder / layout.SILENT, run.silent[~run.silent["quantity_id"].isin(list(hidden))])


def _verdict(
    plan: Plan,
    run: Run,
    made: Run,
    failed: Sequence[Any],
    previous: Run | None,
    found: Revision | None,
    changed: Sequence[ClaimChange],
) -> dict[str, Any]:
    code = UNFIT if run.unfit else CHECK_FAILED if failed else DONE
    tally = pd.Series([check["verdict"] for check in run.checks]).value_counts()
    passed_over = {name: reason for name, reason in plan.release.accept.items() if _has_failed(run, name)}
    return {
        "format": 1,
        "name": plan.name,
        "as_of": plan.intake.as_of,
        "verdict": VERDICTS[code],
        "exit": code,
        "run": run.identity,
        "intake": digest(run.intake),
        "status": run.status,
        "draft": run.draft,
        "checks": {name: int(tally.get(name, 0)) for name in ("passed", "failed", "informational")},
        "failed": [{"name": check["name"], "sentence": check["sentence"]} for check in failed],
        "accepted": [{"name": name, "reason": reason} for name, reason in passed_over.items()],
        "published": int(made.estimates["median"].notna().sum()),
        "withheld": len(made.withheld),
        "claims": sum(bool(claim["holds"]) for claim in made.claims),
        "scenarios": [{"name": one["name"], "status": one["status"]} for one in made.scenarios],
        "previous": previous.release["as_of"] if previous else None,
        "revisions": _revisions(found),
        "claims_changed": [one.record() for one in changed],
    }


def _has_failed(run: Run, name: str) -> bool:
    return any(check["name"] == name and check["verdict"] == "failed" for check in run.checks)


def _revisions(found: Revision | None) -> dict[str, Any] | None:
    """How many numbers were revised, and how many of those that had an interval lie outside it."""
    if found is None:
        return None
    told = found.table[found.table["revision"].notna()]
    outside, had = int(told["outside"].sum()), int(told["outside"].notna().sum())
    return {
        "numbers": len(told),
        "with_interval": had,
        "outside": outside,
        "share_outside": outside / had if had else None,
        "largest": float(told["revision"].abs().max()) if len(told) else None,
        **found.record(),
    }
