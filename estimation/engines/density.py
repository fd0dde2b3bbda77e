"""One compiled function for a model's log density and gradient: machine code, cached on disk, called without Python.

Nutpie's own compilation of a PyMC model inlines the whole graph into one function and optimizes it again in every
process (a minute for the default effects). PyTensor's Numba linker compiles node by node and finds the machine code
again on disk. What it made is wrapped in a C callback with the signature that nutpie calls, cached in the same place:
the sampler's threads never take the interpreter lock. (As a Python function that released the lock, the same density
spent three quarters of a small model's sampling time handing the lock from one chain to the other.)
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from typing import Any, cast

import numba
import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from nutpie.compile_pymc import address_as_void_pointer
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.mode import Mode, get_mode
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.replace import vectorize_graph
from pytensor.link.numba import NumbaLinker
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.numba.dispatch.basic import numba_funcify_and_cache_key
from pytensor.tensor.variable import TensorVariable

from ...models.compile import CompiledModel
from .forms import Form, form_of, lifted, made_once

Floats = NDArray[np.float64]
_Packing = tuple[tuple[int | NDArray[Any], ...], ...]

# What nutpie calls: (size, point, gradient out, value out, user data) -> 0, or a positive code where the point is
# merely bad and a negative one where the call itself is wrong.
SIGNATURE = numba.types.int64(
    numba.types.uint64,
    numba.types.CPointer(numba.types.float64),
    numba.types.CPointer(numba.types.float64),
    numba.types.CPointer(numba.types.float64),
    numba.types.voidptr,
)
# (size, size of the draw, point, draw out, user data) -> 0
_EXPAND_SIGNATURE = numba.types.int64(
    numba.types.uint64,
    numba.types.uint64,
    numba.types.CPointer(numba.types.float64),
    numba.types.CPointer(numba.types.float64),
    numba.types.voidptr,
)
_PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)
_RAISED, _BAD_GRADIENT, _BAD_VALUE = 1, 3, 4
_CALLBACK = """
def log_density(size, point, gradient, value, user):
    try:
        data = carray(user, ({rows},), np.int64)
        arguments = {arguments}
        found, slope = density(*arguments)
        value[0] = found.item()
        finite = True
        for i in range(size):
            gradient[i] = slope[i]
            finite &= np.isfinite(slope[i])
        if not finite:
            return {bad_gradient}
        if not np.isfinite(value[0]):
            return {bad_value}
    except Exception:
        return {raised}
    return 0
