"""A model's log density and gradient as one function of JAX, the arrays of the graph as its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from pytensor.compile.mode import get_mode
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor.variable import TensorVariable

from ..density import Joined
from ..linker import lift
from . import ops  # noqa: F401  (teaches our operations to the linker)

Floats = NDArray[np.float64]


def with_arrays(joined: Joined) -> tuple[FunctionGraph, tuple[NDArray[Any], ...]]:
    """The graph of density and gradient as JAX is to see it, and the arrays that are its inputs behind the point."""
    return lifted_for_jax(joined.x, [joined.logp, joined.slope])


def lifted_for_jax(
    x: TensorVariable, outputs: Sequence[Variable]
) -> tuple[FunctionGraph, tuple[NDArray[Any], ...]]:
    """A graph from a point as JAX is to see it, and the arrays that are its inputs behind the point."""
    whole = FunctionGraph([x], outputs, clone=True)
    get_mode("JAX").optimizer.rewrite(whole)
    return lift(whole)


def make_log_density(
    graph: FunctionGraph, arrays: tuple[NDArray[Any], ...]
) -> tuple[Callable[..., Any], Any]:
    """The density with its own gradient, and its data on the device; from what ``with_arrays`` gives.

    Returns
    -------
    density : callable
        From a point (size,) and the data to the log density, a scalar. JAX differentiates it by the gradient that the
        other engines use.
    data : tuple of array
        Handed over as arguments: a program that holds a million numbers takes minutes to compile.
    """
    program = jax_funcify(graph)

    @jax.custom_vjp
    def density(x: Any, data: Any) -> Any:
        return program(x, *data)[0]

    def forward(x: Any, data: Any) -> Any:
        return program(x, *data)

    def backward(slope: Any, cotangent: Any) -> Any:
        return cotangent * slope, None

    density.defvjp(forward, backward)
    return density, tuple(jnp.asarray(array) for array in arrays)
