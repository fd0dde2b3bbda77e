"""Compiling numerical loops, each once a machine.

Numba hands the whole call tree of a function to the optimizer again at every level above it, in every graph
that uses it. So every larger loop here is *separate*: compiled alone, kept in PyTensor's disk cache, and
called through a named symbol, which code compiled elsewhere only refers to. Without this the same kernel
takes ten times as long to compile, and every new model compiles it again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
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

_SEPARATE: list[tuple[Callable[..., Any], str, Any]] = []
_READY: dict[str, Any] = {}


def inner(function: Callable[..., Any]) -> Any:
    """Compile a small function into each of its callers."""
    return numba.njit(function, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


def separate(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a function that is compiled alone, on first use, and that compiled code calls by name.

    Definitions must come before the functions that use them (the order of import).
    """

    def declare(function: Callable[..., Any]) -> Any:
        symbol = f"attrition_{SOURCE_DIGEST[:16]}_{function.__name__}"
        CACHED_SRC_FUNCTIONS[function] = symbol
        _SEPARATE.append((function, symbol, signature))

        @wraps(function)
        def name(*args: Any) -> Any:
            return dispatchers()[symbol](*args)

        template = make_concrete_template(function.__name__, name, [signature])
        builtin_registry.register_global(name, types.Function(template))

        @lower_builtin(name, *signature.args)
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            convention = context.call_conv
            kind = convention.get_function_type(sig.return_type, sig.args)
            callee = cgutils.get_or_insert_function(builder.module, kind, symbol)
            status, result = convention.call_function(builder, callee, sig.return_type, sig.args, args)
            with builder.if_then(status.is_error, likely=False):
                convention.return_status_propagate(builder, status)
            return result

        return name

    return declare


def dispatchers() -> dict[str, Any]:
    """Compile, or load from the cache, every function declared so far, and make their symbols known.

    Returns
    -------
    dict
        Compiled functions by symbol.
    """
    while len(_READY) < len(_SEPARATE):
        function, symbol, signature = _SEPARATE[len(_READY)]
        compiled = numba.njit(function, error_model="numpy", cache=True)
        compiled.compile(signature.args)
        unit = compiled.overloads[signature.args]
        address = unit.library.get_pointer_to_function(unit.fndesc.llvm_func_name)
        llvmlite.binding.add_symbol(symbol, address)
        compiled.disable_compile()
        _READY[symbol] = compiled
    return _READY