"""


@dataclass(frozen=True)
class Callback:
    """A compiled C function and the data that it reads.

    Parameters
    ----------
    code : Any
        Numba's object, which owns the machine code.
    table : (rows,) int64
        What its last argument points to: of each array the address and the shape.
    arrays : tuple of array
        Held, so that the addresses stay good.
    inner : Callback, optional
        Another that it calls, held likewise.
    """

    code: Any
    table: NDArray[np.int64]
    arrays: tuple[NDArray[Any], ...]
    inner: Callback | None = None

    @property
    def address(self) -> int:
        """Of the machine code."""
        return int(self.code.address)


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
class _Program:
    """Machine code, and which arrays it reads in which order.

    Parameters
    ----------
    code : Any
        Numba's object, which owns the machine code.
    packing : tuple of tuple of (int or array)
        Of each vector that it reads its pieces: arrays of the form by number, and constants of its own.
    """

    code: Any
    packing: _Packing

    def reads(self, arrays: tuple[NDArray[Any], ...]) -> Callback:
        """The code with the arrays of a graph of its form."""
        vectors = _packed(self.packing, arrays)
        return Callback(self.code, _source(vectors)[1], vectors)


class _CallbackLinker(NumbaLinker):
    """Numba's linker, with a C callback as its outermost function and the arrays of the graph as its data.

    PyTensor writes constants into the machine code, and compiles again where one number differs. Handed over as
    arguments they leave one code for every graph of the same form: a fit repeated with other scales, or with other
    counts, compiles nothing.
    """

    def __init__(self, arrays: tuple[NDArray[Any], ...] = ()) -> None:
        super().__init__()
        self._arrays = arrays

    def fgraph_convert(self, fgraph: Any, *_: Any, **__: Any) -> Any:
        # The scheduler's order and storage speak of the graph as it was.
        graph, packing = _pack(fgraph)
        fn, key = numba_funcify_and_cache_key(graph)
        return fn, key if pytensor.config.numba__cache else None, packing

    def jit_compile(self, fn_and_cache: Any) -> Any:
        fn, key, packing = fn_and_cache
        vectors = _packed(packing, self._arrays)
        source, _ = _source(vectors)
        # An axis of length one may be compiled as one that repeats.
        ones = [[length == 1 for length in vector.shape] for vector in vectors]
        form = sha256(f"{source}{ones}".encode()).hexdigest()
        callback = compile_numba_function_src(
            source,
            "log_density",
            globals() | {"density": fn, "carray": numba.carray, "pointer": address_as_void_pointer},
            cache_key=key and f"{key}_fastmath{int(pytensor.config.numba__fastmath)}_{form}",
        )
        return _Program(numba.cfunc(SIGNATURE, cache=key is not None)(callback), packing)


def lift(fgraph: FunctionGraph) -> tuple[FunctionGraph, tuple[NDArray[Any], ...]]:
    """A copy of a graph of one input whose constant arrays are inputs too, and those arrays."""
    graph, packing = _pack(fgraph)
    return graph, _packed(packing, ())


def _pack(fgraph: FunctionGraph) -> tuple[FunctionGraph, _Packing]:
    """A copy of a graph with one vector a type in place of its array inputs and constants, and what goes into each."""
    graph, _ = fgraph.clone_get_equiv()
    given = graph.inputs[1:]
    pieces: list[tuple[Any, int | NDArray[Any]]] = [(each, k) for k, each in enumerate(given)]
    pieces += [(each, each.data) for each in lifted(graph)]
    packing = []
    # A function of a hundred arrays takes minutes to compile.
    for dtype in sorted({each.type.dtype for each, _ in pieces}):
        group = [(each, source) for each, source in pieces if each.type.dtype == dtype]
        vector = pt.vector(dtype=dtype)
        graph.add_input(vector)
        start = 0
        for each, _ in group:
            end = start + int(np.prod(each.type.shape))
            piece = pt.reshape(vector[start:end], each.type.shape)
            graph.replace(each, pt.specify_shape(piece, each.type.shape), import_missing=True)
            start = end
        packing.append(tuple(source for _, source in group))
    for _ in given:
        graph.remove_input(1)
    return graph, tuple(packing)


def _packed(packing: _Packing, arrays: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    """The vectors that a program reads."""
    return tuple(
        np.concatenate([np.ravel(arrays[one] if isinstance(one, int) else one) for one in group])
        for group in packing
    )


def _source(arrays: tuple[NDArray[Any], ...]) -> tuple[str, NDArray[np.int64]]:
    """The callback's text for arrays of these types and ranks, and the table by which it finds them."""
    table: list[int] = []
    words = ["carray(point, (size,))"]
    for array in arrays:
        at = len(table)
        shape = "".join(f"data[{at + 1 + axis}], " for axis in range(array.ndim))
        words.append(f"carray(pointer(data[{at}]), ({shape}), np.{array.dtype.name})")
        table += [array.ctypes.data, *array.shape]
    # Python writes a call or a tuple of more than thirty items in a way that Numba does not read.
    groups = [words[first : first + 25] for first in range(0, len(words), 25)]
    source = _CALLBACK.format(
        rows=len(table),
        arguments=" + ".join(f"({', '.join(group)},)" for group in groups),
        bad_gradient=_BAD_GRADIENT,
        bad_value=_BAD_VALUE,
        raised=_RAISED,
    )
    return source, np.array(table, dtype=np.int64)


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
    """

    size: int
    start: Floats
    callback: Callback
    value_and_gradient: Callable[[Floats], tuple[float, Floats]]
    expand: Callable[[Floats], dict[str, Floats]]


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
    def start(self) -> Floats:
        """The central point as one vector."""
        values = [np.ravel(self.point[value.name]) for value in self.model.value_vars]
        return np.concatenate(values).astype(float)


def join(compiled: CompiledModel) -> Joined:
    """The graph of a compiled model's log density and gradient."""
    model = freeze_dims_and_data(compiled.model)
    point = model.initial_point(random_seed=0)
    [logp], x = join_nonshared_inputs(point, [model.logp()], model.value_vars)
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
    callback = made_once("density", form, partial(_program, form)).reads(form.arrays)
    start = graph.start
    return Density(len(start), start, callback, _caller(callback, len(start)), make_expander(graph, names))


def _program(form: Form) -> _Program:
    """Compile a form's log density and gradient."""
    mode = Mode(_CallbackLinker(form.arrays), get_mode("NUMBA").provided_optimizer)
    with _optimized_once():
        function = pytensor.function(form.graph.inputs, form.graph.outputs, mode=mode, trust_input=True)
    program: _Program = function.vm.jit_fn
    return program


@contextmanager
def _optimized_once() -> Iterator[None]:
    """LLVM's first level of optimization: code as fast as the third's, and a fifth less time to make it."""
    settings: Any = numba.config
    before = settings.OPT
    settings.OPT = type(before)(1)
    try:
        yield
    finally:
        settings.OPT = before


def _caller(callback: Callback, size: int) -> Callable[[Floats], tuple[float, Floats]]:
    """The C function as a Python one."""
    call, data = _PROTOTYPE(callback.address), callback.table.ctypes.data

    def value_and_gradient(at: Floats) -> tuple[float, Floats]:
        point = np.ascontiguousarray(at, dtype=np.float64)
        if point.shape != (size,):
            raise ValueError(f"a point has shape {point.shape}; the density takes ({size},)")
        out = np.empty(size + 1)
        place = out.ctypes.data
        if call(size, point.ctypes.data, place, place + size * out.itemsize, data) == _RAISED:
            raise FloatingPointError("the compiled log density raised an error at this point")
        return float(out[size]), out[:size]

    return value_and_gradient


def make_expander(graph: Joined, names: tuple[str, ...]) -> Callable[[Floats], dict[str, Floats]]:
    """A function from unconstrained points to named variables, vectorised over points and interpreted."""
    model = graph.model
    outputs = model.replace_rvs_by_values([model[name] for name in names])
    joined, x = join_nonshared_inputs(graph.point, outputs, model.value_vars)
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
