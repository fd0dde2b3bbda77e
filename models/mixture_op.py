"""Unsplit totals as a fused operation; ``mixture.extend`` is the same in NumPy.

In: the field, and the departures of each place from the stated mix. Out: the raveled field with the totals' own steps
put in, and behind it the predictors of their parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.gradient import disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from .fused import Fused
from .mixture import Mixture

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_SOURCE = int(hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12], 16)


def _forward(
    eta: Floats, common: Floats, own: Floats, scale: Floats, log_share: Floats, ratio: Ints, at: Ints,
    members: Ints, offense: Ints, place: Ints, pool: Ints, inside: Ints, apart: Ints, span: Ints,
) -> Floats:  # fmt: skip
    steps, cells = eta.shape
    width = members.shape[1]
    out = np.empty(steps * cells + pool.shape[0])
    for s in range(steps):
        for a in range(cells):
            out[s * cells + a] = eta[s, a]
    reach = np.empty((steps + 1, width))
    total = np.empty(steps + 1)
    for p in range(at.shape[0]):
        top = -np.inf
        for k in range(width):
            raw = log_share[p, k]
            if raw > -np.inf:
                o = offense[p, k]
                raw += scale[0] * common[o] + scale[1] * own[place[p], o]
            reach[0, k] = raw
            top = max(top, raw)
        whole = 0.0
        for k in range(width):
            whole += np.exp(reach[0, k] - top)
        whole = top + np.log(whole)
        for k in range(width):
            reach[0, k] -= whole
        total[0] = 0.0
        for s in range(steps):
            top = -np.inf
            for k in range(width):
                x = eta[s, members[p, k]]
                if ratio[s] == 0:
                    x = -np.log1p(np.exp(-x)) if x > 0.0 else x - np.log1p(np.exp(x))
                reach[s + 1, k] = reach[s, k] + x
                top = max(top, reach[s + 1, k])
            whole = 0.0
            for k in range(width):
                whole += np.exp(reach[s + 1, k] - top)
            total[s + 1] = top + np.log(whole)
            v = total[s + 1] - total[s]
            if ratio[s] == 0:
                v -= np.log(-np.expm1(min(v, -1e-12)))
            out[s * cells + at[p]] = v
        for q in range(pool.shape[0]):
            if pool[q] != p:
                continue
            start, stop = span[q, 0], span[q, 1]
            held, taken = 0.0, 0.0
            for k in range(width):
                if inside[q, k]:
                    held += np.exp(reach[stop, k] - total[start])
                if apart[q, k]:
                    taken += np.exp(reach[stop, k] - total[start])
            if span[q, 2]:
                out[steps * cells + q] = np.log(held)
            else:
                # logit of held / (1 - taken)
                out[steps * cells + q] = np.log(held) - np.log(max(1.0 - taken - held, 1e-12))
    return out


def _backward(
    eta: Floats, common: Floats, own: Floats, scale: Floats, log_share: Floats, ratio: Ints, at: Ints,
    members: Ints, offense: Ints, place: Ints, pool: Ints, inside: Ints, apart: Ints, span: Ints, g: Floats,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    steps, cells = eta.shape
    width = members.shape[1]
    to_eta = np.empty(eta.shape)
    for s in range(steps):
        for a in range(cells):
            to_eta[s, a] = g[s * cells + a]
    to_common = np.zeros(common.shape)
    to_own = np.zeros(own.shape)
    reach = np.empty((steps + 1, width))
    slope = np.empty((steps + 1, width))
    pull = np.empty((steps + 1, width))
    total = np.empty(steps + 1)
    to_total = np.empty(steps + 1)
    for p in range(at.shape[0]):
        top = -np.inf
        for k in range(width):
            raw = log_share[p, k]
            if raw > -np.inf:
                o = offense[p, k]
                raw += scale[0] * common[o] + scale[1] * own[place[p], o]
            reach[0, k] = raw
            top = max(top, raw)
        whole = 0.0
        for k in range(width):
            whole += np.exp(reach[0, k] - top)
        whole = top + np.log(whole)
        for k in range(width):
            reach[0, k] -= whole
        total[0] = 0.0
        to_total[0] = 0.0
        pull[:, :] = 0.0
        for s in range(steps):
            to_total[s + 1] = 0.0
            top = -np.inf
            for k in range(width):
                x = eta[s, members[p, k]]
                slope[s, k] = 1.0
                if ratio[s] == 0:
                    z = np.exp(-abs(x))
                    slope[s, k] = z / (1.0 + z) if x > 0.0 else 1.0 / (1.0 + z)
                    x = -np.log1p(np.exp(-x)) if x > 0.0 else x - np.log1p(np.exp(x))
                reach[s + 1, k] = reach[s, k] + x
                top = max(top, reach[s + 1, k])
            whole = 0.0
            for k in range(width):
                whole += np.exp(reach[s + 1, k] - top)
            total[s + 1] = top + np.log(whole)
        for s in range(steps):
            d = to_eta[s, at[p]]
            to_eta[s, at[p]] = 0.0
            if ratio[s] == 0:
                d /= -np.expm1(min(total[s + 1] - total[s], -1e-12))
            to_total[s + 1] += d
            to_total[s] -= d
        for q in range(pool.shape[0]):
            if pool[q] != p:
                continue
            start, stop = span[q, 0], span[q, 1]
            d = g[steps * cells + q]
            held, taken = 0.0, 0.0
            for k in range(width):
                if inside[q, k]:
                    held += np.exp(reach[stop, k] - total[start])
                if apart[q, k]:
                    taken += np.exp(reach[stop, k] - total[start])
            to_held, to_taken = d / held, 0.0
            if not span[q, 2]:
                left = max(1.0 - taken - held, 1e-12)
                to_held += d / left
                to_taken = d / left
            for k in range(width):
                share = np.exp(reach[stop, k] - total[start])
                if inside[q, k]:
                    pull[stop, k] += to_held * share
                if apart[q, k]:
                    pull[stop, k] += to_taken * share
            to_total[start] -= to_held * held + to_taken * taken
        # total[0] is zero whatever the shares.
        for s in range(1, steps + 1):
            for k in range(width):
                pull[s, k] += to_total[s] * np.exp(reach[s, k] - total[s])
        whole = 0.0
        for k in range(width):
            carried = 0.0
            for s in range(steps - 1, -1, -1):
                carried += pull[s + 1, k]
                to_eta[s, members[p, k]] += carried * slope[s, k]
            pull[0, k] += carried
            whole += pull[0, k]
        for k in range(width):
            if log_share[p, k] > -np.inf:
                d = pull[0, k] - np.exp(reach[0, k]) * whole
                o = offense[p, k]
                to_common[o] += scale[0] * d
                to_own[place[p], o] += scale[1] * d
    return to_eta, to_common, to_own


class Mix(Fused):
    """The raveled field with unsplit totals, and their parts: (S × A + Q,)."""

    _body = staticmethod(_forward)

    def make_node(self, *inputs: Any) -> Apply:
        """Inputs: eta, common, own, and the constants of ``constants``."""
        tensors = [pt.as_tensor(x) for x in inputs]
        # As far as it is known before the numbers are: JAX asks.
        sizes = (*tensors[0].type.shape, tensors[10].type.shape[0])
        size = None if None in sizes else sizes[0] * sizes[1] + sizes[2]
        return Apply(self, tensors, [pt.tensor(dtype="float64", shape=(size,))])

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Only the field and the departures move anything."""
        return [[i < 3] for i in range(len(node.inputs))]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """In an operation of its own."""
        gradients = _MIX_PULLBACK.make_node(*inputs, cotangents[0]).outputs
        return [*gradients, *[disconnected_type() for _ in inputs[3:]]]


