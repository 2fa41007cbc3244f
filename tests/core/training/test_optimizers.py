"""Optimizers and clipping: they descend, keep the dtype, and survive large gradients."""

import numpy as np
import pytest

from skrnn.core.training.optimizers import SGD, Adam, RMSprop, clip_by_global_norm


@pytest.mark.parametrize("optimizer", [SGD(), SGD(nesterov=False), SGD(momentum=0), RMSprop(), Adam()], ids=str)
def test_optimizers_descend_a_badly_scaled_bowl(optimizer):
    scales, params = np.array([1.0, 30.0]), np.array([2.0, -1.0])
    state = optimizer.init(params)

    for _ in range(800):
        optimizer.update(params, scales * params, state, learning_rate=0.01)

    assert state.n_updates == 800
    assert np.abs(params).max() < 0.02


def test_optimizers_keep_float32():
    params = np.ones(3, np.float32)
    for optimizer in (SGD(), RMSprop(), Adam()):
        state = optimizer.init(params)
        optimizer.update(params, np.ones(3, np.float32), state, learning_rate=0.1)
        assert params.dtype == np.float32
        assert all(moment.dtype == np.float32 for moment in state.moments.values())


def test_clipping_shortens_long_gradients_only():
    long, short = np.array([3.0, 4.0]), np.array([0.3, 0.4])

    assert clip_by_global_norm(long, 1.0) == 5
    assert clip_by_global_norm(short, 1.0) == 0.5
    np.testing.assert_allclose(long, [0.6, 0.8])
    np.testing.assert_array_equal(short, [0.3, 0.4])
    assert clip_by_global_norm(np.array([3.0, 4.0]), None) == 5


def test_clipping_survives_squares_that_overflow():
    gradient = np.array([3e30, 4e30], np.float32)

    with np.errstate(over="ignore"):
        assert clip_by_global_norm(gradient, 1.0) == pytest.approx(5e30)

    np.testing.assert_allclose(gradient, [0.6, 0.8], rtol=1e-6)
    with np.errstate(invalid="ignore"):
        assert np.isinf(clip_by_global_norm(np.array([np.inf, 1.0]), None))
        assert np.isnan(clip_by_global_norm(np.array([np.nan, 1.0]), None))
