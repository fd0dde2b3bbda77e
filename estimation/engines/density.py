"""One compiled function for a model's log density and gradient, cached on disk and free of the interpreter lock.

Nutpie's own compilation of a PyMC model inlines the whole graph into one function and optimizes it again in every
process (a minute for the default effects). PyTensor's Numba linker compiles node by node and finds the machine code
again on disk; calling what it made directly costs a few microseconds, and releasing the lock lets chains run side by
side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.mode import Mode, get_mode
from pytensor.graph.replace import vectorize_graph
from pytensor.link.numba import NumbaLinker
from pytensor.link.numba.dispatch.basic import numba_njit
from pytensor.tensor.variable import TensorVariable

from ...models.compile import CompiledModel

Floats = NDArray[np.float64]


class _Free(NumbaLinker):
    """Numba's linker, with the outermost function releasing the interpreter lock."""

    def jit_compile(self, fn_and_cache: Any) -> Any:
        fn, cache_key = fn_and_cache
        return numba_njit(fn.py_func, final_function=True, cache=cache_key is not None, nogil=True)


@dataclass(frozen=True)
class Density:
    """A model's log density on the unconstrained scale.

    Parameters
    ----------
    size : int
        Number of unconstrained parameters.
    start : (size,) float
        A central point.
    value_and_gradient : callable
        From a point to (log density, gradient); safe to call from several threads.
    expand : callable
        From points (R, size) to named variables on their own scales, each (R, …).
    """

    size: int
    start: Floats
    value_and_gradient: Callable[[Floats], tuple[float, Floats]]
    expand: Callable[[Floats], dict[str, Floats]]


def make_density(compiled: CompiledModel, names: tuple[str, ...]) -> Density:
    """Compile a model's log density and gradient.

    Parameters
    ----------
    compiled : CompiledModel
    names : tuple of str
        Variables that ``expand`` gives.
    """
    model = freeze_dims_and_data(compiled.model)
    point = model.initial_point(random_seed=0)
    values = model.value_vars
    [logp], x = join_nonshared_inputs(point, [model.logp()], values)
    mode = Mode(_Free(), get_mode("NUMBA").provided_optimizer)
    # The gradient is written on the joined vector, so that one array comes out.
    slope = cast("TensorVariable", pytensor.grad(logp, x))
    program = pytensor.function([x], [logp, slope], mode=mode, trust_input=True)
    run = program.vm.jit_fn
    start = np.concatenate([np.ravel(point[value.name]) for value in values]).astype(float)

    def value_and_gradient(at: Floats) -> tuple[float, Floats]:
        value, gradient = run(at)
        return float(value), gradient

    return Density(len(start), start, value_and_gradient, _expander(model, point, names))


def _expander(
    model: pm.Model, point: dict[str, NDArray[np.float64]], names: tuple[str, ...]
) -> Callable[[Floats], dict[str, Floats]]:
    """A function from unconstrained points to named variables, vectorised over points and interpreted."""
    outputs = model.replace_rvs_by_values([model[name] for name in names])
    joined, x = join_nonshared_inputs(point, outputs, model.value_vars)
    many = pt.matrix("points")
    program = pytensor.function(
        [many],
        vectorize_graph(joined, {x: many}),
        mode=Mode("py", get_mode("FAST_COMPILE").provided_optimizer),
    )

    def expand(points: Floats) -> dict[str, Floats]:
        return dict(zip(names, program(points), strict=True))

    return expand
