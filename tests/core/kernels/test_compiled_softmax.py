"""The compiled softmax beside NumPy's, which is the reference."""

import numpy as np
import pytest
from helpers import KERNELS_HERE

from skrnn.core.model.losses import classes

if "numba" not in KERNELS_HERE:
    pytest.skip("numba is not installed", allow_module_level=True)

from skrnn.core.kernels.numba import softmax

SHAPES = [(1, 2, 1), (3, 5, 4), (2, 300, 7), (4, 1, 3), (1, 3, 70)]
DTYPES = {np.float64: 1e-12, np.float32: 2e-6}


@pytest.fixture(params=SHAPES, ids=str)
def shape(request):
    return request.param


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


def draw(shape, dtype, rng):
    L, K, n = shape
    logits = (4 * rng.standard_normal(shape)).astype(dtype)
    return logits, rng.integers(0, K, (L, n)), rng.uniform(0, 2, (L, n)).astype(dtype)


def test_log_softmax(shape, dtype, rng):
    logits, _, _ = draw(shape, dtype, rng)
    got = softmax.log_softmax(logits.copy())

    np.testing.assert_allclose(got, classes.log_softmax(logits.copy()), rtol=0, atol=20 * DTYPES[dtype])
    np.testing.assert_allclose(np.exp(got).sum(axis=1), 1, rtol=100 * DTYPES[dtype])
    assert got.dtype == dtype


def test_log_proba_of_targets(shape, dtype, rng):
    logits, targets, _ = draw(shape, dtype, rng)
    got = softmax.log_proba_of(logits.copy(), targets)

    np.testing.assert_allclose(got, classes.log_proba_of(logits.copy(), targets), rtol=0, atol=20 * DTYPES[dtype])


def test_loss_and_gradient(shape, dtype, rng):
    logits, targets, weights = draw(shape, dtype, rng)
    gradient, wanted = logits.copy(), logits.copy()

    loss = softmax.softmax_cross_entropy(gradient, targets, weights)

    assert loss == pytest.approx(classes.softmax_cross_entropy(wanted, targets, weights), rel=20 * DTYPES[dtype])
    np.testing.assert_allclose(gradient, wanted, rtol=0, atol=20 * DTYPES[dtype])


def test_large_logits_stay_finite_and_sum_to_one(dtype):
    logits = np.array([[[1000.0], [1000.0], [-1000.0]]], dtype)
    np.testing.assert_allclose(np.exp(softmax.log_softmax(logits.copy()))[0, :, 0], [0.5, 0.5, 0], atol=1e-30)
    loss = softmax.softmax_cross_entropy(logits, np.array([[2]]), np.ones((1, 1), dtype))
    assert loss == pytest.approx(2000 + np.log(2), rel=1e-6)
    np.testing.assert_allclose(logits[0, :, 0], [0.5, 0.5, -1], atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_not_finite_comes_through(bad, place, dtype):
    logits = np.zeros((1, 3, 2), dtype)
    logits[0, place, 1] = bad
    targets, weights = np.zeros((1, 2), int), np.ones((1, 2), dtype)

    with np.errstate(invalid="ignore"):
        log_proba = softmax.log_softmax(logits.copy())
        loss = softmax.softmax_cross_entropy(logits, targets, weights)

    assert np.isnan(log_proba[0, :, 1]).any()
    assert np.isfinite(log_proba[0, :, 0]).all()
    assert np.isnan(loss)


def test_an_array_that_is_not_contiguous_is_refused():
    with pytest.raises(ValueError, match="contiguous arrays only"):
        softmax.log_softmax(np.zeros((3, 4, 5)).transpose(0, 2, 1))
