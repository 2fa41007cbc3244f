"""Losses: values of other libraries, gradients by differences, best constants, units, and the ends of the range."""

import numpy as np
import pytest
from helpers import central_differences, relative_error
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_poisson_deviance, mean_squared_error

from skrnn.core.model.losses import (
    LOSSES,
    AbsoluteError,
    Gaussian,
    Huber,
    Poisson,
    Quantile,
    SquaredError,
    log_softmax,
    merge_equal,
    softmax_cross_entropy,
)

CENTER, SCALE = (3.0, -2.0), (2.0, 0.5)
OF_NUMBERS = {
    "squared_error": SquaredError(2, CENTER, SCALE),
    "absolute_error": AbsoluteError(2, CENTER, SCALE),
    "huber": Huber(2, CENTER, SCALE, delta=0.7),
    "poisson": Poisson(2, scale=SCALE),
    "quantile": Quantile(2, CENTER, SCALE, quantile=0.2),
    "gaussian": Gaussian(4, CENTER, SCALE),
}
each_loss = pytest.mark.parametrize("loss", OF_NUMBERS.values(), ids=OF_NUMBERS)


def draw(loss, rng, n=50):
    """Targets (n, 2) and weights (n,), counts with zeros for Poisson's loss."""
    if isinstance(loss, Poisson):
        y = rng.poisson(loss.scale, (n, 2)).astype(float)
    else:
        y = CENTER + SCALE * rng.standard_normal((n, 2))
    return y, rng.uniform(0.5, 2, n)


def test_every_loss_is_here():
    assert set(OF_NUMBERS) == set(LOSSES)
    assert all(type(OF_NUMBERS[name]) is loss for name, loss in LOSSES.items())


@each_loss
def test_gradient_equals_central_differences(loss, rng):
    y, weights = draw(loss, rng, 6)
    raw = rng.standard_normal((2, loss.n_raw, 3))
    targets, weights = loss.prepare(y, weights)
    targets, weights = targets.reshape(2, 3, 2), weights.reshape(2, 3)

    gradient = raw.copy()
    loss.loss_gradient(gradient, targets, weights)

    wanted = central_differences(lambda: loss.loss_gradient(raw.copy(), targets, weights), raw, step=1e-6)
    assert relative_error(gradient, wanted) < 1e-6


@each_loss
def test_targets_and_weights_are_only_read(loss, rng):
    y, weights = draw(loss, rng, 3)
    targets, weights = loss.prepare(y, weights)
    before = targets.copy(), weights.copy()

    loss.loss_gradient(rng.standard_normal((1, loss.n_raw, 3)), targets[None], weights[None])

    np.testing.assert_array_equal(targets, before[0])
    np.testing.assert_array_equal(weights, before[1])


def metrics(loss, y, predicted, weights):
    """The mean loss in units of y, as others compute it, of one number each."""
    if isinstance(loss, SquaredError):
        return mean_squared_error(y, predicted, sample_weight=weights) / 2
    if isinstance(loss, AbsoluteError):
        return mean_absolute_error(y, predicted, sample_weight=weights)
    if isinstance(loss, Quantile):
        return mean_pinball_loss(y, predicted, sample_weight=weights, alpha=loss.quantile)
    if isinstance(loss, Poisson):
        return mean_poisson_deviance(y, predicted, sample_weight=weights) / 2
    if isinstance(loss, Huber):
        delta, error = loss.delta * loss.scale[0], abs(y - predicted)
        losses = np.where(error < delta, error**2 / 2, delta * (error - delta / 2))
        return np.average(losses, weights=weights)
    mean, std = predicted
    return -np.average(norm.logpdf(y, mean, std), weights=weights)


