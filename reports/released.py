"""What of a run may leave its folder: the run as a report reads it, without what its plan holds back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from ..data.errors import InputError, Problem
from ..data.names import CONFIDENTIAL
from ..estimation.store.layout import DISCLOSURE, RELEASED, read_json
from ..estimation.store.runs import Run

UNTOLD: Final = "not told"
DIGITS: Final = re.compile(r"\d[\d,.]*")
FIGURES: Final = 2


@dataclass(frozen=True)
class Released:
    """A run whose plan has ``[disclosure]``, with the attributes of ``Run`` that reports read.

    Parameters
    ----------
    run : Run

    Notes
    -----
    Everything a report says is computed from these attributes, so nothing in it can say more than they do. Numbers
    that are told are told in full; what follows from them gives nothing away.
    """

    run: Run

    @cached_property
    def disclosure(self) -> dict[str, Any]:
        """What is held back, as ``estimate`` decided."""
        return read_json(self.run.folder / DISCLOSURE)

    @cached_property
    def blueprint(self) -> dict[str, Any]:
        """The resolved plan with its sentences."""
        return self.run.blueprint

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Without digests: whoever knows all but one number of the data could try its values until one fits."""
        digests = ("identity", "statements_digest", "blueprint_digest", "checks_digest")
        return self.run.manifest | dict.fromkeys(digests, UNTOLD)

    @cached_property
    def intake(self) -> dict[str, Any]:
        """Statements with the numbers that are told; the rest is there, its number not."""
        intake = self.run.intake
        return intake | {
            "inputs": [entry | {"sha256": UNTOLD} for entry in intake["inputs"]],
            "statements": [self._told(line) for line in intake["statements"]],
            "suspects": [DIGITS.sub("#", line) for line in intake.get("suspects", [])],
        }

    def _told(self, line: dict[str, Any]) -> dict[str, Any]:
        words = (
            {"reason": DIGITS.sub("#", str(line["reason"])), "note": ""} if line["status"] != "used" else {}
        )
        rounding = self.disclosure["method"] == "round"
        if rounding and line["status"] == "used" and line["relation"] in ("exact", "rounded", "approx"):
            base = self.disclosure["base"]
            return line | {"relation": "rounded", "count": base * round(line["count"] / base), "note": ""}
        if line["id"] in self._silent or rounding:
            return (
                line
                | words
                | {"relation": "suppressed", "count": None, "low": None, "high": None, "note": ""}
            )
        return line | words

    @cached_property
    def _silent(self) -> frozenset[str]:
        return frozenset(self.disclosure["statements"])

    @cached_property
    def checks(self) -> list[dict[str, Any]]:
        """Verdicts, their values to two figures."""
        return [
            check | {"value": None if check["value"] is None else float(f"{check['value']:.{FIGURES}g}")}
            for check in self.run.checks
        ]

    @cached_property
    def estimates(self) -> pd.DataFrame:
        """One row a published quantity; those that would give a count away without numbers."""
        return pd.read_parquet(self.run.folder / f"{RELEASED}.parquet")

    @cached_property
    def _confidential(self) -> frozenset[str]:
        rows = self.estimates
        return frozenset(rows.loc[(rows["label"] == CONFIDENTIAL) | rows["median"].isna(), "quantity_id"])

    @cached_property
    def claims(self) -> list[dict[str, Any]]:
        """Claims about rows that have numbers."""
        return [
            claim for claim in self.run.claims if not self._confidential.intersection(claim["quantity_ids"])
        ]

    @cached_property
    def notes(self) -> list[dict[str, Any]]:
        """The plan's notes: words that its author chose for readers."""
        return self.run.notes

    @cached_property
    def withheld(self) -> dict[str, str]:
        """Failed checks for whose sake a release withholds a number."""
        return self.run.withheld

    @cached_property
    def release(self) -> dict[str, Any]:
        """Date and verdict of a release; of the claims that changed, those told."""
        found = self.run.release
        told = {claim["key"] for claim in self.claims}
        changed = [claim for claim in found.get("claims_changed", []) if claim["key"] in told]
        return found | {"claims_changed": changed} if found else found

    @cached_property
    def revisions(self) -> pd.DataFrame | None:
        """Every number against the release before, of the rows that have numbers."""
        rows = self.run.revisions
        return (
            None
            if rows is None
            else rows[~rows["quantity_id"].isin(self._confidential)].reset_index(drop=True)
        )

    @cached_property
    def information(self) -> pd.DataFrame:
        """Shares of information of the rows that have numbers."""
        rows = self.run.information
        return rows[~rows["quantity_id"].isin(self._confidential)].reset_index(drop=True)

    @cached_property
    def scenarios(self) -> list[dict[str, Any]]:
        """Scenarios that ``vary`` fitted."""
        return [entry | {"identity": UNTOLD} for entry in self.run.scenarios]

    @cached_property
    def sensitivity(self) -> pd.DataFrame | None:
        """What each scenario moved, of the rows that have numbers."""
        rows = self.run.sensitivity
        return (
            None
            if rows is None
            else rows[~rows["quantity_id"].isin(self._confidential)].reset_index(drop=True)
        )

    @property
    def tipping(self) -> None:
        """Not told: how fast a curve moves says how many cases the silent places hold."""

    @property
    def silent(self) -> None:
        """Not told, for the same reason."""

    @cached_property
    def draws(self) -> Mapping[str, xr.DataTree]:
        """The groups that reports read, without quantities and replicates that would give a count away."""
        draws = self.run.draws
        hidden = np.array(self.disclosure["replicates"], dtype=object)
        out = {name: xr.DataTree(draws[name].to_dataset()) for name in ("prior", "posterior")}
        for name, dim, lost in (
            ("quantities", "quantity_id", np.array(list(self._confidential), dtype=object)),
            ("observed_data", "statement_id", hidden),
            ("posterior_predictive", "statement_id", hidden),
        ):
            data = draws[name].to_dataset()
            keep = ~np.isin(data[dim].values.astype(str), lost.astype(str))
            keep &= dim != "statement_id" or self.disclosure["method"] != "round"
            out[name] = xr.DataTree(data.isel({dim: np.flatnonzero(keep)}))
        return out

    @property
    def identity(self) -> str:
        """Not told: it is a digest."""
        return UNTOLD

    @property
    def name(self) -> str:
        """The plan's name."""
        return self.run.name

    @property
    def created(self) -> str:
        """ISO time at which the run was finished."""
        return self.run.created

    @property
    def status(self) -> str:
        """As in the manifest."""
        return self.run.status

    @property
    def unfit(self) -> bool:
        """Did the sampler not reach its diagnostics?"""
        return self.run.unfit

    @property
    def draft(self) -> bool:
        """Few draws, for a first look?"""
        return self.run.draft

    @property
    def scenario(self) -> str | None:
        """The scenario of the plan that this run is."""
        return self.run.scenario

    @property
    def scenario_reason(self) -> str | None:
        """Why the plan has that scenario."""
        return self.run.scenario_reason


def released(run: Run) -> Run | Released:
    """A run as a report may read it: itself, where its plan has no ``[disclosure]``.

    Raises
    ------
    InputError
        The plan asks for protection that the run does not hold.
    """
    if run.blueprint.get("plan", {}).get("disclosure") is None:
        return run
    for name in (DISCLOSURE, f"{RELEASED}.parquet"):
        if not (run.folder / name).is_file():
            raise InputError(
                Problem(
                    "the plan holds counts back, and the run does not say which",
                    str(run.folder / name),
                    do="estimate the plan again with --again",
                )
            )
    return Released(run)
