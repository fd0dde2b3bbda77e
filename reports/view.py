"""What sections read: a stored run with its axes, steps and rows at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.axes import Axis, Node
from ..data.names import AXES, CHANGE, ROOT
from ..estimation.store.runs import RATES, Run
from .nodes import made
from .observed import Observed
from .pairs import raw_pairs
from .released import Released
from .steps import StepView, steps_of

STATEMENT: Final = (
    "id", "stage", "offense", "jurisdiction", "period", "relation", "count", "low", "high", "unit", "origin",
    "clock", "as_of", "source_id", "role", "file", "row", "note", "unit_class", "shifted", "status", "reason",
    "kinds", "others",
)  # fmt: skip


@dataclass(frozen=True)
class View:
    """A run, read.

    Parameters
    ----------
    run : Run or Released
        Whole, or without what its plan holds back.
    at : str or None
        The jurisdiction a report is of, in place of the plan's answer.
    """

    run: Run | Released
    at: str | None = None

    @cached_property
    def axes(self) -> dict[str, Axis]:
        """The trees of the three axes, from the blueprint."""
        return {
            name: Axis(name, tuple(Node(n["name"], n["label"], n["parent"]) for n in nodes))
            for name, nodes in self.run.blueprint["axes"].items()
        }

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages in order."""
        return tuple(self.run.blueprint["funnel"]["stages"])

    @cached_property
    def steps(self) -> tuple[StepView, ...]:
        """Consecutive steps, published longer ones, then the whole way where there is more than one step."""
        rows = self.run.estimates
        return steps_of(self.run.blueprint, rows.loc[rows["quantity"].isin(RATES), "step"].unique())

    @cached_property
    def step(self) -> dict[str, StepView]:
        """Steps by name."""
        return {step.name: step for step in self.steps}

    @cached_property
    def answer(self) -> dict[str, str]:
        """The node of each axis at which the front table stands."""
        answer = {axis: self.run.blueprint.get("answer", {}).get(axis, ROOT) for axis in AXES}
        return answer if self.at is None else answer | {"jurisdiction": self.at}

    def label(self, axis: str, name: str) -> str:
        """What people read for a node; the name itself where the axis does not know it."""
        node = self.axes[axis].by_name.get(name)
        return node.label if node is not None else name

    def shown(self, axis: str, leaves: bool = False) -> list[str]:
        """Nodes of an axis that people know: not the remainders and unsplit totals the model adds to it.

        Parameters
        ----------
        axis : str
        leaves : bool
            Those without known nodes below them alone.
        """
        nodes = [node for node in self.axes[axis].nodes if not made(node.name)]
        parents = {node.parent for node in nodes}
        return [node.name for node in nodes if not (leaves and node.name in parents)]

    @property
    def place(self) -> str:
        """The answer's jurisdiction and period in words."""
        where = self.label("jurisdiction", self.answer["jurisdiction"])
        when = self.label("period", self.answer["period"])
        return f"{where}, {when}"

    @cached_property
    def _public(self) -> pd.DataFrame:
        """Estimates of what people know: not of remainders and unsplit totals; in a release with failed checks."""
        rows = self.run.estimates
        hidden = np.zeros(len(rows), dtype=bool)
        for axis in AXES[:2]:
            names = rows[axis].unique()
            hidden |= rows[axis].isin([name for name in names if made(name)]).to_numpy()
        rows = rows[~hidden]
        withheld = self.run.withheld
        return rows.assign(failed=rows["quantity_id"].map(withheld).fillna("")) if withheld else rows

    @cached_property
    def _rates(self) -> pd.DataFrame:
        """Rows of rates with one axis or more at the answer's node: all that a report looks at."""
        rows = self._public
        rows = rows[rows["quantity"].isin(RATES) & rows["step"].isin(self.step)]
        at = sum((rows[axis] == self.answer[axis]).to_numpy(int) for axis in AXES)
        # With two stages the only step is also the whole way: one row says it.
        return rows[at >= 1].drop_duplicates(["step", "basis", *AXES])

    @cached_property
    def _held(self) -> dict[tuple[str, str], pd.DataFrame]:
        return {}

    def rates(self, by: str, basis: str = "superpopulation") -> pd.DataFrame:
        """Rates at every node of one axis, the others at the answer's, for every step.

        One row a (step, node): in the order of the funnel, then of the axis.
        """
        if (by, basis) not in self._held:
            rows = self._rates
            keep = rows["basis"] == basis
            for axis in AXES:
                if axis != by:
                    keep &= rows[axis] == self.answer[axis]
            self._held[by, basis] = self._ordered(rows[keep], by)
        return self._held[by, basis]

    def crossed(self, first: str, second: str) -> pd.DataFrame:
        """Superpopulation rates at every pair of nodes of two axes, the third at the answer's node."""
        rows = self._rates
        third = next(axis for axis in AXES if axis not in (first, second))
        keep = (rows["basis"] == "superpopulation") & (rows[third] == self.answer[third])
        return self._ordered(rows[keep], first)

    def quantities(self, quantity: str, basis: str = "superpopulation") -> pd.DataFrame:
        """Rows of one kind of quantity (change, contrast) in one basis."""
        rows = self._public
        return rows[(rows["quantity"] == quantity) & (rows["basis"] == basis) & rows["step"].isin(self.step)]

    def _ordered(self, rows: pd.DataFrame, by: str) -> pd.DataFrame:
        steps = {name: i for i, name in enumerate(self.step)}
        nodes = {name: i for i, name in enumerate(self.axes[by].by_name)}
        # Rows of nodes that the axis lacks, offenses finer than any denominator, come last.
        place = rows[by].map(nodes).fillna(len(nodes))
        key = pd.DataFrame({"s": rows["step"].map(steps), "n": place}, index=rows.index)
        return rows.loc[key.sort_values(["s", "n"], kind="stable").index].reset_index(drop=True)

    @cached_property
    def sources(self) -> pd.DataFrame:
        """How many sources informed a rate, which most, its share of what the data said; by quantity_id."""
        info = self.run.information
        info = info[(info["by"] == "source_id") & (info["name"] != "prior") & (info["share"] > 0)]
        info = info[info["quantity_id"].isin(self._rates["quantity_id"])]
        info = info.sort_values(["share", "name"], ascending=[False, True], kind="stable")
        first = info.drop_duplicates("quantity_id").set_index("quantity_id")
        return pd.DataFrame(
            {
                "sources": info.groupby("quantity_id").size(),
                "top_source": first["name"],
                "top_share": first["share"] / info.groupby("quantity_id")["share"].sum(),
            }
        )

    def with_sources(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows with the sources of their superpopulation rate; of the later one, for a change."""
        rates = self._rates[self._rates["basis"] == "superpopulation"]
        key = ["step", *AXES]
        known = rates[[*key, "quantity_id"]].merge(
            self.sources, how="left", left_on="quantity_id", right_index=True
        )
        later = rows.assign(period=rows["period"].str.split(CHANGE).str[-1])[key]
        found = later.merge(known.drop(columns="quantity_id"), how="left", on=key).set_axis(rows.index)
        return rows.assign(**{name: found[name] for name in ("sources", "top_source", "top_share")})

    @cached_property
    def statements(self) -> pd.DataFrame:
        """Every number read, one row each, with the columns of ``intake.json``."""
        return pd.DataFrame(self.run.intake["statements"], columns=list(STATEMENT))

    @cached_property
    def used(self) -> pd.DataFrame:
        """The statements that were used."""
        rows = self.statements
        return rows[rows["status"] == "used"].reset_index(drop=True)

    @cached_property
    def failed_checks(self) -> list[dict[str, Any]]:
        """Checks whose verdict is ``failed``."""
        return [check for check in self.run.checks if check["verdict"] == "failed"]

    def claims(self, kind: str) -> list[dict[str, Any]]:
        """Claims of one kind, true or not, as stored."""
        return [claim for claim in self.run.claims if claim["kind"] == kind]

    @cached_property
    def drawn(self) -> dict[str, int]:
        """Position of each quantity whose joint draws were kept."""
        ids = self.run.draws["quantities"].to_dataset()["quantity_id"].values
        return {str(name): i for i, name in enumerate(ids)}

    @cached_property
    def observed(self) -> Observed:
        """The used statements as arrays."""
        return Observed(self)

    @cached_property
    def raw_pairs(self) -> pd.DataFrame:
        """Raw ratios of the pairs of counts that places publish, see ``pairs.raw_pairs``."""
        return raw_pairs(self)

    def draws_of(self, quantity_ids: list[str]) -> NDArray[np.float64]:
        """Joint draws of published aggregates, (draws, quantities); NaN columns where none were kept."""
        columns = [self.drawn.get(name, -1) for name in quantity_ids]
        have = [c for c in columns if c >= 0]
        value = self.run.draws["quantities"].to_dataset()["value"].isel(quantity_id=have)
        flat = value.transpose("chain", "draw", "quantity_id").values.astype(float)
        flat = flat.reshape(flat.shape[0] * flat.shape[1], len(have))
        out = np.full((len(flat), len(columns)), np.nan)
        out[:, [i for i, c in enumerate(columns) if c >= 0]] = flat
        return out
