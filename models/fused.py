"""Operations written as one function for Python and Numba alike: fewer, larger pieces to compile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numba
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op


class Fused(Op):
    """Base of operations whose body is one plain function of arrays."""

    __props__: ClassVar[tuple[str, ...]] = ()
    _body: Callable[..., Any]
    _compiled: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # Compiled at the first call outside a graph, not here: importing stays cheap.
        cls._compiled = staticmethod(numba.njit(cls._body, error_model="numpy"))

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: list[list[Any]]) -> None:
        """Evaluate outside compiled graphs."""
        results = self._compiled(*inputs)
        results = results if isinstance(results, tuple) else (results,)
        for storage, value in zip(output_storage, results, strict=True):
            storage[0] = value
