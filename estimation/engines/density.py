"""A model's log density and gradient: joined into one vector, compiled, and called without Python."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any, cast

import numba
import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.mode import Mode, get_mode
from pytensor.graph.replace import vectorize_graph
from pytensor.tensor.variable import TensorVariable

from ...models.compile import CompiledModel
from ...models.later import part, pm
from .forms import Form, form_of, made_once
from .linker import Callback, compile_callback

Floats = NDArray[np.float64]
# (size, size of the draw, point, draw out, user data) -> 0
_EXPAND_SIGNATURE = numba.types.int64(
    numba.types.uint64,
    numba.types.uint64,
    numba.types.CPointer(numba.types.float64),
    numba.types.CPointer(numba.types.float64),
    numba.types.voidptr,
)
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)


@cache
def copy_point() -> Any:
    """The C function by which nutpie keeps a draw: the point as it is."""
    return numba.cfunc(_EXPAND_SIGNATURE)(_copy_point)


def _copy_point(size: int, expanded: int, point: Any, out: Any, user: Any) -> int:
    if size != expanded:
        return -1
    for i in range(size):
        out[i] = point[i]
    return 0


@dataclass(frozen=True)
class Density:
    """A model's log density on the unconstrained scale.

    Parameters
    ----------
    size : int
        Number of unconstrained parameters.
    start : (size,) float
        A central point.
    callback : Callback
        The C function that nutpie calls.
    value_and_gradient : callable
        From a point to (log density, gradient), through the same C function; safe to call from several threads.
    expand : callable
        From points (R, size) to named variables on their own scales, each (R, …).
    places : mapping of name to slice
        Where in a point the unconstrained value of each variable stands.
    """

    size: int
    start: Floats
    callback: Callback
    value_and_gradient: Callable[[Floats], tuple[float, Floats]]
    expand: Callable[[Floats], dict[str, Floats]]
    places: Mapping[str, slice]


@dataclass(frozen=True)
class Joined:
    """A model's log density as a graph on one vector.

    Parameters
    ----------
    model : pymc.Model
        Frozen.
    x : TensorVariable, (size,)
        The unconstrained point.
    logp, slope : TensorVariable
        Log density, and its gradient (size,) written on the joined vector, so that one array comes out.
    point : mapping
        A central point, by variable.
    """

    model: pm.Model
    x: TensorVariable
    logp: TensorVariable
    slope: TensorVariable
    point: dict[str, Floats]

    @property
    def sizes(self) -> dict[str, int]:
        """The variables that make up the vector, in their order."""
        return {value.name: int(np.size(self.point[value.name])) for value in self.model.value_vars}

    @property
    def start(self) -> Floats:
        """The central point as one vector."""
        values = [np.ravel(self.point[value.name]) for value in self.model.value_vars]
        return np.concatenate(values).astype(float)


def join(compiled: CompiledModel) -> Joined:
    """The graph of a compiled model's log density and gradient."""
    model = part("model.transform.optimization").freeze_dims_and_data(compiled.model)
    point = model.initial_point(random_seed=0)
    [logp], x = part("pytensorf").join_nonshared_inputs(point, [model.logp()], model.value_vars)
    return Joined(model, x, logp, cast("TensorVariable", pytensor.grad(logp, x)), point)


def make_density(compiled: CompiledModel, names: tuple[str, ...]) -> Density:
    """Compile a model's log density and gradient.

    Parameters
    ----------
    compiled : CompiledModel
    names : tuple of str
        Variables that ``expand`` gives.
    """
    graph = join(compiled)
    form = form_of([graph.x], [graph.logp, graph.slope])
    callback = compile_callback(form)
    start = graph.start
    ends = np.cumsum([0, *graph.sizes.values()])
    places = {name: slice(*pair) for name, pair in zip(graph.sizes, pairwise(ends), strict=True)}
    call = _caller(callback, len(start))
    return Density(len(start), start, callback, call, make_expander(graph, names), places)


def _caller(callback: Callback, size: int) -> Callable[[Floats], tuple[float, Floats]]:
    """The C function as a Python one."""
    call, data = _PROTOTYPE(callback.address), callback.table.ctypes.data

    def value_and_gradient(at: Floats) -> tuple[float, Floats]:
        point = np.ascontiguousarray(at, dtype=np.float64)
        if point.shape != (size,):
            raise ValueError(f"a point has shape {point.shape}; the density takes ({size},)")
        out = np.empty(size + 1)
        place = out.ctypes.data
        code = call(size, point.ctypes.data, place, place + size * out.itemsize, data)
        if code == 0 and np.isnan(out[size]):
            raise FloatingPointError("the compiled log density raised an error at this point")
        return float(out[size]), out[:size]

    return value_and_gradient


def make_expander(graph: Joined, names: tuple[str, ...]) -> Callable[[Floats], dict[str, Floats]]:
    """A function from unconstrained points to named variables, vectorised over points and interpreted."""
    model = graph.model
    outputs = model.replace_rvs_by_values([model[name] for name in names])
    joined, x = part("pytensorf").join_nonshared_inputs(graph.point, outputs, model.value_vars)
    form = form_of([x], joined)
    program = made_once("draws", form, partial(_interpreted, form))

    def expand(points: Floats) -> dict[str, Floats]:
        return dict(zip(names, program(points, *form.arrays), strict=True))

    return expand


def _interpreted(form: Form) -> Callable[..., list[Floats]]:
    """A form's outputs as a Python function of many points and its arrays."""
    point, *arrays = form.graph.inputs
    many = pt.matrix("points")
    program: Callable[..., list[Floats]] = pytensor.function(
        [many, *arrays],
        vectorize_graph(form.graph.outputs, {point: many}),
        mode=Mode("py", get_mode("FAST_COMPILE").provided_optimizer),
        on_unused_input="ignore",
    )
    return program