@each_loss
def test_value_in_units_of_the_targets_equals_other_implementations(loss, rng):
    loss = type(loss)(loss.n_raw // 2, *(v[:1] for v in (loss.center, loss.scale)), **extra(loss))
    y, weights = draw(loss, rng) if isinstance(loss, Poisson) else draw(OF_NUMBERS["squared_error"], rng)
    raw = rng.standard_normal((1, loss.n_raw, len(y)))
    predicted = loss.inverse_link(raw.copy())[0]
    targets, prepared = loss.prepare(y[:, 0], weights)

    total = loss.loss_gradient(raw, targets[None], prepared[None])

    wanted = metrics(loss, y[:, 0], predicted if isinstance(loss, Gaussian) else predicted[0], weights)
    assert loss.in_units(total / weights.sum()) == pytest.approx(wanted, rel=1e-10)


def extra(loss):
    return {name: getattr(loss, name) for name in ("delta", "quantile") if hasattr(loss, name)}


@each_loss
def test_several_numbers_count_alike(loss, rng):
    y, weights = draw(loss, rng, 5)
    raw = rng.standard_normal((1, loss.n_raw, 5))
    targets, _ = loss.prepare(y, weights)

    whole = loss.loss_gradient(raw.copy(), targets[None], weights[None])

    parts = []
    for k in range(2):
        one = type(loss)(loss.n_raw // 2, **extra(loss))
        rows = [k, k + 2] if isinstance(loss, Gaussian) else [k]
        parts.append(one.loss_gradient(raw[:, rows], targets[None, :, k : k + 1], weights[None]))
    assert whole == pytest.approx(np.mean(parts), rel=1e-12)


@each_loss
def test_no_constant_is_better_than_the_first_bias(loss, rng):
    y, weights = draw(loss, rng, 41)
    targets, prepared = loss.prepare(y, weights)

    def loss_at(raw):
        raw = np.repeat(raw[None, :, None], len(y), axis=2)
        return loss.loss_gradient(raw, targets[None], prepared[None])

    bias = loss.initial_bias(y, weights)

    best = loss_at(bias)
    for k in range(loss.n_raw):
        for step in (-1e-2, -1e-4, 1e-4, 1e-2):
            moved = bias.copy()
            moved[k] += step
            assert loss_at(moved) >= best - 1e-12


@each_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [-1e15, -800.0, 800.0, 1e15])
def test_extreme_targets_and_predictions_stay_finite(loss, dtype, value):
    y = np.array([[1e8, 0.0], [0.0, 2.0]]) if isinstance(loss, Poisson) else np.array([[1e8, -1e8], [3.0, -2.0]])
    targets, weights = loss.prepare(y, np.ones(2, dtype))
    raw = np.full((1, loss.n_raw, 2), value, dtype)

    predicted = loss.inverse_link(raw.copy())
    total = loss.loss_gradient(raw, targets[None], weights[None])

    assert np.isfinite(total)
    assert np.isfinite(raw).all()
    assert np.isfinite(predicted).all()


def test_a_count_that_is_predicted_far_too_high_still_has_a_gradient():
    raw = np.full((1, 1, 1), 1e5)
    assert Poisson(1).loss_gradient(raw, np.ones((1, 1, 1)), np.ones((1, 1))) > 1e150
    assert raw.item() > 1e150


TARGETS = {
    "normal": lambda rng: rng.standard_normal(200),
    "outliers": lambda rng: rng.standard_cauchy(201),
    "two values": lambda rng: np.r_[np.zeros(10), np.full(9, 100.0)],
    "skewed": lambda rng: rng.exponential(size=100),
}


@pytest.mark.parametrize("draw_targets", TARGETS.values(), ids=TARGETS)
@pytest.mark.parametrize("delta", [1e-3, 0.1, 1.35, 10])
def test_the_first_bias_of_huber_is_the_minimum(draw_targets, delta, rng):
    loss, t = Huber(1, delta=delta), draw_targets(rng)
    weights = rng.uniform(0.1, 3, len(t))

    def value(b):
        error = abs(t - b)
        return np.average(np.where(error < delta, error**2 / 2, delta * (error - delta / 2)), weights=weights)

    wanted = minimize_scalar(value, bracket=(t.min(), t.max()), options={"xtol": 1e-12}).fun
    assert value(loss.initial_bias(t, weights).item()) == pytest.approx(wanted, rel=1e-9)


def test_a_gaussian_begins_at_variance_one_for_a_constant():
    """No output of a new network is as constant as that."""
    loss = Gaussian(2, center=(5.0,), scale=(1.0,))
    predicted = loss.inverse_link(loss.initial_bias(np.full(3, 5.0), np.ones(3))[:, None]).ravel()
    np.testing.assert_allclose(predicted, [5, 1])


@pytest.mark.parametrize("K", [1, 3])
def test_equal_rows_are_merged_whatever_their_order(K, rng):
    values, weights = rng.integers(-2, 2, (50, K)).astype(float), rng.uniform(0.1, 1, 50)

    merged, sums = merge_equal(values, weights)

    np.testing.assert_array_equal(merged, np.unique(values, axis=0))
    np.testing.assert_allclose(sums, [weights[(values == row).all(axis=1)].sum() for row in merged])
    order = rng.permutation(50)
    for got, wanted in zip(merge_equal(values[order], weights[order]), (merged, sums), strict=True):
        np.testing.assert_array_equal(got, wanted)


@each_loss
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_predictions_is_kept(loss, dtype, rng):
    y, weights = draw(loss, rng, 3)
    raw = rng.standard_normal((1, loss.n_raw, 3)).astype(dtype)
    targets, prepared = loss.prepare(y, weights.astype(dtype))
    assert targets.dtype == dtype

    predicted = loss.inverse_link(raw.copy())
    loss.loss_gradient(raw, targets[None], prepared[None])

    assert predicted.dtype == raw.dtype == dtype


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
