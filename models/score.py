"""The coordinate in which a sampler moves a scale: the normal score of an exponential number."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from .later import part

if TYPE_CHECKING:
    from pymc.logprob.transforms import Transform

_FAR = 25.0  # where erfc nears the smallest number there is


def _log_beyond(y: TensorVariable) -> TensorVariable:
    """Log of the chance that a standard normal exceeds y: log Φ(-y)."""
    inside, far = pt.clip(y, 0.0, _FAR), pt.maximum(y, _FAR)
    # Beyond, 1 - 1/y² + 3/y⁴ times the density over y is exact to seven digits, and the seam is not seen.
    tail = -0.5 * far**2 - pt.log(far) - 0.5 * math.log(2 * math.pi) + pt.log1p(-1 / far**2 + 3 / far**4)
    above = pt.where(y < _FAR, pt.log(0.5 * pt.erfc(inside / math.sqrt(2))), tail)
    # Below zero the chance is nearly one: what it lacks keeps its digits.
    return pt.where(y > 0, above, pt.log1p(-0.5 * pt.erfc(pt.maximum(-y, 0.0) / math.sqrt(2))))


@cache
def score() -> Transform:
    """A positive number x of scale s by the normal score of an exponential one: x = -s log Φ(-y).

    An exponential number has a normal coordinate, and a half-normal one nearly so. On the logarithm a scale of which
    the data say little wanders far down a long tail, and where they ask for an effect far out in the prior, the product
    of scale and effect is as steep as e^y; here neither is.
    """

    # Made when it is asked for, as what it is derived from is PyMC's own.
    base: Any = part("logprob.transforms").Transform

    class Score(base):
        name = "score"
        ndim_supp = 0

        def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
            """The positive number."""
            return -inputs[-1] * _log_beyond(value)

        def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
            """The coordinate y."""
            return math.sqrt(2) * pt.erfcinv(2 * pt.exp(-value / inputs[-1]))

        def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
            """Log slope of the number in y."""
            return pt.log(inputs[-1]) - 0.5 * (value**2 + math.log(2 * math.pi)) - _log_beyond(value)

    return Score()
