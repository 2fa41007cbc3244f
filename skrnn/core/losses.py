"""Softmax cross-entropy: the loss and its gradient in one pass over the logits.

Conventions: ``logits`` are (K, B), one column a sequence, as everywhere in the core.
"""

from __future__ import annotations

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into log-probabilities, in place.

    Parameters
    ----------
    logits : ndarray of shape (K, B)
        Unnormalised scores. Overwritten with ``logits - log(sum(exp(logits)))`` of each column, nats.

    Returns
    -------
    logits : ndarray of shape (K, B)
        The argument itself.

    Examples
    --------
    >>> import numpy as np
    >>> np.exp(log_softmax(np.array([[1000.0], [1000.0]])))
    array([[0.5],
           [0.5]])
    """
    logits -= logits.max(axis=0)  # exp never overflows
    logits -= np.log(np.exp(logits).sum(axis=0))
    return logits


def softmax_cross_entropy(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> float:
    r"""Sum of weighted cross-entropies, and their gradient in the place of the logits.

    .. math:: \ell = -\sum_j w_j \log p_{t_j j}, \qquad \partial \ell / \partial z_{kj} = w_j (p_{kj} - [k = t_j])

    Parameters
    ----------
    logits : ndarray of shape (K, B)
        Unnormalised scores z. Overwritten with the gradient of the loss with respect to them.
    targets : ndarray of shape (B,), integer
        Index of the true class of each column, in [0, K).
    weights : ndarray of shape (B,)
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
    columns = np.arange(logits.shape[1])
    log_softmax(logits)
    loss = -float(weights @ logits[targets, columns])
    np.exp(logits, out=logits)
    logits[targets, columns] -= 1
    logits *= weights
    return loss
