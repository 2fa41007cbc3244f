"""Prompts are read together, and continued one product a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._parallel.blas import guarded
from .._token_scores import Advance, TokenScores
from ..core.data.sequences import NextTokenSequences
from ..core.model.state import State
from ..core.workspace import Workspace
from .beams import search
from .filters import NOTHING
from .options import GenerationOptions
from .sampling import sample


def continue_prompts(
    scores: TokenScores, params: np.ndarray, prompts: NextTokenSequences, options: GenerationOptions, random_state: Any
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the tokens that come after each prompt, prompt-major, and their summed log-probabilities.

    The prompts are sequences to read, begin first. END is not among the results, its log-probability is in the sums.
    """
    if not len(prompts):
        return [], np.empty(0)
    return guarded(_continue, scores, params, prompts, options, random_state)


def _continue(
    scores: TokenScores, params: np.ndarray, prompts: NextTokenSequences, options: GenerationOptions, random_state: Any
) -> tuple[list[np.ndarray], np.ndarray]:
    """As `continue_prompts`, inside the guard."""
    workspace = Workspace(params.dtype)
    h, state = scores.read(params, prompts, workspace)
    log_proba = scores.log_proba_after(params, h)
    packed = scores.pack(params, workspace)

    def advance(tokens: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        return scores.advance(packed, tokens, state, workspace)

    histories = _right_aligned([ids[1:-1] for ids in prompts.arrays()])
    if options.num_beams > 1:
        return _search_each(options, advance, histories, log_proba, state)
    of_prompt = np.repeat(np.arange(len(prompts)), options.n_sequences)
    rng = check_random_state(random_state)
    return sample(options, advance, histories[of_prompt], log_proba[of_prompt], state.take(of_prompt), rng)


def _search_each(
    options: GenerationOptions, advance: Advance, histories: np.ndarray, log_proba: np.ndarray, state: State
) -> tuple[list[np.ndarray], np.ndarray]:
    """Look for the likeliest continuations of each of histories (n, T), as many as are wanted."""
    n_sequences, found = options.n_sequences, []
    if n_sequences > options.num_beams:
        raise ValueError(f"n_sequences={n_sequences} is more than num_beams={options.num_beams}.")
    for i, history in enumerate(histories):
        best = search(options, advance, history, log_proba[i], state.take([i]))
        if len(best) < n_sequences:
            raise ValueError(
                f"n_sequences={n_sequences}, but only {len(best)} sequences can follow prompts[{i}]. Pass a smaller "
                "n_sequences, more num_beams or max_new_tokens, or loosen the filters."
            )
        found += best[:n_sequences]
    return [np.array(new, dtype=np.intp) for new, _ in found], np.array([total for _, total in found])


def _right_aligned(arrays: list[np.ndarray]) -> np.ndarray:
    """Arrays of numbers as the rows of one (n, T), which end in its last column and begin after `NOTHING`."""
    rows = np.full((len(arrays), max(map(len, arrays))), NOTHING)
    for row, array in zip(rows, arrays, strict=True):
        row[len(row) - len(array) :] = array
    return rows
