"""Addresses as pointers, inside compiled code."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _pointer(_: Any, address: Any) -> Any:
    """The pointer to a whole number's address, which ``numba.carray`` takes.

    nutpie has the same; importing it from there loads all of nutpie and ArviZ, which a fit by laplace never uses.
    """

    def codegen(_: Any, builder: ir.IRBuilder, __: Any, given: Any) -> ir.Value:
        return builder.inttoptr(given[0], cgutils.voidptr_t)

    return types.voidptr(address), codegen


# As a decorator it would leave type checkers the function that makes the code, which has an argument more.
address_as_void_pointer: Any = intrinsic(_pointer)
