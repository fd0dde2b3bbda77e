"""The kernel inside PyTensor graphs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from attrition.models.sums.op import SumLogp, log_probability, sum_logp, value_and_gradient


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(1)
    s, m = 12, 5
    log_pi = np.log(rng.dirichlet([5, 2, 1], (s, m)))
    n = rng.poisson(30, (s, m)).astype(float)
    n[0, 2:] = 0
    n[3] = [9, 0, 0, 0, 0]
    z = np.stack(
        [
            [rng.multinomial(int(k), np.exp(row)) for k, row in zip(*x, strict=True)]
            for x in zip(n, log_pi, strict=True)
        ]
    )
    low = np.stack([z[..., 1:].sum(axis=(1, 2)), z[..., 2].sum(axis=1)], axis=1).astype(float)
    high = low.copy()
    high[6:, 0] += 3
    high[9:, 1] = np.inf
    low[11, 1] = 10_000
    others = np.full((s, 2), -1e3)
    others[1], others[7] = 1.0, 0.5
    return log_pi, n, low, high, others


@pytest.fixture(scope="module")
def compiled():
    """Value and gradient of the sum of all statements, as an engine asks for them."""
    log_pi, n, low, high, others = pt.dtensor3(), *(pt.dmatrix() for _ in range(4))
    logp = sum_logp(log_pi, n, low, high, others)
    total = pt.where(pt.isinf(logp), 0.0, logp).sum()
    slopes = pytensor.grad(total, [log_pi, others])
    return pytensor.function([log_pi, n, low, high, others], [logp, *slopes], mode="NUMBA")


def test_compiled_graph_equals_the_plain_function(compiled, inputs):
    expected = value_and_gradient(*inputs)
    assert np.isneginf(expected[0]).tolist() == [False] * 11 + [True]
    for found, truth in zip(compiled(*inputs), expected, strict=True):
        np.testing.assert_allclose(found, truth, rtol=1e-12, atol=1e-12)


def test_compiled_graph_equals_perform(inputs):
    node = SumLogp()(*inputs)[0].owner
    storage = [[None], [None], [None]]
    node.op.perform(node, list(inputs), storage)
    for found, truth in zip(storage, value_and_gradient(*inputs), strict=True):
        np.testing.assert_array_equal(found[0], truth)


def test_memory_layout_and_type_do_not_matter(inputs):
    """Transposed, constant and integer inputs reach the same kernel."""
    log_pi, n, low, high, others = inputs
    x = pt.dtensor3()
    moved = sum_logp(x.transpose(2, 0, 1), n.astype(int), low[:, :], pt.constant(high), others)
    f = pytensor.function([x], moved, mode="NUMBA")
    np.testing.assert_allclose(f(np.ascontiguousarray(log_pi.transpose(1, 2, 0))), log_probability(*inputs))


def test_no_others_is_the_default(inputs):
    log_pi, n, low, high, _ = (x[8:9] for x in inputs)
    x = pt.as_tensor(log_pi)
    logp = sum_logp(x, n, low, high)
    value, gradient, _ = value_and_gradient(log_pi, n, low, high)
    np.testing.assert_array_equal(logp.eval(), value)
    np.testing.assert_array_equal(pytensor.grad(logp.sum(), x).eval(), gradient)


def test_the_gradient_reaches_through_a_rate(compiled):
    """Through logit rates: expected less predicted counts."""
    eta = pt.dmatrix()
    log_pi = pt.stack([-pt.softplus(eta), -pt.softplus(-eta)], axis=-1)
    n, total = np.array([[30.0, 40.0, 0.0]]), np.array([[25.0]])
    f = pytensor.function([eta], pytensor.grad(sum_logp(log_pi, n, total, total).sum(), eta), mode="NUMBA")
    at = np.array([[-1.0, 0.5, 300.0]])
    p = 1 / (1 + np.exp(-at))
    _, gradient, _ = value_and_gradient(
        np.stack([np.log1p(-p[:, :2]), np.log(p[:, :2])], -1), n[:, :2], total, total
    )
    np.testing.assert_allclose(f(at)[:, :2], gradient[..., 1] - (n * p)[:, :2], rtol=1e-9)
    assert f(at)[0, 2] == 0.0


def test_second_derivatives_are_refused(inputs):
    log_pi = pt.dtensor3()
    slope = pytensor.grad(sum_logp(log_pi, *inputs[1:]).sum(), log_pi)
    with pytest.raises(pytensor.gradient.NullTypeGradError):
        pytensor.grad((slope**2).sum(), log_pi)


def test_shapes_are_known_without_computing():
    log_pi, *others = pt.tensor(dtype="float64", shape=(None, 4, 3)), *(pt.dmatrix() for _ in range(4))
    shape = sum_logp(log_pi, *others).shape[0]
    f = pytensor.function([log_pi, *others], shape, on_unused_input="ignore", mode="FAST_COMPILE")
    assert f(np.zeros((7, 4, 3)), *(np.zeros((1, 1)) for _ in range(4))) == 7
    assert not any(isinstance(node.op, SumLogp) for node in f.maker.fgraph.apply_nodes)


def test_faulty_inputs_are_refused():
    with pytest.raises(TypeError, match="ranks 3, 2, 2, 2, 2"):
        sum_logp(np.zeros((2, 2)), np.ones((2, 2)), np.ones((2, 1)), np.ones((2, 1)))
    with pytest.raises(ValueError, match="shape"):
        log_probability(np.zeros((2, 3, 2)), np.ones((2, 2)), np.ones((2, 1)), np.ones((2, 1)))


def test_a_second_process_loads_the_kernel():
    """The machine code made by the tests above is found on disk, and only what is needed is loaded."""
    code = (
        "import numpy as np\n"
        "from attrition.models.sums import compiled, draw, op\n"
        "value = op.log_probability(np.log([[[.5, .5], [.5, .5]]]), [[4., 4.]], [[2.]], [[2.]])[0]\n"
        "used = [unit.compiled().stats for unit in compiled._SEPARATE.values() if unit.ready]\n"
        "print(abs(value - np.log(28 / 256)) < 1e-12, len(compiled._SEPARATE) - len(used) > 5,\n"
        "      sum(map(lambda x: sum(x.cache_hits.values()), used)) == len(used) > 3,\n"
        "      sum(map(lambda x: sum(x.cache_misses.values()), used)) == 0)\n"
    )
    log_probability(np.log(np.full((1, 2, 2), 0.5)), [[4.0, 4.0]], [[2.0]], [[2.0]])
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.split() == ["True"] * 4
