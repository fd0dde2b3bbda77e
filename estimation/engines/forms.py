"""The form of a graph: what is left of it when its arrays are taken out.

Graphs of one form differ in numbers alone. What was optimized and compiled for one of them serves all the others of the
same process: the attempts of a fit, scenarios of a plan, simulated worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pytensor.graph.basic import Constant
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.basic import Alloc, AllocEmpty, Split
from pytensor.tensor.extra_ops import Repeat
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.subtensor import AdvancedSubtensor, IncSubtensor, Subtensor
from pytensor.tensor.variable import TensorConstant, TensorVariable

Array = NDArray[Any]

# Operations whose machine code may depend on the numbers of a small constant.
_NEEDS_NUMBERS = (Reshape, SpecifyShape, Alloc, AllocEmpty, Split, Subtensor, IncSubtensor, Repeat)
_KEPT = 32
_made: dict[Hashable, Any] = {}


@dataclass(frozen=True)
class Form:
    """A graph whose constant arrays are inputs.

    Parameters
    ----------
    graph : FunctionGraph
        Its inputs are those given and, behind them, one an array.
    arrays : tuple of array
        What this graph had in their place.
    key : hashable
        Equal for graphs that differ in their arrays alone.
    """

    graph: FunctionGraph
    arrays: tuple[Array, ...]
    key: Hashable


def form_of(inputs: Sequence[TensorVariable], outputs: Sequence[TensorVariable]) -> Form:
    """Take the arrays out of a graph; what depends on nothing but them is computed first."""
    graph = FunctionGraph(list(inputs), list(outputs), clone=True)
    _fold(graph)
    arrays = []
    for group in alike(lifted(graph)):
        own = group[0].type()
        graph.add_input(own)
        for each in group:
            graph.replace(each, own, import_missing=True)
        arrays.append(group[0].data)
    return Form(graph, tuple(arrays), _key(graph))


def made_once[T](kind: str, form: Form, make: Callable[[], T]) -> T:
    """What was made of a form in this process, or is made of it now."""
    key = (kind, form.key)
    if key not in _made:
        if len(_made) >= _KEPT:
            del _made[next(iter(_made))]
        _made[key] = make()
    found: T = _made[key]
    return found


def lifted(graph: FunctionGraph) -> list[TensorConstant]:
    """Constant arrays of a graph that may be inputs; shapes, masks that select, and single numbers may not."""
    found = dict.fromkeys(
        each for node in graph.toposort() for each in node.inputs if isinstance(each, TensorConstant)
    )
    return [
        each
        for each in found
        if each.data.size > 1 and not any(_needs(client, each) for client, _ in graph.clients[each])
    ]


def _needs(client: Any, constant: TensorConstant) -> bool:
    op = getattr(client, "op", None)
    selects = isinstance(op, AdvancedSubtensor) and constant.type.dtype == "bool"
    return selects or isinstance(op, _NEEDS_NUMBERS)


def alike(constants: Sequence[TensorConstant]) -> list[list[TensorConstant]]:
    """Constants of the same type and numbers together, in their order."""
    groups: dict[Hashable, list[TensorConstant]] = {}
    for each in constants:
        groups.setdefault((each.type, each.data.tobytes()), []).append(each)
    return list(groups.values())


def _fold(graph: FunctionGraph) -> None:
    """Replace what depends on constants alone by its value, in place."""
    for node in graph.toposort():
        if not all(isinstance(each, Constant) for each in node.inputs):
            continue
        if not node.op.do_constant_folding(graph, node):
            continue
        storage = {each: [cast("Constant", each).data] for each in node.inputs} | {
            each: [None] for each in node.outputs
        }
        run = node.op.make_thunk(node, storage, {each: [False] for each in storage}, [], impl="py")
        run()
        for out in node.outputs:
            graph.replace(
                out, out.type.constant_type(out.type, np.array(storage[out][0])), import_missing=True
            )


def _key(graph: FunctionGraph) -> Hashable:
    """Operations, types and small constants in the order of the graph."""
    place: dict[Any, int] = {each: number for number, each in enumerate(graph.inputs)}

    def word(each: Any) -> Hashable:
        return place[each] if each in place else each.signature()

    words: list[Hashable] = [tuple(each.type for each in graph.inputs)]
    for node in graph.toposort():
        words.append((node.op, *map(word, node.inputs), *(each.type for each in node.outputs)))
        place |= {each: len(place) + number for number, each in enumerate(node.outputs)}
    return (*words, *map(word, graph.outputs))
