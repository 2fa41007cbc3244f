"""Losses: how wrong raw predictions are, the gradient of that in their place, and what is predicted.

Conventions: raw predictions are (L, K, n), L steps of n columns; K = `Loss.n_raw` numbers for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints, Values


@dataclass(frozen=True)
class Loss(ABC):
    """Contract of a loss.

    Parameters
    ----------
    n_raw : int
        K, the number of raw predictions.
    """

    n_raw: int

    @abstractmethod
    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        """Bring targets (N, ...) and weights (N,) into the form that `loss_gradient` takes.

        Parameters
        ----------
        targets : ndarray of shape (N, ...)
            As the data hold them.
        weights : ndarray of shape (N,)
            Weight of each one's loss.

        Returns
        -------
        targets : ndarray of shape (N, width)
            What `loss_gradient` takes, a row for each.
        weights : ndarray of shape (N,)
            Zero where there is nothing to learn.
        """

    @abstractmethod
    def loss_gradient(self, raw: Floats, targets: Values, weights: Floats) -> float:
        """Sum the weighted losses, and write their gradient in the place of `raw`.

        Parameters
        ----------
        raw : ndarray of shape (L, K, n)
            Raw predictions. Overwritten with the gradient with respect to them.
        targets : ndarray of shape (L, n, width)
            What `prepare` gave, by step and column.
        weights : ndarray of shape (L, n)
            Weight of each loss.

        Returns
        -------
        loss : float
            Weighted sum.
        """

    @abstractmethod
    def inverse_link(self, raw: Floats) -> Floats:
        """Turn raw predictions (..., K, n) into what is predicted, in place.

        Parameters
        ----------
        raw : ndarray of shape (..., K, n)
            Overwritten.

        Returns
        -------
        predicted : ndarray of shape (..., K, n)
            The argument itself.
        """

    @abstractmethod
    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        """Bias (K,) with which the head may begin.

        Parameters
        ----------
        targets : ndarray of shape (N, ...)
            As the data hold them.
        weights : ndarray of shape (N,)
            Their weights.

        Returns
        -------
        bias : ndarray of shape (K,)
            First value of ``b_y``.
        """


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Softmax cross-entropy of K classes; what is predicted is log-probabilities, nats.

    A target of K or more is no class: it is read, where targets are read, but not learned.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropy(n_raw=2)
    >>> targets, weights = loss.prepare(np.array([0, 2]), np.ones(2))
    >>> round(loss.loss_gradient(np.zeros((1, 2, 2)), targets[None], weights[None]), 4)
    0.6931
    """

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        is_class = targets < self.n_raw
        return (targets * is_class).astype(np.intp)[:, None], weights * is_class

    def loss_gradient(self, raw: Floats, targets: Values, weights: Floats) -> float:
        return softmax_cross_entropy(raw, targets[:, :, 0], weights)

    def inverse_link(self, raw: Floats) -> Floats:
        return log_softmax(raw)

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        return np.zeros(self.n_raw)  # undecided


@dataclass(frozen=True)
class SquaredError(Loss):
    r"""Half the squared error, :math:`\ell = \frac{1}{2} \sum_{kj} w_j (z_{kj} - y_{kj})^2`, of K numbers.

    Examples
    --------
    >>> import numpy as np
    >>> loss, raw = SquaredError(n_raw=1), np.array([[[1.0, 3.0]]])
    >>> targets, weights = loss.prepare(np.array([0.0, 1.0]), np.ones(2))
    >>> loss.loss_gradient(raw, targets[None], weights[None]), raw.ravel()
    (2.5, array([1., 2.]))
    """

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        return targets.reshape(len(targets), self.n_raw), weights

    def loss_gradient(self, raw: Floats, targets: Values, weights: Floats) -> float:
        raw -= targets.transpose(0, 2, 1)
        loss = 0.5 * float((weights * np.square(raw).sum(axis=1)).sum())
        raw *= weights[:, None]
        return loss

    def inverse_link(self, raw: Floats) -> Floats:
        return raw

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        mean: Floats = np.average(targets.reshape(len(targets), self.n_raw), axis=0, weights=weights)
        return mean


def log_softmax(logits: Floats) -> Floats:
    """Turn logits into log-probabilities, in place.

    Parameters
    ----------
    logits : ndarray of shape (..., K, n)
        Unnormalised scores. Overwritten with ``logits - log(sum(exp(logits)))`` of each column, nats.

    Returns
    -------
    logits : ndarray of shape (..., K, n)
        The argument itself.

    Examples
    --------
    >>> import numpy as np
    >>> np.exp(log_softmax(np.array([[1000.0], [1000.0]])))
    array([[0.5],
           [0.5]])
    """
    logits -= logits.max(axis=-2, keepdims=True)  # exp never overflows
    logits -= np.log(np.exp(logits).sum(axis=-2, keepdims=True))
    return logits


def softmax_cross_entropy(logits: Floats, targets: Values, weights: Floats) -> float:
    r"""Sum of weighted cross-entropies, and their gradient in the place of the logits.

    .. math:: \ell = -\sum_j w_j \log p_{t_j j}, \qquad \partial \ell / \partial z_{kj} = w_j (p_{kj} - [k = t_j])

    Parameters
    ----------
    logits : ndarray of shape (..., K, n)
        Unnormalised scores z. Overwritten with the gradient of the loss with respect to them.
    targets : ndarray of shape (..., n), integer
        Index of the true class of each column, in [0, K).
    weights : ndarray of shape (..., n)
        Weight of each column's loss.

    Returns
    -------
    loss : float
        Weighted sum, nats.

    References
    ----------
    Bishop, *Pattern Recognition and Machine Learning* (2006), equations 4.108 and 4.109.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.zeros((2, 1))
    >>> round(softmax_cross_entropy(z, np.array([0]), np.array([1.0])), 4), z.ravel()
    (0.6931, array([-0.5,  0.5]))
    """
    position: tuple[Ints, ...] = np.indices(targets.shape, sparse=True)
    of_targets = *position[:-1], targets, position[-1]
    logits -= logits.max(axis=-2, keepdims=True)  # exp never overflows
    target_logits = logits[of_targets]
    np.exp(logits, out=logits)
    normalizer = logits.sum(axis=-2)
    loss = float((weights * (np.log(normalizer) - target_logits)).sum())
    logits[of_targets] -= normalizer
    logits *= (weights / normalizer)[..., None, :]
    return loss
