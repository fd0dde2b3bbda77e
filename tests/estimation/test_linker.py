"""A graph as a C function: nodes that do the same share one, those of other ranks do not, and errors are told."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.fg import FunctionGraph
from pytensor.raise_op import Assert

from attrition.estimation.engines import linker
from attrition.estimation.engines.density import _caller
from attrition.estimation.engines.forms import form_of
from attrition.estimation.engines.linker import compile_callback


def _form(graph, x):
    return form_of([x], [graph, pytensor.grad(graph, x)])


def test_what_was_compiled_is_found_on_disk():
    x = pt.vector("x", shape=(3,))
    form = _form((pt.exp(x) * np.array([1.0, 2.0, 5.0])).sum(), x)
    linker._compile(form)
    assert linker._compile(form).code.cache_hits == 1


def test_nodes_that_do_the_same_share_a_function():
    x = pt.vector("x", shape=(6,))
    one, two = pt.cumsum(x[:3]), pt.cumsum(x[3:])
    graph = FunctionGraph([x], [one, two], clone=True)
    written, key = linker._translated(graph)
    of_nodes = [name for name, each in written.__globals__.items() if each in linker._functions.values()]
    assert key is not None
    assert len(graph.toposort()) > len(of_nodes) >= 2


def test_nodes_of_other_ranks_do_not():
    """Joins of vectors and of matrices have one key in PyTensor."""
    x = pt.vector("x", shape=(4,))
    flat = pt.join(0, x[:2], pt.exp(x[2:]))
    square = pt.join(0, pt.reshape(x, (2, 2)), pt.reshape(pt.exp(-x), (2, 2)))
    value = _caller(compile_callback(_form((flat**2).sum() + (square[2] * square[0]).sum(), x)), 4)
    at = np.array([0.3, -0.2, 0.5, 1.1])
    found, slope = value(at)

    def plain(at):
        return (np.r_[at[:2], np.exp(at[2:])] ** 2).sum() + (at[:2] * np.exp(-at[:2])).sum()

    steps = 1e-6 * np.eye(4)
    assert found == pytest.approx(plain(at))
    np.testing.assert_allclose(slope, [(plain(at + h) - plain(at - h)) / 2e-6 for h in steps], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_error_of_the_graph_is_told():
    x = pt.vector("x", shape=(2,))
    value = _caller(compile_callback(_form(Assert("below zero")(x.sum(), x[0] > 0), x)), 2)
    assert value(np.array([1.0, 2.0]))[0] == 3.0
    with pytest.raises(FloatingPointError, match="raised an error at this point"):
        value(np.array([-1.0, 2.0]))
