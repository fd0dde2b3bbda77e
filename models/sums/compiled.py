"""Compiling numerical loops, each once a machine.

Numba hands the whole call tree of a function to the optimizer again at every level above it, in every graph
that uses it. So every larger loop here is *separate*: compiled alone when it is first called, kept in
PyTensor's disk cache, and called through an address that the calling code asks for once. Without this the
same kernel takes ten times as long to compile, every new model compiles it again, and all of it although a
model may need a quarter.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import builtin_registry, make_concrete_template
from numba.extending import lower_builtin
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS

REAL = types.float64
WHOLE = types.int64
FLAG = types.boolean
VECTOR = types.float64[::1]
MATRIX = types.float64[:, ::1]
CUBE = types.float64[:, :, ::1]
PLACES = types.int64[::1]
PAIR = types.UniTuple(REAL, 2)
NOTHING = types.void


def _digest() -> str:
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


SOURCE_DIGEST = _digest()
"""Digest of the sources of this package; part of every cache key, so no stale machine code is ever loaded."""

SOURCE_NUMBER = int(SOURCE_DIGEST[:12], 16)
"""The same as a number, for PyTensor's cache of graphs."""


class Separate:
    """A function compiled alone, on its first call from Python or from compiled code.

    Parameters
    ----------
    function : callable
        Source in the subset of Python that Numba compiles.
    signature : numba signature
        The one set of types it is compiled for.
    """

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        self.function = function
        self.signature = signature
        self.symbol = f"{function.__module__}.{function.__qualname__}.{SOURCE_DIGEST}"
        self.number = int(sha256(self.symbol.encode()).hexdigest()[:15], 16)
        self._compiled: Any = None
        CACHED_SRC_FUNCTIONS[function] = self.symbol

    def compiled(self) -> Any:
        """Compile, or load from the disk cache."""
        with _LOCK:
            if self._compiled is None:
                compiled = numba.njit(self.function, error_model="numpy", cache=True)
                compiled.compile(self.signature.args)
                compiled.disable_compile()
                self._compiled = compiled
        return self._compiled

    @property
    def ready(self) -> bool:
        """Whether this process has called it."""
        return self._compiled is not None

    def address(self) -> int:
        """Address of the machine code, in Numba's own calling convention."""
        unit = self.compiled().overloads[self.signature.args]
        return unit.library.get_pointer_to_function(unit.fndesc.llvm_func_name)


_LOCK = RLock()
_SEPARATE: dict[int, Separate] = {}


@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int64)
def _find(number: int) -> int:
    return _SEPARATE[number].address()


_FINDER = f"attrition_find_{SOURCE_DIGEST[:16]}"
llvmlite.binding.add_symbol(_FINDER, ctypes.cast(_find, ctypes.c_void_p).value)


def inner(function: Callable[..., Any]) -> Any:
    """Compile a small function into each of its callers."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(function, error_model="numpy", **options)


def separate(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a ``Separate`` function under its own name, for Python and for other compiled functions."""

    def declare(function: Callable[..., Any]) -> Any:
        unit = Separate(function, signature)
        _SEPARATE[unit.number] = unit

        @wraps(function)
        def name(*args: Any) -> Any:
            return unit.compiled()(*args)

        template = make_concrete_template(function.__name__, name, [signature])
        builtin_registry.register_global(name, types.Function(template))

        @lower_builtin(name, *signature.args)
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            convention = context.call_conv
            kind = convention.get_function_type(sig.return_type, sig.args).as_pointer()
            callee = builder.bitcast(_address(builder, unit), kind)
            with builder.if_then(cgutils.is_null(builder, callee), likely=False):
                convention.return_user_exc(builder, RuntimeError, (f"{unit.symbol} could not be compiled",))
            status, result = convention.call_function(builder, callee, sig.return_type, sig.args, args)
            with builder.if_then(status.is_error, likely=False):
                convention.return_status_propagate(builder, status)
            return result

        return name

    return declare


def _address(builder: Any, unit: Separate) -> Any:
    """Code that loads the address of ``unit``, found on first use and kept in the calling module."""
    pointer = ir.IntType(8).as_pointer()
    label = f"address_{unit.number}"
    kept = builder.module.globals.get(label)
    if kept is None:
        kept = cgutils.add_global_variable(builder.module, pointer, label)
        kept.linkage = "private"
        kept.initializer = pointer(None)
        kept.align = 8
    found = cgutils.alloca_once_value(builder, builder.load_atomic(kept, "acquire", 8))
    with builder.if_then(cgutils.is_null(builder, builder.load(found)), likely=False):
        kind = ir.FunctionType(pointer, [ir.IntType(64)])
        finder = cgutils.get_or_insert_function(builder.module, kind, _FINDER)
        asked = builder.call(finder, [ir.Constant(ir.IntType(64), unit.number)])
        builder.store_atomic(asked, kept, "release", 8)
        builder.store(asked, found)
    return builder.load(found)
