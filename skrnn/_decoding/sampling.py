"""Sampling: token after token, drawn from the filtered distribution."""

from __future__ import annotations

import numpy as np

from .._token_scores import Advance
from ..core.model.state import State
from .filters import NOTHING
from .options import GenerationOptions


def sample(
    options: GenerationOptions,
    advance: Advance,
    history: np.ndarray,
    log_proba: np.ndarray,
    state: State,
    rng: np.random.RandomState,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return what is drawn after every history (n, T), and its log-probability (n,).

    A step takes n uniform numbers, however many sequences have ended. `log_proba` (n, K) and the state are those after
    the histories.
    """
    n, filters = len(history), options.filters
    n_before = (history != NOTHING).sum(axis=1)
    totals = np.zeros(n)
    going = np.arange(n)
    written: list[np.ndarray] = []
    ends = np.append(options.stops, options.end)
    for step in range(options.max_new_tokens):
        u = rng.uniform(size=n) if filters.temperature > 0 else np.zeros(n)
        scores = filters.allow(log_proba, history)
        best = scores.max(axis=1, keepdims=True)
        if best.min() == -np.inf:
            raise filters.nothing_left(n_before[going[best[:, 0].argmin()]] + step)
        tokens = _draw(filters.narrow(scores, best), u[going])
        totals[going] += log_proba[np.arange(len(going)), tokens]
        is_end = tokens == options.end
        written.append(np.full(n, NOTHING))
        written[-1][going] = np.where(is_end, NOTHING, tokens)
        is_open = (tokens[:, None] != ends).all(axis=1)
        n_open = np.count_nonzero(is_open)
        if n_open == 0 or step + 1 == options.max_new_tokens:
            break
        if filters.looks_back:
            history = np.column_stack([history, tokens])
        if n_open < len(tokens):
            going, tokens, history = going[is_open], tokens[is_open], history[is_open]
            state = state.take(np.flatnonzero(is_open))
        log_proba, state = advance(tokens, state)
    return [row[row != NOTHING] for row in np.column_stack(written)], totals


def _draw(scores: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Token (n,) of each row of log-scores (n, K), the best of which is 0, at the quantile u (n,) in [0, 1)."""
    cumulative = np.exp(scores).cumsum(axis=1)
    beyond = cumulative > (u * cumulative[:, -1])[:, None]
    return beyond.argmax(axis=1)
