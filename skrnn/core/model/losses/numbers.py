r"""Losses of numbers: of one number or several for each target, in standard units inside.

The network predicts :math:`r`, and :math:`\hat y = c + s r`: center c and scale s are part of the loss, so raw
predictions are of order one whatever the unit of y. With the standardised target :math:`t = (y - c) / s` a loss is the
mean over the numbers of a target of :math:`\ell(r, t)`; `Loss.in_units` gives it in the units of y. Where a target has
several numbers, each counts as much as if all had the same scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from ...arrays import Floats
from .number_loss import NumberLoss, weighted_quantile

MIN_VARIANCE = 1e-6
"""Of a Gaussian, in standard units: a target that is met exactly has no infinite likelihood."""


@dataclass(frozen=True)
class SquaredError(NumberLoss):
    r"""Half the squared error, :math:`\ell = \frac{1}{2} (r - t)^2`.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = SquaredError(n_raw=1), np.array([[[1.0, 3.0]]])
    >>> targets, weights = loss.prepare(np.array([0.0, 1.0]), np.ones(2))
    >>> loss.loss_gradient(raw, targets[None], weights[None]), raw.ravel()
    (2.5, array([1., 2.]))
    """

    def in_units(self, loss: float) -> float:
        return loss * self._mean_scale(2)

    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        raw -= t
        return np.square(raw, out=t) * raw.dtype.type(0.5)

    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        mean: Floats = np.average(t, axis=0, weights=weights)
        return mean


@dataclass(frozen=True)
class AbsoluteError(NumberLoss):
    r"""The absolute error, :math:`\ell = |r - t|`, which is least at the median.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = AbsoluteError(n_raw=1), np.array([[[1.0, 3.0]]])
    >>> targets, weights = loss.prepare(np.array([0.0, 5.0]), np.ones(2))
    >>> loss.loss_gradient(raw, targets[None], weights[None]), raw.ravel()
    (3.0, array([ 1., -1.]))
    """

    def in_units(self, loss: float) -> float:
        return loss * self._mean_scale(1)

    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        raw -= t
        np.abs(raw, out=t)
        np.sign(raw, out=raw)
        return t

    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        return weighted_quantile(t, weights, 0.5)


@dataclass(frozen=True)
class Huber(NumberLoss):
    r"""Half the squared error up to `delta`, linear beyond: :math:`\ell = e_\delta (e - e_\delta / 2)`.

    Here :math:`e = r - t`, and :math:`e_\delta` is e held between -delta and delta.

    Parameters
    ----------
    n_raw : int
        K, the numbers of a target.
    center, scale : tuple of float, default=()
        Of each.
    delta : float, default=1.35
        In standard units.

    References
    ----------
    Huber, *Robust estimation of a location parameter* (1964), equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = Huber(n_raw=1, delta=1.0), np.array([[[0.5, 3.0]]])
    >>> targets, weights = loss.prepare(np.zeros(2), np.ones(2))
    >>> loss.loss_gradient(raw, targets[None], weights[None]), raw.ravel()
    (2.625, array([0.5, 1. ]))
    """

    delta: float = 1.35

    def in_units(self, loss: float) -> float:
        return loss * self._mean_scale(2)

    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        error = np.subtract(raw, t, out=t)
        np.clip(error, -self.delta, self.delta, out=raw)
        losses: Floats = raw * (error - raw / raw.dtype.type(2))
        return losses

    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        """By bisection, since the loss is convex: at most delta from the median, where half of the slopes are delta."""
        median = weighted_quantile(t, weights, 0.5)
        low, high = median - self.delta, median + self.delta
        for _ in range(50):
            value = (low + high) / 2
            slope = np.average(np.clip(value - t, -self.delta, self.delta), axis=0, weights=weights)
            low, high = np.where(slope < 0, value, low), np.where(slope < 0, high, value)
        return (low + high) / 2


@dataclass(frozen=True)
class Quantile(NumberLoss):
    r"""The pinball loss, least at a quantile: with :math:`e = t - r`, :math:`\ell = \max(q e, (q - 1) e)`.

    Parameters
    ----------
    n_raw : int
        K, the numbers of a target.
    center, scale : tuple of float, default=()
        Of each.
    quantile : float, default=0.5
        q, between 0 and 1.

    References
    ----------
    Koenker and Bassett, *Regression quantiles* (1978), equation 1.1.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = Quantile(n_raw=1, quantile=0.75), np.array([[[1.0, 3.0]]])
    >>> targets, weights = loss.prepare(np.array([0.0, 5.0]), np.ones(2))
    >>> loss.loss_gradient(raw, targets[None], weights[None]), raw.ravel()
    (1.75, array([ 0.25, -0.75]))
    """

    quantile: float = 0.5

    def in_units(self, loss: float) -> float:
        return loss * self._mean_scale(1)

    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        q = raw.dtype.type(self.quantile)
        error = np.subtract(t, raw, out=t)
        raw[...] = np.where(error > 0, -q, 1 - q)
        losses: Floats = -raw * error
        return losses

    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        return weighted_quantile(t, weights, self.quantile)


@dataclass(frozen=True)
class Poisson(NumberLoss):
    r"""Half the deviance of counts, with a logarithmic link: :math:`\ell = t \log t - t r - t + e^r`, at least 0.

    What is predicted is :math:`s e^r`; the center is not used. Raw predictions above half the logarithm of the largest
    number of their dtype, 44 or 354, count as that, so nothing overflows.

    References
    ----------
    McCullagh and Nelder, *Generalized linear models* (1989), section 2.3.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = Poisson(n_raw=1), np.zeros((1, 1, 2))
    >>> targets, weights = loss.prepare(np.array([1.0, 0.0]), np.ones(2))
    >>> loss.loss_gradient(raw, targets[None], weights[None]), raw.ravel()
    (1.0, array([0., 1.]))
    """

    def in_units(self, loss: float) -> float:
        return loss * self._mean_scale(1)

    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        np.minimum(raw, _largest_exponent(raw.dtype), out=raw)
        losses: Floats = t * (np.log(np.where(t > 0, t, 1)) - raw - 1)
        np.exp(raw, out=raw)
        losses += raw
        raw -= t
        return losses

    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        logarithm: Floats = np.log(np.average(t, axis=0, weights=weights))
        return logarithm

    def inverse_link(self, raw: Floats) -> Floats:
        np.minimum(raw, _largest_exponent(raw.dtype), out=raw)
        np.exp(raw, out=raw)
        return super().inverse_link(raw)

    def slope(self, raw: Floats) -> Floats:
        largest = _largest_exponent(raw.dtype)
        slope: Floats = super().slope(raw) * np.where(raw < largest, np.exp(np.minimum(raw, largest)), 0)
        return slope


@dataclass(frozen=True)
class Gaussian(NumberLoss):
    r"""Minus the log-likelihood of a normal distribution whose mean and variance are predicted, nats.

    Of 2 K raw predictions the first K are means :math:`\mu`, the others give variances
    :math:`v = \log(1 + e^z) + 10^{-6}`: :math:`\ell = \frac{1}{2} (\log 2 \pi v + (\mu - t)^2 / v)`. What is predicted
    is the K means and the K standard deviations, in the units of y.

    References
    ----------
    Nix and Weigend, *Estimating the mean and variance of the target probability distribution* (1994), equation 7.
    Lakshminarayanan, Pritzel and Blundell, *Simple and scalable predictive uncertainty estimation using deep ensembles*
    (2017), section 2.2.1: the link of the variance.

    Examples
    --------
    >>> import numpy as np
    >>> loss = Gaussian(n_raw=2, center=(10.0,), scale=(2.0,))
    >>> raw = loss.initial_bias(np.array([8.0, 12.0]), np.ones(2))[:, None]
    >>> loss.inverse_link(raw).ravel().round(6)
    array([10.,  2.])
    """

    @property
    def n_numbers(self) -> int:
        return self.n_raw // 2

    def in_units(self, loss: float) -> float:
        return loss + float(np.mean(np.log(self._standard(np.dtype(np.float64))[1])))

    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        K, half = self.n_numbers, raw.dtype.type(0.5)
        mean, z = raw[:, :K], raw[:, K:]
        variance, slope = _softplus(z)
        mean -= t
        relative = mean / variance
        losses: Floats = half * (np.log(variance) + raw.dtype.type(log(2 * np.pi)) + mean * relative)
        z[...] = half * (slope / variance) * (1 - mean * relative)
        mean[...] = relative
        return losses

    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        mean = np.average(t, axis=0, weights=weights)
        variance = np.average(np.square(t - mean), axis=0, weights=weights)
        variance[variance <= MIN_VARIANCE] = 1  # a constant is not met before the network has learned to
        return np.concatenate([mean, np.log(np.expm1(variance - MIN_VARIANCE))])

    def inverse_link(self, raw: Floats) -> Floats:
        K = self.n_numbers
        variance, _ = _softplus(raw[..., K:, :])
        _, scale = self._standard(raw.dtype)
        np.sqrt(variance, out=raw[..., K:, :])
        raw[..., K:, :] *= scale[:, None]
        super().inverse_link(raw[..., :K, :])
        return raw


def _largest_exponent(dtype: np.dtype) -> float:
    """Bound of raw predictions whose exponential is taken: sums of such numbers are finite."""
    return log(np.finfo(dtype).max) / 2


def _softplus(z: Floats) -> tuple[Floats, Floats]:
    """Variance that raw predictions z stand for, at least `MIN_VARIANCE`, and its derivative."""
    variance = np.logaddexp(z, 0) + z.dtype.type(MIN_VARIANCE)
    slope: Floats = np.exp(-np.logaddexp(-z, 0))
    return variance, slope


LOSSES: dict[str, type[NumberLoss]] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": Huber,
    "poisson": Poisson,
    "quantile": Quantile,
    "gaussian": Gaussian,
}
"""Losses of numbers by the name that an estimator gives them."""
