"""A finished run, read from its folder; every part is read when it is first asked for."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from ...data.errors import InputError, Problem, did_you_mean
from ...data.names import AXES, BASES, ROOT
from .draws import open_draws
from .layout import (
    BLUEPRINT,
    CHECKS,
    CHECKS_EXTRA,
    CLAIMS,
    ESTIMATES,
    INFORMATION,
    INTAKE,
    MANIFEST,
    NOTES,
    PLAN,
    RELEASE,
    REVISIONS,
    SCENARIOS,
    SENSITIVITY,
    SILENT,
    TIPPING,
    UNFIT,
    WITHHELD,
    read_json,
)

if TYPE_CHECKING:
    import xarray as xr

RATES: Final = ("rate", "end_to_end")


@dataclass(frozen=True)
class Run:
    """A finished fit on disk.

    Parameters
    ----------
    folder : Path
        ``runs/<plan name>/<identity>``.
    """

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Identity, digests, versions, seed, engine, status, timings, diagnostics."""
        return read_json(self.folder / MANIFEST)

    @cached_property
    def blueprint(self) -> dict[str, Any]:
        """The resolved plan with its sentences."""
        return read_json(self.folder / BLUEPRINT)

    @cached_property
    def intake(self) -> dict[str, Any]:
        """What was read, used, unused, excluded and dropped, and why."""
        return read_json(self.folder / INTAKE)

    @cached_property
    def checks(self) -> list[dict[str, Any]]:
        """Checks made when estimating, then those that needed a refit, if any were made."""
        extra = self.folder / CHECKS_EXTRA
        return [*read_json(self.folder / CHECKS), *(read_json(extra) if extra.is_file() else [])]

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """What the run says of its rates, true or not, each with its probability; empty where none were kept."""
        path = self.folder / CLAIMS
        return list(read_json(path)) if path.is_file() else []

    @cached_property
    def withheld(self) -> dict[str, str]:
        """Failed checks for whose sake a release withholds a number, by quantity_id; empty outside releases."""
        path = self.folder / WITHHELD
        return dict(read_json(path)) if path.is_file() else {}

    @cached_property
    def notes(self) -> list[dict[str, Any]]:
        """The plan's notes to its readers: text, source, date; empty where it has none."""
        path = self.folder / NOTES
        return list(read_json(path)) if path.is_file() else []

    @cached_property
    def release(self) -> dict[str, Any]:
        """Date, verdict and comparison of a release; empty outside releases."""
        path = self.folder / RELEASE
        return dict(read_json(path)) if path.is_file() else {}

    @cached_property
    def revisions(self) -> pd.DataFrame | None:
        """Every number against the release before (``REVISION_COLUMNS``); None where there is none."""
        return (
            self._table(f"{REVISIONS}.parquet") if (self.folder / f"{REVISIONS}.parquet").is_file() else None
        )

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row a published quantity."""
        return self._table(ESTIMATES)

    @cached_property
    def information(self) -> pd.DataFrame:
        """Share of each quantity's information by kind and by source."""
        return self._table(INFORMATION)

    @cached_property
    def scenarios(self) -> list[dict[str, Any]]:
        """What ``vary`` answered, an entry of ``SCENARIO_KEYS`` each; empty where it has not run."""
        path = self.folder / SCENARIOS
        return list(read_json(path)) if path.is_file() else []

    @cached_property
    def sensitivity(self) -> pd.DataFrame | None:
        """What each scenario moved (``SENSITIVITY_COLUMNS``); None where ``vary`` has not run."""
        return self._table(f"{SENSITIVITY}.parquet") if self.scenarios else None

    @cached_property
    def tipping(self) -> pd.DataFrame | None:
        """Claims against the shift of silent places (``TIPPING_COLUMNS``); None where every place reports."""
        return self._table(f"{TIPPING}.parquet") if (self.folder / f"{TIPPING}.parquet").is_file() else None

    @cached_property
    def silent(self) -> pd.DataFrame | None:
        """Rates of the front table against that shift (``SILENT_COLUMNS``); None in the same case."""
        return self._table(f"{SILENT}.parquet") if (self.folder / f"{SILENT}.parquet").is_file() else None

    @property
    def scenario(self) -> str | None:
        """The scenario of the plan that this run is; None for a run of the plan itself."""
        return self._scenario.get("name")

    @property
    def scenario_reason(self) -> str | None:
        """Why the plan has that scenario; None for a run of the plan itself."""
        return self._scenario.get("reason")

    @cached_property
    def _scenario(self) -> dict[str, Any]:
        """What it was fitted as, or the plan's entry that its patches hold, the largest of several; else empty."""
        if self.manifest.get("scenario"):
            return dict(self.manifest["scenario"])
        if not (self.folder / BLUEPRINT).is_file() or not (self.folder / PLAN).is_file():
            return {}
        patches = self.blueprint.get("patches") or {}
        try:
            written = tomllib.loads((self.folder / PLAN).read_text(encoding="utf-8")) if patches else {}
        except (UnicodeDecodeError, tomllib.TOMLDecodeError):
            return {}
        # TOML knows dates, the blueprint their text.
        entries = json.loads(json.dumps(written.get("scenario", []), default=str))
        found = [e for e in entries if all(patches.get(key) == value for key, value in e["set"].items())]
        return dict(max(found, key=lambda e: len(e["set"]))) if found else {}

    @cached_property
    def draws(self) -> xr.DataTree:
        """Posterior, prior and predictive draws; variables are read from disk when used."""
        return open_draws(self.folder)

    @property
    def identity(self) -> str:
        """Name of the run's folder."""
        return str(self.manifest["identity"])

    @property
    def name(self) -> str:
        """The plan's name."""
        return str(self.manifest["name"])

    @property
    def status(self) -> str:
        """complete, unfit or failed."""
        return str(self.manifest["status"])

    @property
    def unfit(self) -> bool:
        """The sampler did not reach its diagnostics: every number of this run is to be marked."""
        return self.status == UNFIT

    @property
    def draft(self) -> bool:
        """Few draws, held to the limits of a draft."""
        return bool(self.manifest.get("draft", False))

    @property
    def created(self) -> str:
        """ISO time at which the run was finished."""
        return str(self.manifest.get("created", ""))

    def table(
        self,
        by: str = "offense",
        step: str | None = None,
        basis: str = "superpopulation",
        jurisdiction: str | None = None,
        period: str | None = None,
        offense: str | None = None,
    ) -> pd.DataFrame:
        """Rates at every node of one axis, the other two held at one node.

        Parameters
        ----------
        by : {"offense", "jurisdiction", "period"}
            The axis whose nodes are the rows.
        step : str or None
            ``"<stage>-<stage>"``; None for all of them.
        basis : {"superpopulation", "finite"}
        jurisdiction, period, offense : str or None
            Node of that axis; None for the plan's ``[answer]`` node, or for every node on the axis ``by``.

        Returns
        -------
        DataFrame
            Columns of ``ESTIMATE_COLUMNS``; steps in the order of the funnel, nodes in the order of the axis.

        Raises
        ------
        InputError
            For an axis, a basis, a step or a node this run does not have.
        """
        _known("axis", by, AXES)
        _known("basis", basis, BASES)
        rates = self.estimates[self.estimates["quantity"].isin(RATES)]
        steps = list(dict.fromkeys(rates["step"]))
        rows = rates[rates["basis"] == basis]
        if step is not None:
            _known("step", step, steps)
            rows = rows[rows["step"] == step]
        chosen = {"offense": offense, "jurisdiction": jurisdiction, "period": period}
        nodes = {axis: [node["name"] for node in self.blueprint["axes"][axis]] for axis in AXES}
        for axis, node in chosen.items():
            if node is None and axis == by:
                continue
            if node is None:
                node = self.blueprint.get("answer", {}).get(axis, ROOT)
            _known(axis, node, nodes[axis])
            rows = rows[rows[axis] == node]
        # With two stages the only step is also the whole way: one row says it.
        rows = rows.drop_duplicates(["step", *AXES])
        order = pd.DataFrame(
            {
                "step": pd.Categorical(rows["step"], steps).codes,
                "node": pd.Categorical(rows[by], nodes[by]).codes,
            },
            index=rows.index,
        )
        return rows.loc[order.sort_values(["step", "node"], kind="stable").index].reset_index(drop=True)

    def _table(self, name: str) -> pd.DataFrame:
        path = self.folder / name
        try:
            return pd.read_parquet(path)
        except FileNotFoundError:
            raise InputError(
                Problem("a file of this run is missing", str(path), do="estimate the plan again with --again")
            ) from None


def _known(what: str, word: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> None:
    if word not in known:
        raise InputError(
            Problem(
                f"unknown {what}", "table", repr(word), ", ".join(map(str, known)), did_you_mean(word, known)
            )
        )
