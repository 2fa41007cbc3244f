"""Beam search: the likeliest continuations, not drawn but looked for."""

from __future__ import annotations

import numpy as np

from .._token_scores import Advance
from ..core.model.state import State
from .filters import NOTHING
from .options import GenerationOptions


def search(
    options: GenerationOptions, advance: Advance, history: np.ndarray, log_proba: np.ndarray, state: State
) -> list[tuple[list[int], float]]:
    """Return the likeliest continuations of one history (T,), the likeliest first, with their log-probabilities.

    `log_proba` (K,) and the state, of one column, are those after the history.
    """
    beams: list[list[int]] = [[]]
    totals = np.zeros(1)
    log_proba = log_proba[None].astype(np.float64)
    finished: list[tuple[list[int], float]] = []
    for step in range(options.max_new_tokens):
        allowed = options.filters.allow(log_proba, np.array([[*history, *beam] for beam in beams], dtype=np.intp))
        candidates = np.where(np.isneginf(allowed), -np.inf, totals[:, None] + log_proba).ravel()
        order = np.argsort(-candidates, kind="stable")[: 2 * options.num_beams]
        parents, tokens = np.divmod(order[np.isfinite(candidates[order])], log_proba.shape[1])
        grown: list[tuple[int, int, float]] = []
        for parent, token in zip(parents.tolist(), tokens.tolist(), strict=True):
            total = float(candidates[parent * log_proba.shape[1] + token])
            if token == options.end:
                finished.append((beams[parent], total))
            elif token in options.stops or step + 1 == options.max_new_tokens:
                finished.append(([*beams[parent], token], total))
            else:
                grown.append((parent, token, total))
        finished = sorted(finished, key=lambda found: -found[1])[: options.num_beams]
        grown = grown[: options.num_beams]
        is_settled = len(finished) == options.num_beams and (not grown or finished[-1][1] >= grown[0][2])
        if not grown or is_settled:
            break
        beams = [[*beams[parent], token] for parent, token, _ in grown]
        totals = np.array([total for *_, total in grown])
        tokens = np.array([token for _, token, _ in grown])
        log_proba, state = advance(tokens, state.take(np.array([parent for parent, *_ in grown])))
        log_proba = log_proba.astype(np.float64)
    if not finished:
        raise options.filters.nothing_left(int((history != NOTHING).sum()) + step)
    return finished
