"""Activations: right, without overflow, and with the derivatives that the way back uses."""

import numpy as np
import pytest

from skrnn.core.kernels.numpy import activations
from skrnn.core.kernels.numpy.activations import RELU, SIGMOID_SCALE, TANH_BY_EXP, TANH_BY_NUMPY, sigmoid_of_scaled


def test_sigmoid_is_right_and_survives_overflow():
    a = np.array([-1e4, -2.0, 0.0, 3.0, 1e4])
    with np.errstate(over="ignore"):
        gates = sigmoid_of_scaled(SIGMOID_SCALE * a, np.empty(5))

    np.testing.assert_allclose(gates[1:-1], 1 / (1 + np.exp(-a[1:-1])), rtol=1e-15)
    np.testing.assert_array_equal(gates[[0, -1]], [0, 1])


@pytest.mark.parametrize("tanh", [TANH_BY_EXP, TANH_BY_NUMPY])
def test_each_way_to_tanh(tanh):
    a = np.array([-20.0, -1.0, 0.0, 1e-9, 3.0])
    np.testing.assert_allclose(tanh.of_scaled(tanh.scale * a, np.empty(5)), np.tanh(a), atol=1e-15)
    np.testing.assert_allclose(tanh.of_unscaled(a, np.empty(5)), np.tanh(a), atol=1e-15)


@pytest.mark.parametrize(("current", "is_fast"), [("AVX512_SKX", True), ("X86_V4", True), ("X86_V3", False)])
def test_tanh_is_numpys_where_it_has_avx_512(current, is_fast, monkeypatch):
    introspect = pytest.importorskip("numpy.lib.introspect")
    monkeypatch.setattr(introspect, "opt_func_info", lambda *signature: {"tanh": {"ff": {"current": current}}})
    assert activations._numpy_has_fast_tanh() == is_fast


@pytest.mark.parametrize("activation", [TANH_BY_EXP, TANH_BY_NUMPY, RELU])
def test_derivatives_from_the_output(activation):
    a = np.array([-1.5, -0.1, 0.3, 2.0])
    h = activation.of_scaled(activation.scale * a, np.empty(4))

    above, below = (activation.of_scaled(activation.scale * (a + step), np.empty(4)) for step in (1e-6, -1e-6))

    np.testing.assert_allclose(activation.derivative(h, np.empty(4)), (above - below) / 2e-6, atol=1e-9)
