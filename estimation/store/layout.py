"""Where runs lie and what their files are called."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from ...data.errors import InputError, Problem

PLAN: Final = "plan.toml"
BLUEPRINT: Final = "blueprint.json"
INTAKE: Final = "intake.json"
MANIFEST: Final = "manifest.json"
CHECKS: Final = "checks.json"
CHECKS_EXTRA: Final = "checks-extra.json"
CLAIMS: Final = "claims.json"
ESTIMATES: Final = "estimates.parquet"
INFORMATION: Final = "information.parquet"
DRAWS: Final = "draws.nc"
DRAWS_OF_MANY: Final = "draws.zarr"
RELEASED: Final = "released"
DISCLOSURE: Final = "disclosure.json"
REPORT: Final = "report"
BETWEEN: Final = "between"
BACKTEST: Final = "backtest"
HISTORY: Final = "history"
WITHHELD: Final = "withheld.json"
REVISIONS: Final = "revisions"
RELEASE: Final = "release.json"
RELEASES: Final = "releases"
NOTES: Final = "notes.json"
SCENARIOS: Final = "scenarios.json"
SENSITIVITY: Final = "sensitivity"
TIPPING: Final = "tipping"
SILENT: Final = "silent"

COMPLETE: Final = "complete"
UNFIT: Final = "unfit"
FAILED: Final = "failed"
VARIABLE: Final = "ATTRITION_RUNS"


def runs_root(plan_path: Path, override: Path | None = None) -> Path:
    """The folder that holds the runs of a plan.

    Parameters
    ----------
    plan_path : Path
        The plan file.
    override : Path or None
        What the user asked for (``--runs``); wins over the variable ``ATTRITION_RUNS``, which wins over
        ``runs`` beside the plan.
    """
    if override is not None:
        return Path(override)
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    return Path(plan_path).resolve().parent / "runs"


def default_name(plan_path: Path) -> str:
    """The name of a plan that gives none: its stem; for ``plan.toml`` the name of its folder."""
    path = Path(plan_path).resolve()
    return path.parent.name if path.stem == "plan" else path.stem


def run_folder(root: Path, name: str, identity: str) -> Path:
    """``<root>/<plan name>/<identity>``.

    Raises
    ------
    InputError
        When the name cannot be the name of a folder.
    """
    if not name or name != name.strip() or name.startswith(".") or any(c in name for c in '/\\:*?"<>|\0'):
        raise InputError(
            Problem(
                "the plan's name cannot be the name of a folder",
                "name",
                repr(name),
                "letters, digits, spaces, - and _",
                "change `name` in the plan",
            )
        )
    return Path(root) / name / identity


def release_name(as_of: str) -> str:
    """The name of a release's folder: its ISO date without dashes."""
    return as_of.replace("-", "")


def read_json(path: Path) -> Any:
    """The value of a JSON file.

    Raises
    ------
    InputError
        When the file is absent or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            Problem("a file of this run is missing", str(path), do="estimate the plan again with --again")
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            Problem(
                "a file of this run cannot be read", str(path), str(error), "JSON", "estimate with --again"
            )
        ) from error


def status_of(folder: Path) -> str | None:
    """Status in a run's manifest; None where there is no readable one."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError):
        return None
    return manifest.get("status") if isinstance(manifest, dict) else None
