"""A graph as one C function that reads its arrays where they lie: compiled once for every graph of the same form.

Nutpie's own compilation of a PyMC model inlines the whole graph into one function and optimizes it again in every
process (a minute for the default effects). PyTensor's Numba linker compiles node by node, and gives each node a
function of its own with a wrapper around it, each written to disk and read again. Here nodes that do the same share
one function, and PyTensor's text of the whole is written into the callback itself, the one function that is cached on
disk: called from there it would be compiled and optimized twice. The callback has the signature that nutpie calls, so
that the sampler's threads never take the interpreter lock. (As a Python function that released the lock, the same
density spent three quarters of a small model's sampling time handing the lock from one chain to the other.)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from inspect import getsource
from textwrap import dedent, indent
from typing import Any, cast

import numba
import numpy as np
import pytensor
import pytensor.tensor as pt
from numpy.typing import NDArray
from pytensor.compile.mode import Mode, get_mode
from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.link.numba import NumbaLinker
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.numba.dispatch.basic import (
    cache_key_for_constant,
    numba_funcify_and_cache_key,
    numba_typify,
)
from pytensor.link.utils import fgraph_to_python

from .forms import Form, lifted, made_once
from .pointers import address_as_void_pointer

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
BAD_GRADIENT, BAD_VALUE = 3, 4
# Of every node that was compiled in this process, by what it does and the types of what it is given.
_functions: dict[Any, Any] = {}

# PyTensor's own function, written into the callback: called from there it would be compiled and optimized twice.
_CALLBACK = """
def log_density(c_size, c_point, c_gradient, c_value, c_user):
    c_value[0] = np.nan  # is what a caller finds where the graph raised an error, which Numba prints
    c_data = c_array(c_user, ({rows},), np.int64)
{body}
    c_found, c_slope = {results}
    c_value[0] = c_found.item()
    c_finite = True
    for c_i in range(c_size):
        c_gradient[c_i] = c_slope[c_i]
        c_finite &= np.isfinite(c_slope[c_i])
    if not c_finite:
        return {bad_gradient}
    if not np.isfinite(c_value[0]):
        return {bad_value}
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


@dataclass(frozen=True)
class Program:
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
        return Callback(self.code, _table(vectors), vectors)


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
        return *_translated(graph), packing

    def jit_compile(self, fn_and_cache: Any) -> Any:
        fn, key, packing = fn_and_cache
        vectors = _packed(packing, self._arrays)
        source = _source(vectors, getsource(fn))
        # An axis of length one may be compiled as one that repeats.
        ones = [[length == 1 for length in vector.shape] for vector in vectors]
        form = sha256(f"{source}{ones}".encode()).hexdigest()
        callback = compile_numba_function_src(
            source,
            "log_density",
            fn.__globals__ | {"np": np, "c_array": numba.carray, "c_pointer": address_as_void_pointer},
            cache_key=key and f"{key}_fastmath{int(pytensor.config.numba__fastmath)}_{form}",
        )
        return Program(numba.cfunc(SIGNATURE, cache=key is not None)(callback), packing)


def _translated(graph: FunctionGraph) -> tuple[Callable[..., Any], str | None]:
    """A graph as PyTensor writes it in Python, and a key of what it computes; None where a node has none."""
    at: dict[Any, tuple[int, Any]] = {each: (0, k) for k, each in enumerate(graph.inputs)}
    for k, node in enumerate(graph.toposort(), start=1):
        at |= {out: (k, j) for j, out in enumerate(node.outputs)}
    steps: list[tuple[Any, str | None]] = []

    def function(op: Any, node: Any, **more: Any) -> Any:
        made, key = numba_funcify_and_cache_key(op, node=node, **more)
        steps.append((tuple(at[each] for each in node.inputs), key))
        if key is None:
            return made
        types = tuple(
            (getattr(v.type, "dtype", v.type), getattr(v.type, "broadcastable", ())) for v in node.inputs
        )
        return _functions.setdefault((key, types), made)

    def value(data: Any, variable: Any, **more: Any) -> Any:
        if isinstance(variable, Constant):
            at[variable] = (-1, cache_key_for_constant(data))
        return numba_typify(data, variable=variable, **more)

    written = fgraph_to_python(graph, function, type_conversion_fn=value, fgraph_name="graph", ofg_memo={})
    if not pytensor.config.numba__cache or any(key is None for _, key in steps):
        return written, None
    text = f"{steps} {len(graph.inputs)} {[at[each] for each in graph.outputs]}"
    return written, sha256(text.encode()).hexdigest()


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


def _table(arrays: tuple[NDArray[Any], ...]) -> NDArray[np.int64]:
    """Where the callback finds its arrays: of each the address and the shape."""
    return np.array([word for each in arrays for word in (each.ctypes.data, *each.shape)], dtype=np.int64)


def _source(arrays: tuple[NDArray[Any], ...], written: str) -> str:
    """The callback's text for arrays of these types and ranks around the text of a function of the point and them."""
    function = cast("ast.FunctionDef", ast.parse(dedent(written)).body[0])
    point, *names = (each.arg for each in function.args.args)
    lines, at = [f"{point} = c_array(c_point, (c_size,))"], 0
    for name, array in zip(names, arrays, strict=True):
        shape = "".join(f"c_data[{at + 1 + axis}], " for axis in range(array.ndim))
        lines.append(f"{name} = c_array(c_pointer(c_data[{at}]), ({shape}), np.{array.dtype.name})")
        at += 1 + array.ndim
    *body, result = function.body
    assert isinstance(result, ast.Return)
    assert result.value is not None
    lines += [ast.unparse(statement) for statement in body]
    return _CALLBACK.format(
        rows=at,
        body=indent("\n".join(lines), " " * 4),
        results=ast.unparse(result.value),
        bad_gradient=BAD_GRADIENT,
        bad_value=BAD_VALUE,
    )


def _compile(form: Form) -> Program:
    """Machine code for a form."""
    mode = Mode(_CallbackLinker(form.arrays), get_mode("NUMBA").provided_optimizer)
    with _optimized_once():
        function = pytensor.function(form.graph.inputs, form.graph.outputs, mode=mode, trust_input=True)
    program: Program = function.vm.jit_fn
    return program


def compile_callback(form: Form) -> Callback:
    """A form of a point that gives a number and its gradient, as a C function with the arrays of the form.

    What has been compiled of the form in this process, or is found on disk, is not compiled again.
    """
    return made_once("density", form, partial(_compile, form)).reads(form.arrays)


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
