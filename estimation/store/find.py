"""Finding a run by its folder, by the beginning of its identity, or by its plan."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from ...data.digest import digest
from ...data.errors import InputError, Problem
from .layout import (
    COMPLETE,
    FAILED,
    INTAKE,
    MANIFEST,
    RELEASE,
    UNFIT,
    VARIABLE,
    default_name,
    run_folder,
    runs_root,
    status_of,
)
from .runs import Run
from .stale import tidy


def stored(root: Path, name: str, identity: str) -> Run | None:
    """The complete run of an identity; None where there is none.

    A run that is not ``complete`` is never returned: it is to be estimated again.
    """
    folder = run_folder(root, name, identity)
    tidy(folder.parent)
    return Run(folder) if status_of(folder) == COMPLETE else None


def finished(root: Path, name: str, identity: str) -> Run | None:
    """The run of an identity, complete or unfit: the same inputs would only give the same again."""
    folder = run_folder(root, name, identity)
    tidy(folder.parent)
    return Run(folder) if status_of(folder) in (COMPLETE, UNFIT) else None


def earlier_releases(root: Path, name: str, before: str) -> list[Run]:
    """The releases of a plan of dates before one, in the order of their dates.

    Parameters
    ----------
    root : Path
        Folder of releases.
    name : str
        The plan's.
    before : str
        Name of a release's folder.

    Raises
    ------
    InputError
        What was read for one of them is not what it was: a vintage is kept as it was published.
    """
    parent = run_folder(root, name, before).parent
    tidy(parent)
    found = sorted(path.parent.name for path in parent.glob(f"*/{RELEASE}") if path.parent.name.isdigit())
    runs = [Run(parent / folder) for folder in found if folder < before]
    changed = [run for run in runs if run.release["intake"] != digest(run.intake)]
    if changed:
        raise InputError(
            [
                Problem(
                    "this release was changed after it was made",
                    str(run.folder / INTAKE),
                    "not the numbers that release.json has the digest of",
                    do="put back the folder as it was published",
                )
                for run in changed
            ]
        )
    return runs


def list_runs(root: Path) -> list[Run]:
    """Every readable run under a root, the newest first, whatever its status."""
    root = Path(root)
    if not root.is_dir():
        return []
    found = [
        Run(path.parent)
        for path in root.glob(f"*/*/{MANIFEST}")
        if not path.parent.name.startswith(".") and status_of(path.parent) is not None
    ]
    return sorted(found, key=lambda run: (run.created, run.identity), reverse=True)


def meant_folder(path: Path | None) -> Path:
    """The folder of runs that a person means.

    Parameters
    ----------
    path : Path or None
        A folder of runs; or a plan (file, or a folder that holds ``plan.toml``), for the folder ``runs`` beside it;
        None for ``runs`` here, which need not be there yet.

    Raises
    ------
    InputError
        When it names neither.
    """
    if path is None:
        return Path("runs")
    if path.is_file() and path.suffix == ".toml":
        return path.parent / "runs"
    if path.is_dir():
        return path / "runs" if (path / "plan.toml").is_file() else path
    what = "not a folder of runs" if path.exists() else "no such folder"
    raise InputError(Problem(what, str(path), "", "a folder of runs, or a plan"))


def find_run(text: str | Path, root: Path | None = None) -> Run:
    """The run a person means.

    Parameters
    ----------
    text : str or Path
        A run's folder; the beginning of an identity; or a plan (file, or a folder that holds ``plan.toml``),
        for its latest complete run, or its latest unfit one where none is complete; runs of its scenarios
        are found only where it has none of its own.
    root : Path or None
        Folder of runs; None for ``ATTRITION_RUNS``, else ``runs`` beside the plan, or ``runs`` here.

    Raises
    ------
    InputError
        When nothing, or more than one run, answers; the message lists what there is.
    """
    path = Path(text)
    if (path / MANIFEST).is_file():
        return _readable(Run(path.resolve()))
    if path.is_dir() and (path / "plan.toml").is_file():
        path = path / "plan.toml"
    if path.is_file():
        return _latest(path, runs_root(path, root))
    if path.is_dir():
        raise InputError(
            Problem(
                "this folder is not a finished run",
                str(path),
                f"no {MANIFEST}",
                "a folder runs/<plan name>/<identity>",
                "list the runs with `attrition runs`",
            )
        )
    return _by_prefix(str(text), root)


def _latest(plan: Path, root: Path) -> Run:
    try:
        name = tomllib.loads(plan.read_text(encoding="utf-8")).get("name") or default_name(plan)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            Problem("the plan cannot be read", str(plan), str(error), "TOML in UTF-8", "`attrition validate`")
        ) from error
    parent = run_folder(root, str(name), "x").parent
    tidy(parent)
    runs = [run for run in list_runs(root) if run.folder.parent == parent and run.status != FAILED]
    runs.sort(key=lambda run: run.status != COMPLETE)
    if runs:
        return next((run for run in runs if run.scenario is None), runs[0])
    raise InputError(
        Problem(
            "this plan has no finished run",
            str(plan),
            f"nothing under {parent}",
            do="run `attrition estimate`",
        )
    )


def _by_prefix(prefix: str, root: Path | None) -> Run:
    folder = Path(root) if root is not None else Path(os.environ.get(VARIABLE) or "runs")
    runs = list_runs(folder)
    found = [run for run in runs if prefix and run.folder.name.startswith(prefix)]
    if len(found) == 1:
        return _readable(found[0])
    shown = ", ".join(f"{run.folder.name} ({run.name}, {run.status})" for run in (found or runs)[:8])
    if found:
        raise InputError(
            Problem(
                f"{len(found)} runs begin so", str(folder), repr(prefix), shown, "give more of the identity"
            )
        )
    raise InputError(
        Problem(
            "no such run",
            str(folder),
            repr(prefix),
            shown or "no finished run here",
            "give a run's folder, the beginning of its identity, or a plan file",
        )
    )


def _readable(run: Run) -> Run:
    if run.status == FAILED or run.folder.name.startswith("."):
        raise InputError(
            Problem(
                "this run did not finish", str(run.folder), run.status, do="run `attrition estimate` again"
            )
        )
    return run
