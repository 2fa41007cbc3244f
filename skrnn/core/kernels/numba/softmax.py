"""The softmax and its cross-entropy, compiled: passes over each step's raw predictions (K, n), which stay in the cache.

As `skrnn.core.model.losses.classes`, whose functions are the reference.
"""

from __future__ import annotations

from math import log

import numpy as np

from ...arrays import Floats, Ints, Values
from .functions import exp
from .loops import loop, part


@part
def _shift(z: Floats, largest: Floats) -> None:
    """Overwrite z (K, n) with its distance from the largest of each column, and `largest` (n,) with that."""
    K, n = z.shape
    for j in range(n):
        largest[j] = z[0, j]
    for k in range(1, K):
        for j in range(n):
            largest[j] = z[k, j] if z[k, j] > largest[j] else largest[j]
    for k in range(K):
        for j in range(n):
            z[k, j] -= largest[j]


@part
def _add_exps(z: Floats, total: Floats) -> None:
    """Overwrite `total` (n,) with the sum of the exponentials of each column of z (K, n)."""
    total[:] = 0
    for k in range(z.shape[0]):
        for j in range(z.shape[1]):
            total[j] += exp(z[k, j])


@loop("3")
def _log_softmax(logits: Floats) -> None:
    """Overwrite logits (L, K, n) with log-probabilities."""
    L, K, n = logits.shape
    scratch = np.empty((2, n), logits.dtype)
    for t in range(L):
        z = logits[t]
        _shift(z, scratch[0])
        _add_exps(z, scratch[1])
        for j in range(n):
            scratch[1, j] = log(scratch[1, j])
        for k in range(K):
            for j in range(n):
                z[k, j] -= scratch[1, j]


@loop("3i2")
def _log_proba(logits: Floats, targets: Ints, out: Floats) -> None:
    """Write log-probabilities of targets (L, n) into out (L, n); logits (L, K, n) are overwritten."""
    L, _, n = logits.shape
    scratch = np.empty((2, n), logits.dtype)
    for t in range(L):
        z = logits[t]
        _shift(z, scratch[0])
        _add_exps(z, scratch[1])
        for j in range(n):
            out[t, j] = z[targets[t, j], j] - log(scratch[1, j])


@loop("3i2d")
def _cross_entropy(logits: Floats, targets: Ints, weights: Floats, loss: Floats) -> None:
    """Add to loss (1,) as `softmax_cross_entropy`, and overwrite logits (L, K, n) with the gradient."""
    L, K, n = logits.shape
    scratch = np.empty((3, n), logits.dtype)
    one = logits.dtype.type(1)
    for t in range(L):
        z = logits[t]
        _shift(z, scratch[0])
        for j in range(n):
            scratch[2, j] = z[targets[t, j], j]
        total = scratch[1]
        total[:] = 0
        for k in range(K):
            for j in range(n):
                z[k, j] = exp(z[k, j])
            for j in range(n):
                total[j] += z[k, j]
        for j in range(n):
            loss[0] += weights[t, j] * (log(total[j]) - scratch[2, j])
            z[targets[t, j], j] -= total[j]
            total[j] = weights[t, j] * (one / total[j])
        for k in range(K):
            for j in range(n):
                z[k, j] *= total[j]


def log_softmax(logits: Floats) -> Floats:
    """Turn logits (..., K, n) into log-probabilities, in place."""
    _log_softmax.of(logits.dtype)(_of_steps(logits))
    return logits


def log_proba_of(logits: Floats, targets: Ints) -> Floats:
    """Log-probabilities (L, n) of targets (L, n), from logits (L, K, n), which are overwritten."""
    out: Floats = np.empty(targets.shape, logits.dtype)
    _log_proba.of(logits.dtype)(_of_steps(logits), np.ascontiguousarray(targets, np.intp), out)
    return out


def softmax_cross_entropy(logits: Floats, targets: Values, weights: Floats) -> float:
    """Sum of weighted cross-entropies of logits (L, K, n), and their gradient in the place of the logits."""
    loss = np.zeros(1)
    _cross_entropy.of(logits.dtype)(
        _of_steps(logits),
        np.ascontiguousarray(targets, np.intp),
        np.ascontiguousarray(weights, logits.dtype),
        loss,
    )
    return float(loss[0])


def _of_steps(logits: Floats) -> Floats:
    """View (L, K, n) of logits (..., K, n), which must be contiguous to be overwritten."""
    if not logits.flags.c_contiguous:
        raise ValueError("Compiled loops overwrite contiguous arrays only.")
    return logits.reshape(-1, *logits.shape[-2:])


COMPILED = softmax_cross_entropy, log_softmax, log_proba_of
