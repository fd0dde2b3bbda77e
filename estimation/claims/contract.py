"""What a claim is, and what its kinds see: published rows with their joint draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...data.names import AXES, MADE, ROOT
from ..aside import Aside
from ..store.runs import RATES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
type Question = Callable[[Told], Bools | None]
DECIDED: Final = ("data-driven", "model-assisted", "counted")


@dataclass(frozen=True)
class Claim:
    """A sentence about published rates, and how probable it is.

    Parameters
    ----------
    key : str
        What it is about, the same in every run of a plan: kind, quantity, step and nodes joined by a bar.
    kind : str
    subject, said : str
        What the sentence is about, and what it says of it.
    query : str
        What was counted among the draws.
    quantity_ids : tuple of str
        The rows of estimates behind it.
    probability : float
        Share of the draws in which it is true.
    threshold : float
        From which probability on it is published as true.
    effect : float
        The least relative difference that matters: rates whose ratio is below 1 + effect count as alike.
    holds : bool
        The probability reaches the threshold.
    asked : callable
        In which draws of other draws of the same rows the same sentence is true, (R,) bool; None where a row is
        missing. Not stored.
    """

    key: str
    kind: str
    subject: str
    said: str
    query: str
    quantity_ids: tuple[str, ...]
    probability: float
    threshold: float
    effect: float
    holds: bool
    asked: Question = field(repr=False, compare=False)

    def record(self) -> dict[str, Any]:
        """Plain values for ``claims.json``."""
        plain = {name: value for name, value in vars(self).items() if name != "asked"}
        return plain | {"text": self.text, "quantity_ids": list(self.quantity_ids)}

    @property
    def text(self) -> str:
        """The whole sentence."""
        return f"{self.subject}: {self.said}"


@dataclass(frozen=True)
class Told:
    """What a kind of claim may look at.

    Parameters
    ----------
    description : mapping
        As stored in ``blueprint.json``.
    table : DataFrame
        Columns of ``ESTIMATE_COLUMNS``.
    ids : sequence of str
        Rows whose joint draws are there.
    draws : (R, Q)
        Of the rows named by ``ids``, which no single cell is.
    threshold, effect : float
        The plan's ``[claims]``.
    """

    description: Mapping[str, Any]
    table: pd.DataFrame
    ids: Sequence[str]
    draws: Aside | NDArray[np.floating[Any]]
    threshold: float
    effect: float

    @cached_property
    def _at(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.ids)}

    @cached_property
    def _joint(self) -> pd.DataFrame:
        """Superpopulation rows that have joint draws."""
        rows = self.table[self.table["basis"] == "superpopulation"]
        return rows[[name in self._at for name in rows["quantity_id"]]]

    @cached_property
    def _rates(self) -> dict[tuple[Any, ...], str]:
        """Ids of the superpopulation rates that have joint draws, by step and nodes."""
        rows = self._joint[self._joint["quantity"].isin(RATES)]
        names = zip(*(rows[column] for column in ("step", *AXES)), strict=True)
        return dict(zip(names, rows["quantity_id"], strict=True))

    @cached_property
    def answer(self) -> dict[str, str]:
        """The node of each axis at which the front table stands."""
        return {axis: self.description.get("answer", {}).get(axis, ROOT) for axis in AXES}

    @cached_property
    def ratios(self) -> frozenset[str]:
        """Names of the steps whose rate may exceed 1."""
        return frozenset(step["name"] for step in self.description["steps"] if step["kind"] == "ratio")

    def may_exceed_one(self, step: str) -> bool:
        """Is a step, or one that it passes, a ratio?"""
        stages = list(self.description["funnel"]["stages"])
        if step in self.description["funnel"].get("assume_one_to_one", {}):
            return False
        source, target = (stages.index(stage) for stage in step.split("-"))
        return any(f"{stages[k]}-{stages[k + 1]}" in self.ratios for k in range(source, target))

    def rows(self, *quantities: str) -> pd.DataFrame:
        """Decided superpopulation rows of some quantities that have joint draws, in the order of the table."""
        rows = self._joint[self._joint["quantity"].isin(quantities)]
        keep = rows["median"].notna() & rows["label"].isin(DECIDED)
        # With two stages the only step is also the whole way: one row says it.
        return rows[keep].drop_duplicates(["quantity", "step", *AXES])

    def held(self, rows: pd.DataFrame, *free: str) -> pd.DataFrame:
        """Those of the rows that stand at the answer on every axis but the free ones."""
        keep = pd.Series(True, index=rows.index)
        for axis in AXES:
            if axis not in free:
                keep &= rows[axis] == self.answer[axis]
        return rows[keep]

    def drawn(self, quantity_id: str) -> Floats | None:
        """Joint draws of a row, (R,); None where none are kept or some are not defined."""
        at = self._at.get(quantity_id)
        values = None if at is None else self.draws[:, at].astype(float)
        return values if values is not None and np.isfinite(values).all() else None

    def beside(self, row: Mapping[str, Any], period: str | None = None) -> Floats | None:
        """Joint draws of the rate at the nodes of a row, or at another period, (R,); None where there are none."""
        where = (row["step"], row["offense"], row["jurisdiction"], period or row["period"])
        return self.drawn(self._rates.get(where, ""))

    def label(self, axis: str, name: str) -> str:
        """What people read for a node."""
        nodes = self.description["axes"][axis]
        return next((str(node["label"]) for node in nodes if node["name"] == name), name)

    def subject(self, row: Mapping[str, Any]) -> str:
        """The step of a row, and its offense and jurisdiction where they are not those of the answer."""
        apart = [
            self.label(axis, row[axis])
            for axis in ("offense", "jurisdiction")
            if row[axis] != self.answer[axis]
        ]
        return ", ".join([self.title(row["step"]), *apart])

    def noun(self, row: Mapping[str, Any]) -> str:
        """What the number of a row is called."""
        return "the same-period ratio" if row["clock"] == "period" else "the rate"

    def leaves(self, axis: str) -> list[str]:
        """Nodes without others below them; those that the model adds count as none."""
        nodes = [node for node in self.description["axes"][axis] if not node["name"].endswith(MADE)]
        parents = {node["parent"] for node in nodes}
        return [node["name"] for node in nodes if node["name"] not in parents]

    def title(self, step: str) -> str:
        """``"referral → arrest"``."""
        return " → ".join(stage.replace("_", " ") for stage in step.split("-"))

    def claim(
        self,
        kind: str,
        row: Mapping[str, Any],
        subject: str,
        said: str,
        query: str,
        asked: Question,
        more: Sequence[str] = (),
    ) -> Claim:
        """A claim about one row, and more rows it is compared with; the plan's threshold and effect."""
        true = asked(self)
        assert true is not None, "a claim is made of rows that have draws"
        key = "|".join(map(str, (kind, row["quantity"], row["step"], *(row[axis] for axis in AXES))))
        ids = (str(row["quantity_id"]), *more)
        p = float(true.mean())
        holds = p >= self.threshold
        return Claim(key, kind, subject, said, query, ids, p, self.threshold, self.effect, holds, asked)

    def pair(self, row: Mapping[str, Any], period: str | None = None) -> tuple[Floats, Floats] | None:
        """Joint draws of the two rates of a difference: what the rate of ``beside`` is compared with, and that rate."""
        own, gap = self.beside(row, period), self.drawn(row["quantity_id"])
        return None if own is None or gap is None else (own - gap, own)

    def larger(
        self, row: Mapping[str, Any], period: str | None = None
    ) -> tuple[Question, Question, Question]:
        """Is the second of a pair the larger by as much as matters, the first, or neither?"""
        factor = 1 + self.effect

        def asked(of: Callable[[Floats, Floats], Bools]) -> Question:
            return lambda told: None if (pair := told.pair(row, period)) is None else of(*pair)

        return (
            asked(lambda one, two: two >= factor * one),
            asked(lambda one, two: one >= factor * two),
            asked(lambda one, two: (two < factor * one) & (one < factor * two)),
        )

    def likeliest(self, said: Sequence[tuple[Question, str, str]]) -> tuple[Question, str, str]:
        """The question true most often, with its words."""
        return max(said, key=lambda one: float(np.mean(one[0](self))))  # type: ignore[arg-type]


@runtime_checkable
class ClaimKind(Protocol):
    """A kind of claim: one file in ``estimation/claims``, found by scanning the folder."""

    name: ClassVar[str]
    order: ClassVar[int]

    def claims(self, told: Told) -> Iterator[Claim]:
        """What it has to say of a run, true or not."""
        ...
