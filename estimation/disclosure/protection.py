"""What a run holds back: the counts decided upon, what a reader can still find out of them, and the audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ...data.names import AXES
from .attacker import Attacker
from .counts import Counts, Layer, clock_of, linked_counts
from .spec import DisclosureSpec
from .suppress import suppress
from .table import Bools
from .witness import Witnesses


@dataclass(frozen=True)
class Protection:
    """A plan's ``[disclosure]`` applied to the counts of its run.

    Parameters
    ----------
    spec : DisclosureSpec
    counts : Counts
    suppressed : (N,) bool
        Counts that are not told: the sensitive ones and, where they are suppressed and not rounded, those that
        protect them.
    optimal : bool
        No protecting set loses less information; of a rounding, True.
    """

    spec: DisclosureSpec
    counts: Counts
    suppressed: Bools
    optimal: bool

    @cached_property
    def failures(self) -> int:
        """Ends that an attacker can exclude for a sensitive count; searched anew, whatever the method's own search."""
        table = self.counts.table
        return sum(1 for _ in Witnesses(table, self.spec.k).failures(self.suppressed))

    @cached_property
    def attacker(self) -> Attacker:
        """Who knows all that is told."""
        return Attacker(self.counts.table, self.suppressed)

    @cached_property
    def told(self) -> dict[str, Bools]:
        """Nodes whose count is told, by stage: (offense, jurisdiction, period)."""
        return self._by_stage(self.counts.table.held & ~self.suppressed)

    @cached_property
    def held(self) -> dict[str, Bools]:
        """Nodes whose count is held back, by stage."""
        return self._by_stage(self.suppressed)

    @cached_property
    def touched(self) -> dict[str, Bools]:
        """Nodes that share a cell with a count held back, by stage."""
        inside = []
        for axis in AXES:
            below = self.counts.axes[axis].positions
            leaves = np.zeros((len(below), len(self.counts.axes[axis])))
            for row, at in enumerate(below.values()):
                leaves[row, at] = 1
            inside.append(leaves @ leaves.T > 0)
        return {
            stage: np.einsum("abc,xa,yb,zc->xyz", held * 1.0, *(m * 1.0 for m in inside), optimize=True) > 0
            for stage, held in self.held.items()
        }

    def _by_stage(self, which: Bools) -> dict[str, Bools]:
        grid = self.counts.grid(which)
        out: dict[str, Bools] = {}
        for layer, there in zip(self.counts.layers, grid, strict=True):
            out[layer.stage] = out.get(layer.stage, np.zeros(self.counts.shape, dtype=bool)) | there
        return out

    def touches(self, offense: str, jurisdiction: str, period: str) -> bool:
        """Does a node, at any stage, share a cell with a count held back? Nodes that are not on the axes do."""
        node = tuple(
            place.get(name, -1)
            for place, name in zip(self.counts.places, (offense, jurisdiction, period), strict=True)
        )
        return min(node) < 0 or any(bool(there[node]) for there in self.touched.values())

    def silent(self, statements: Sequence[Mapping[str, Any]]) -> list[str]:
        """Ids of the lines of ``intake.json`` whose number does not leave the run.

        Numbers that were not fitted stand in no equation, so none of them is told; an exact number is told where its
        count is, an inexact one where it touches nothing that is held back.
        """
        out = []
        for line in statements:
            node = tuple(line[axis] for axis in AXES)
            layer = Layer(line["stage"], line["origin"], clock_of(line["clock"]))
            if line["status"] != "used":
                told = False
            elif line["relation"] == "exact":
                told = self._tells(layer, node)
            else:
                ends = [line[name] for name in ("count", "low", "high") if line[name] is not None]
                told = not self.touches(*node) and not any(1 <= end < self.spec.k for end in ends)
            if not told:
                out.append(line["id"])
        return out

    def _tells(self, layer: Layer, node: tuple[str, ...]) -> bool:
        places = [place.get(name, -1) for place, name in zip(self.counts.places, node, strict=True)]
        if layer not in self.counts.layers or min(places) < 0:
            return False
        at = self.counts.position(self.counts.layers.index(layer), places)
        return bool(self.counts.table.held[at] and not self.suppressed[at])

    def record(
        self, statements: Sequence[Mapping[str, Any]], reports: Iterable[tuple[str, str, str, str]]
    ) -> dict[str, Any]:
        """What is held back and how well: ``disclosure.json``, as confidential as the run.

        Parameters
        ----------
        statements : sequence of mapping
            Lines of ``intake.json``.
        reports : iterable of (id, offense, jurisdiction, period)
            What the model replicates: counts less what is known of their parts or of later stages.
        """
        table = self.counts.table
        return {
            **self.spec.model_dump(),
            "counts": int(table.held.sum()),
            "sensitive": int(table.sensitive.sum()),
            "suppressed": int(self.suppressed.sum()),
            "loss": round(table.loss(self.suppressed), 3),
            "optimal": self.optimal,
            "failures": self.failures if self.spec.method == "suppress" else None,
            "held": [
                {**self.counts.name(int(i)), "sensitive": bool(table.sensitive[i])}
                for i in np.flatnonzero(self.suppressed)
            ],
            "statements": self.silent(statements),
            "replicates": [name for name, *node in reports if self.touches(*node)],
        }


def protect(blueprint: Mapping[str, Any], intake: Mapping[str, Any], spec: DisclosureSpec) -> Protection:
    """Decide what a run holds back.

    Parameters
    ----------
    blueprint, intake : mapping
        As in ``blueprint.json`` and ``intake.json``.
    spec : DisclosureSpec

    Raises
    ------
    InputError
        There are too many counts to protect.
    """
    counts = linked_counts(blueprint, intake["statements"], spec.k)
    if spec.method == "round":
        return Protection(spec, counts, counts.table.primary, True)
    decided = suppress(counts.table, spec.k)
    return Protection(spec, counts, decided.suppressed, decided.optimal)
