"""What the statements say by themselves: raw rates, and how each cell was observed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.axes import Axis
from ..data.names import AXES, CLOSED
from .nodes import made

if TYPE_CHECKING:
    from .view import View

Floats = NDArray[np.float64]

STATES: Final = ("exact", "part exact", "total only", "bounded", "skipped", "not reported")
EXPLAINED: Final = {
    "exact": "every offense counted exactly",
    "part exact": "some offenses counted exactly",
    "total only": "only a total over several cells",
    "bounded": "only a bound or a range",
    "skipped": "nothing here, a later stage is known",
    "not reported": "nothing at this stage or later",
}


@dataclass(frozen=True)
class Observed:
    """The used statements as dense arrays over stages and cells.

    Parameters
    ----------
    view : View
    """

    view: View

    @cached_property
    def _codes(self) -> pd.DataFrame:
        """Statements with the position of their stage and of their three nodes, those known last behind."""
        used = self.view.used.sort_values("as_of", kind="stable")
        used = used[used["relation"] != CLOSED].reset_index(drop=True)
        codes = pd.DataFrame({"stage": pd.Index(self.view.stages).get_indexer(used["stage"])})
        for axis in AXES:
            codes[axis] = pd.Index(list(self.view.axes[axis].by_name)).get_indexer(used[axis])
        codes["relation"] = used["relation"]
        codes["count"] = pd.to_numeric(used["count"], errors="coerce")
        return codes[(codes[["stage", *AXES]] >= 0).all(axis=1)]

    @cached_property
    def counts(self) -> Floats:
        """Exact counts of single cells, (stages, O, J, T); NaN where there is none."""
        return self._exact([_leaf_of(self.view.axes[axis]) for axis in AXES])

    @cached_property
    def totals(self) -> Floats:
        """Exact counts over all offenses, (stages, J, T): the sum of the parts, else as stated."""
        root = np.full(len(self.view.axes["offense"].nodes), -1)
        root[0] = 0
        places = [_leaf_of(self.view.axes[axis]) for axis in AXES[1:]]
        stated = self._exact([root, *places])[:, 0]
        summed = self.counts.sum(axis=1)
        return np.where(np.isnan(summed), stated, summed)

    def _exact(self, leaf: list[NDArray[np.int64]]) -> Floats:
        codes = self._codes[self._codes["relation"] == "exact"]
        at = [codes["stage"].to_numpy()]
        at += [positions[codes[axis].to_numpy()] for axis, positions in zip(AXES, leaf, strict=True)]
        single = np.all([a >= 0 for a in at], axis=0)
        out = np.full((len(self.view.stages), *(int(p.max(initial=0)) + 1 for p in leaf)), np.nan)
        out[tuple(a[single] for a in at)] = codes["count"].to_numpy(float)[single]
        return out

    def raw(self, source: int, target: int, by: str) -> pd.DataFrame:
        """Counts divided by counts where both stages are known exactly.

        Parameters
        ----------
        source, target : int
            Positions of the stages.
        by : {"offense", "jurisdiction", "period"}

        Returns
        -------
        DataFrame
            node, numerator, denominator, raw: one row a leaf of the axis, inside the answer's other nodes; no
            row where nothing is known at both stages, and none where a count of the sum is known within limits only:
            small counts are suppressed, and the sum over the others is that of the large ones.
        """
        axes, answer = self.view.axes, self.view.answer
        place, period = axes["jurisdiction"].positions, axes["period"].positions
        if by == "offense" or answer["offense"] != axes["offense"].nodes[0].name:
            inside = axes["offense"].positions[answer["offense"]]
            y, n = self.counts[target], self.counts[source]
            both = ~np.isnan(y) & ~np.isnan(n)
            y, n = np.where(both, y, 0.0), np.where(both, n, 0.0)
            part = self._limited[[source, target]].any(axis=0)
            if by != "offense":
                y, n, part = y[inside].sum(axis=0), n[inside].sum(axis=0), part[inside].any(axis=0)
        else:
            y, n, part = self._over_offenses(source, target)
        inside_j, inside_t = place[answer["jurisdiction"]], period[answer["period"]]
        if by == "offense":
            y, n, limited = (v[:, inside_j][:, :, inside_t].sum(axis=(1, 2)) for v in (y, n, part))
        elif by == "jurisdiction":
            y, n, limited = (v[:, inside_t].sum(axis=1) for v in (y, n, part))
        else:
            y, n, limited = (v[inside_j].sum(axis=0) for v in (y, n, part))
        frame = pd.DataFrame({"node": axes[by].leaves, "numerator": y, "denominator": n})
        frame = frame[(frame["denominator"] > 0) & (limited == 0)].reset_index(drop=True)
        return frame.assign(raw=frame["numerator"] / frame["denominator"])

    @cached_property
    def _limited(self) -> NDArray[np.bool_]:
        """Cells of which a statement of their place and period gives limits and none a count, (stages, O, J, T)."""
        limits = self._codes["relation"] != "exact"
        for axis in AXES[1:]:
            limits &= _leaf_of(self.view.axes[axis])[self._codes[axis].to_numpy()] >= 0
        return self._covered(limits, cells_only=False) & np.isnan(self.counts)

    def _over_offenses(self, source: int, target: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Per place and period: totals of both stages, else the offenses known at both; and whether one is left out."""
        y, n = self.totals[target], self.totals[source]
        whole = ~np.isnan(y) & ~np.isnan(n)
        yc, nc = self.counts[target], self.counts[source]
        both = ~np.isnan(yc) & ~np.isnan(nc)
        parts = [np.where(both, v, 0.0).sum(axis=0) for v in (yc, nc)]
        part = self._limited[[source, target]].any(axis=(0, 1)) & ~whole
        return np.where(whole, y, parts[0]), np.where(whole, n, parts[1]), part

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The leaves of the jurisdictions that are places."""
        return tuple(name for name in self.view.axes["jurisdiction"].leaves if not made(name))

    @cached_property
    def states(self) -> NDArray[np.int8]:
        """How each of ``places`` and each period was observed at each stage, (stages, J, T), as in ``STATES``."""
        exact = self._covered(self._codes["relation"] == "exact", cells_only=True)
        total = self._covered(self._codes["relation"] == "exact", cells_only=False)
        bounded = self._covered(self._codes["relation"] != "exact", cells_only=False)
        known = (exact | total | bounded).any(axis=1)
        later = np.zeros_like(known)
        for stage in range(len(known) - 2, -1, -1):
            later[stage] = later[stage + 1] | known[stage + 1]
        codes = np.select(
            [exact.all(axis=1), exact.any(axis=1), total.any(axis=1), bounded.any(axis=1), later],
            [0, 1, 2, 3, 4],
            default=5,
        )
        leaves = self.view.axes["jurisdiction"].leaves
        return codes[:, [leaves.index(name) for name in self.places]].astype(np.int8)

    def _covered(self, keep: pd.Series, cells_only: bool) -> NDArray[np.bool_]:
        """Cells inside the nodes of the kept statements, (stages, O, J, T)."""
        codes = self._codes[keep]
        nodes = [len(self.view.axes[axis].nodes) for axis in AXES]
        hits = np.zeros((len(self.view.stages), *nodes), dtype=np.float32)
        hits[tuple(codes[c].to_numpy() for c in ("stage", *AXES))] = 1
        inside = [_inside(self.view.axes[axis], cells_only) for axis in AXES]
        return np.einsum("sabc,ao,bj,ct->sojt", hits, *inside, optimize=True) > 0


def _leaf_of(axis: Axis) -> NDArray[np.int64]:
    """For each node its position among the leaves, -1 for inner nodes."""
    at = {name: i for i, name in enumerate(axis.leaves)}
    return np.array([at.get(node.name, -1) for node in axis.nodes], dtype=np.int64)


def _inside(axis: Axis, leaves_only: bool) -> NDArray[np.float32]:
    """(nodes, leaves): 1 where the leaf lies under the node; none for inner nodes if ``leaves_only``."""
    out = np.zeros((len(axis.nodes), len(axis)), dtype=np.float32)
    for i, node in enumerate(axis.nodes):
        if not leaves_only or not axis.children[node.name]:
            out[i, axis.positions[node.name]] = 1
    return out
