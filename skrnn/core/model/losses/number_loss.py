"""The contract of the losses of numbers, and the statistics of targets that they begin with."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Values
from ...parameters import NO_WEIGHTS, Weights
from .loss import Loss


@dataclass(frozen=True)
class NumberLoss(Loss):
    """Contract of a loss of numbers.

    Parameters
    ----------
    n_raw : int
        The number of raw predictions.
    center, scale : tuple of float, default=()
        c and s of each number; 0 and 1 by default.
    """

    center: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()

    @property
    def n_numbers(self) -> int:
        """K, the numbers of a target."""
        return self.n_raw

    @abstractmethod
    def differentiate(self, raw: Floats, t: Floats) -> Floats:
        """Losses (L, K, n) of standardised targets t (L, K, n); `raw` is overwritten with their derivatives.

        Parameters
        ----------
        raw : ndarray of shape (L, n_raw, n)
            Raw predictions. Overwritten.
        t : ndarray of shape (L, K, n)
            Targets. May be overwritten.

        Returns
        -------
        losses : ndarray of shape (L, K, n)
            Of each number.
        """

    @abstractmethod
    def best_constant(self, t: Floats, weights: Floats) -> Floats:
        """Raw predictions (n_raw,) of least loss that are the same for all standardised targets t (N, K).

        Parameters
        ----------
        t : ndarray of shape (N, K)
            Targets.
        weights : ndarray of shape (N,)
            Their weights.

        Returns
        -------
        raw : ndarray of shape (n_raw,)
            The constants.
        """

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        center, scale = self._standard(np.dtype(np.float64))
        standardised = (targets.reshape(len(targets), self.n_numbers) - center) / scale
        return standardised.astype(weights.dtype, copy=False), weights

    def loss_gradient(
        self,
        raw: Floats,
        targets: Values,
        weights: Floats,
        parameters: Weights = NO_WEIGHTS,
        gradients: Weights = NO_WEIGHTS,
    ) -> float:
        losses = self.differentiate(raw, np.array(targets.transpose(0, 2, 1)))
        raw *= weights[:, None] / weights.dtype.type(self.n_numbers)
        return float((weights * losses.mean(axis=1)).sum())

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        t, weights = self.prepare(*merge_equal(targets.reshape(len(targets), self.n_numbers), weights))
        return self.best_constant(t, weights)

    def inverse_link(self, raw: Floats) -> Floats:
        center, scale = self._standard(raw.dtype)
        raw *= scale[:, None]
        raw += center[:, None]
        return raw

    def slope(self, raw: Floats) -> Floats:
        """Differentiate the numbers that `inverse_link` gives with respect to their raw predictions.

        Parameters
        ----------
        raw : ndarray of shape (..., n_raw, n)
            Raw predictions.

        Returns
        -------
        slope : ndarray of shape (..., K, n)
            Of each number, the first ones of what is predicted, with respect to its own raw prediction.
        """
        _, scale = self._standard(raw.dtype)
        of_numbers: Floats = np.broadcast_to(scale[:, None], (*raw.shape[:-2], self.n_numbers, raw.shape[-1]))
        return of_numbers

    def _standard(self, dtype: np.dtype) -> tuple[Floats, Floats]:
        """C and s, arrays (K,)."""
        K = self.n_numbers
        return np.array(self.center or [0.0] * K, dtype), np.array(self.scale or [1.0] * K, dtype)

    def _mean_scale(self, power: int) -> float:
        """The mean of s ** power over the numbers of a target."""
        return float(np.mean(self._standard(np.dtype(np.float64))[1] ** power))


def merge_equal(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Merge equal rows, so that repeating one and doubling its weight lead to the same bits in every sum.

    Parameters
    ----------
    values : ndarray of shape (N, K)
        The rows.
    weights : ndarray of shape (N,)
        Of each.

    Returns
    -------
    values : ndarray of shape (M, K)
        The distinct rows, sorted.
    weights : ndarray of shape (M,), float64
        The sum of each one's weights.

    Examples
    --------
    >>> import numpy as np
    >>> merge_equal(np.array([[2.0], [1.0], [2.0]]), np.ones(3))[1]
    array([1., 2.])
    """
    order = np.lexsort([weights, *values.T[::-1]])  # the weights, too: the same sum in whatever order they came
    values, weights = values[order], weights[order]
    is_first = np.append(True, (values[1:] != values[:-1]).any(axis=1))
    sums: Floats = np.bincount(np.cumsum(is_first) - 1, weights).astype(np.float64)
    return values[is_first], sums


def weighted_quantile(values: Floats, weights: Floats, q: float) -> Floats:
    """Find the least value up to which there is a share q of the weights, for each column.

    Parameters
    ----------
    values : ndarray of shape (N, K)
        The values.
    weights : ndarray of shape (N,)
        Not negative, not all zero.
    q : float
        Between 0 and 1.

    Returns
    -------
    quantile : ndarray of shape (K,)
        One of the values of each column.

    Examples
    --------
    >>> import numpy as np
    >>> weighted_quantile(np.array([[3.0], [1.0], [2.0]]), np.array([1.0, 1.0, 5.0]), 0.5)
    array([2.])
    """
    order = np.argsort(values, axis=0, kind="stable")
    shares = np.cumsum(weights[order], axis=0)
    first = (shares >= q * shares[-1]).argmax(axis=0)
    columns = np.arange(values.shape[1])
    found: Floats = values[order[first, columns], columns]
    return found
