"""Losses of classes: the cross-entropy with its softmax, and that of labels which do not exclude one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ...arrays import Floats, Ints, Values
from ...cached import cached_property
from ...parameters import NO_WEIGHTS, Weights
from .loss import Loss


class _Softmax(NamedTuple):
    """The functions of one set of kernels."""

    softmax_cross_entropy: Callable[[Floats, Values, Floats], float]
    log_softmax: Callable[[Floats], Floats]
    log_proba_of: Callable[[Floats, Ints], Floats]


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Softmax cross-entropy of K classes; what is predicted is log-probabilities, nats.

    A target of K or more is no class: it is read, where targets are read, but not learned.

    Parameters
    ----------
    n_raw : int
        K, the number of classes.
    class_weights : tuple of float, default=()
        Factor of the weights of each class; none by default.
    kernels : str, default="numpy"
        What computes the softmax, see `Loss.using`.

    Examples
    --------
    >>> import numpy as np
    >>> loss = CrossEntropy(n_raw=2)
    >>> targets, weights = loss.prepare(np.array([0, 2]), np.ones(2))
    >>> round(loss.loss_gradient(np.zeros((1, 2, 2)), targets[None], weights[None]), 4)
    0.6931
    """

    class_weights: tuple[float, ...] = ()
    kernels: str = "numpy"

    def using(self, kernels: str) -> CrossEntropy:
        return replace(self, kernels=kernels)

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        is_class = targets < self.n_raw
        indices, weights = (targets * is_class).astype(np.intp), weights * is_class
        if self.class_weights:
            weights = weights * np.array(self.class_weights, weights.dtype)[indices]
        return indices[:, None], weights

    def loss_gradient(
        self,
        raw: Floats,
        targets: Values,
        weights: Floats,
        parameters: Weights = NO_WEIGHTS,
        gradients: Weights = NO_WEIGHTS,
    ) -> float:
        return self._functions.softmax_cross_entropy(raw, targets[:, :, 0], weights)

    def inverse_link(self, raw: Floats) -> Floats:
        return self._functions.log_softmax(raw)

    def log_proba_of(self, raw: Floats, targets: Ints) -> Floats:
        """Take the log-probabilities of some classes.

        Parameters
        ----------
        raw : ndarray of shape (L, K, n)
            Raw predictions; overwritten.
        targets : ndarray of shape (L, n), integer
            A class for each column.

        Returns
        -------
        log_proba : ndarray of shape (L, n)
            Nats.
        """
        return self._functions.log_proba_of(raw, targets)

    @cached_property
    def _functions(self) -> _Softmax:
        """What computes the softmax."""
        if self.kernels == "numba":
            from ...kernels.numba.softmax import COMPILED

            return _Softmax(*COMPILED)
        return _Softmax(softmax_cross_entropy, log_softmax, log_proba_of)

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        return np.zeros(self.n_raw)  # undecided


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    r"""Cross-entropies of K labels, each there or not; what is predicted is the log-probability that it is, nats.

    .. math:: \ell = -\sum_k [y_k \log p_k + (1 - y_k) \log(1 - p_k)], \qquad p_k = \sigma(a_k)

    Parameters
    ----------
    n_raw : int
        K, the number of labels.

    References
    ----------
    Bishop, *Pattern Recognition and Machine Learning* (2006), equation 5.23.

    Examples
    --------
    >>> import numpy as np
    >>> loss = BinaryCrossEntropy(n_raw=2)
    >>> targets, weights = loss.prepare(np.array([[0, 1]]), np.ones(1))
    >>> round(loss.loss_gradient(np.zeros((1, 2, 1)), targets[None], weights[None]), 4)
    1.3863
    """

    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        return targets, weights

    def loss_gradient(
        self,
        raw: Floats,
        targets: Values,
        weights: Floats,
        parameters: Weights = NO_WEIGHTS,
        gradients: Weights = NO_WEIGHTS,
    ) -> float:
        y = targets.transpose(0, 2, 1)  # (L, K, n)
        loss = np.maximum(raw, 0) - raw * y + np.log1p(np.exp(-np.abs(raw)))  # finite for every raw prediction
        raw[...] = (np.exp(_log_sigmoid(raw)) - y) * weights[:, None, :]
        return float((loss.sum(axis=1) * weights).sum())

    def inverse_link(self, raw: Floats) -> Floats:
        raw[...] = _log_sigmoid(raw)
        return raw

    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        return np.zeros(self.n_raw)  # undecided


def _log_sigmoid(a: Floats) -> Floats:
    """Log of the logistic function, where exp never overflows."""
    log_p: Floats = np.minimum(a, 0) - np.log1p(np.exp(-np.abs(a)))
    return log_p


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


def log_proba_of(logits: Floats, targets: Ints) -> Floats:
    """Take the log-probabilities of some classes.

    Parameters
    ----------
    logits : ndarray of shape (L, K, n)
        Unnormalised scores; overwritten.
    targets : ndarray of shape (L, n), integer
        Index of a class of each column, in [0, K).

    Returns
    -------
    log_proba : ndarray of shape (L, n)
        Nats.

    Examples
    --------
    >>> import numpy as np
    >>> log_proba_of(np.zeros((1, 2, 1)), np.array([[1]])).round(4)
    array([[-0.6931]])
    """
    logits -= logits.max(axis=1, keepdims=True)
    log_proba: Floats = np.take_along_axis(logits, targets[:, None, :], axis=1)[:, 0].copy()
    log_proba -= np.log(np.exp(logits, out=logits).sum(axis=1))
    return log_proba


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
