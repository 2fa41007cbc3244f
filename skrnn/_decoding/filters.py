"""Filters of the next-token distribution: which tokens may come, and how likely each is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp

import numpy as np

NOTHING = -1
"""In rows of tokens, where there is none."""


@dataclass(frozen=True, eq=False)
class Filters:
    """Filters, applied in this order; see `RNNNextTokenModel.generate`.

    Parameters
    ----------
    repetition_penalty : float
        Multiplies the log-probabilities of tokens that were there before.
    no_repeat_ngram_size : int
        Size of n-grams that do not come twice; 0 allows all.
    forbidden : ndarray of int
        Tokens that never come.
    unknown : int
        UNKNOWN, which never comes either.
    temperature : float
        Divides log-probabilities; 0 leaves the likeliest token alone.
    top_k : int or None
        Number of the likeliest tokens to draw from.
    top_p : float
        Probability that the likeliest tokens to draw from have together.
    min_p : float or None
        Least probability to be drawn, as a share of the likeliest one's.
    """

    repetition_penalty: float
    no_repeat_ngram_size: int
    forbidden: np.ndarray
    unknown: int
    temperature: float
    top_k: int | None
    top_p: float
    min_p: float | None

    @property
    def looks_back(self) -> bool:
        """Whether what may come depends on all that was there before."""
        return self.repetition_penalty != 1 or self.no_repeat_ngram_size > 0

    @property
    def _unit(self) -> float:
        """A power of two that the penalised scores are divided by, so that they cannot overflow."""
        return 2.0 ** max(frexp(self.repetition_penalty)[1] - 1, 0)

    def allow(self, log_proba: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Return scores (n, K), float64, of what may come after histories (n, T); -inf where a token may not."""
        scores = log_proba.astype(np.float64)
        if self.repetition_penalty != 1:
            is_seen = np.zeros((len(scores), scores.shape[1] + 1), dtype=bool)  # the last column is for NOTHING
            np.put_along_axis(is_seen, history, True, axis=1)
            scores /= self._unit
            scores[is_seen[:, :-1]] *= self.repetition_penalty
        if self.no_repeat_ngram_size:
            scores[_completing(history, self.no_repeat_ngram_size)] = -np.inf
        scores[:, self.forbidden] = -np.inf
        scores[:, self.unknown] = -np.inf
        return scores

    def narrow(self, scores: np.ndarray, best: np.ndarray) -> np.ndarray:
        """Return log-scores (n, K) to draw from: 0 for the likeliest, -inf where a token is not drawn.

        `best` (n, 1) are the largest of `scores` (n, K), which may be overwritten.
        """
        if self.temperature == 0:
            greedy = np.full_like(scores, -np.inf)
            best = scores.argmax(axis=1)[:, None]
            np.put_along_axis(greedy, best, 0.0, axis=1)
            return greedy
        scores -= best  # the best is 0 at any temperature
        if self._unit != self.temperature:
            with np.errstate(over="ignore"):
                np.multiply(scores, self._unit / self.temperature, out=scores, where=scores < 0)
        if self.top_k is not None and self.top_k < scores.shape[1]:
            order = np.argsort(-scores, axis=1, kind="stable")
            np.put_along_axis(scores, order[:, self.top_k :], -np.inf, axis=1)
        if self.top_p < 1:
            order = np.argsort(-scores, axis=1, kind="stable")
            proba = np.take_along_axis(softmax(scores), order, axis=1)
            before = np.cumsum(proba, axis=1) - proba
            np.put_along_axis(
                scores, order, np.where(before < self.top_p, np.take_along_axis(scores, order, axis=1), -np.inf), axis=1
            )
        if self.min_p is not None:
            proba = softmax(scores)
            scores[proba < self.min_p * proba.max(axis=1, keepdims=True)] = -np.inf
        return scores

    def nothing_left(self, n_before: int) -> ValueError:
        """Return what to raise where no token may come after `n_before`."""
        filters = {"forbidden_tokens": len(self.forbidden), "no_repeat_ngram_size": self.no_repeat_ngram_size}
        names = " and ".join(name for name, is_set in filters.items() if is_set)
        return ValueError(
            f"No token may come after {n_before} tokens: all are ruled out by {names}. Loosen the filters."
        )


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return the probabilities (n, K) that are proportional to the exponentials of `scores`."""
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def _completing(history: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of histories (n, T), and the tokens that would complete an n-gram there that the row already holds."""
    if history.shape[1] < size:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    ngrams = np.lib.stride_tricks.sliding_window_view(history, size, axis=1)  # (n, T - size + 1, size)
    start = history[:, None, history.shape[1] - size + 1 :]
    is_same = (ngrams[:, :, :-1] == start).all(axis=2) & (ngrams[:, :, 0] != NOTHING)
    return np.nonzero(is_same)[0], ngrams[is_same, -1]