class MixPullback(Fused):
    """Pullback of ``Mix``."""

    _body = staticmethod(_backward)

    def make_node(self, *inputs: Any) -> Apply:
        """The inputs of ``Mix`` and the cotangent of its output."""
        tensors = [pt.as_tensor(x) for x in inputs]
        return Apply(self, tensors, [x.type() for x in tensors[:3]])


@register_funcify_default_op_cache_key(Mix)
def _numba_mix(op: Mix, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_forward, error_model="numpy"), _SOURCE


@register_funcify_default_op_cache_key(MixPullback)
def _numba_pullback(op: MixPullback, node: Apply, **_kwargs: Any) -> tuple[Any, int]:
    return numba_njit(_backward, error_model="numpy"), _SOURCE


_MIX, _MIX_PULLBACK = Mix(), MixPullback()


def mix(
    eta: Any, mixture: Mixture, scale: tuple[float, float], ratio_steps: Sequence[bool], common: Any, own: Any
) -> Any:
    """The raveled field (S × A) with unsplit totals, and behind it their parts (Q); see ``mixture.extend``.

    Parameters
    ----------
    scale : (float, float)
        Sd of the departures from the mix that all places share, and of each place's own.
    common : (O,)
    own : (places, O)
    """
    span = np.column_stack(
        [
            mixture.start,
            mixture.stop,
            [any(ratio_steps[a:b]) for a, b in zip(mixture.start, mixture.stop, strict=True)],
        ]
    )
    return _MIX(
        eta, common, own, np.array(scale), mixture.log_share, np.array(ratio_steps, dtype=np.int64),
        mixture.at, mixture.members, mixture.offense, mixture.place, mixture.pool,
        mixture.inside.astype(np.int64), mixture.apart.astype(np.int64), span.astype(np.int64).reshape(-1, 3),
    )  # fmt: skip
