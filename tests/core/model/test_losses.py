"""Losses: values and gradients by hand, and at the ends of the range."""

import numpy as np
import pytest

from skrnn.core.model.losses import log_softmax, softmax_cross_entropy


def test_log_softmax_survives_huge_logits():
    log_proba = log_softmax(np.array([[1e308, -1e308], [0.0, 1e308]]) / 2)

    assert np.isfinite(log_proba[[0, 1], [0, 1]]).all()
    np.testing.assert_array_equal(log_proba[[0, 1], [0, 1]], [0, 0])


def test_cross_entropy_and_its_gradient(rng):
    z, targets, weights = rng.standard_normal((4, 3)), np.array([0, 3, 3]), np.array([1.0, 0.5, 2.0])

    def loss(z):
        p = np.exp(z) / np.exp(z).sum(axis=0)
        return -(weights * np.log(p[targets, range(3)])).sum()

    d_z = z.copy()
    got = softmax_cross_entropy(d_z, targets, weights)

    assert got == pytest.approx(loss(z), rel=1e-14)
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = 1e-6
        assert d_z[index] == pytest.approx((loss(z + step) - loss(z - step)) / 2e-6, abs=1e-8)


def test_a_confident_wrong_prediction_costs_much():
    """The notebook's loss was finite and small for a wrong class, because it forgot the target."""
    loss = softmax_cross_entropy(np.array([[50.0], [0.0]]), np.array([1]), np.array([1.0]))

    assert loss == pytest.approx(50)
