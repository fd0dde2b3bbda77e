"""Forms of graphs: what two graphs have in common when their numbers are taken out."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from attrition.estimation.engines.forms import Form, form_of, made_once


def form(y, n, power=2) -> Form:
    """Of a sum over numbers, logarithms of others and a power."""
    x = pt.vector("x", shape=(3,))
    terms = pt.constant(np.array(y)) * x**power + pt.log(pt.constant(np.array(n)))
    return form_of([x], [terms[pt.constant(np.array([True, False, True]))].sum()])


def test_other_numbers_are_the_same_form():
    one, two = form([1.0, 2.0, 3.0], [1.0, 1.0, 4.0]), form([5.0, 0.0, 7.0], [9.0, 3.0, 2.0])
    assert one.key == two.key
    assert [array.tolist() for array in one.arrays] == [[1.0, 2.0, 3.0], np.log([1.0, 1.0, 4.0]).tolist()]
    run = pytensor.function(one.graph.inputs, one.graph.outputs[0], mode="FAST_COMPILE")
    x = np.array([1.0, 2.0, 3.0])
    assert run(x, *one.arrays) == pytest.approx(1 + 27 + np.log(4))
    assert run(x, *two.arrays) == pytest.approx(5 + 63 + np.log(18))


@pytest.mark.parametrize(
    "other",
    [
        form([1.0, 2.0, 3.0], [1.0, 1.0, 4.0], 3),
        form([1, 2, 3], [1.0, 1.0, 4.0]),
        form([[1.0, 2.0, 3.0]] * 3, [1.0, 1.0, 4.0]),
        form([5.0, 5.0, 6.0], np.exp([5.0, 5.0, 6.0])),
    ],
    ids=["single number", "type", "shape", "one array twice"],
)
def test_another_form(other):
    assert other.key != form([1.0, 2.0, 3.0], [1.0, 1.0, 4.0]).key


def test_made_once_for_all_of_a_form():
    made: list[int] = []
    one, two = form([1.0, 2.0, 3.0], [1.0, 1.0, 4.0]), form([5.0, 0.0, 7.0], [9.0, 3.0, 2.0])
    for each in (one, two):
        assert made_once("test", each, lambda: made.append(1) or len(made)) == 1
    assert made_once("another test", one, lambda: 7) == 7
