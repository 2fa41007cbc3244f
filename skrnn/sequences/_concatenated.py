"""Sequences behind each other in one array."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation.arrays import count
from ._reading import as_data, check_lengths


def from_concatenated(X: Any, lengths: Any) -> list[np.ndarray]:
    """Cut rows that hold one sequence after another into sequences.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features) or (n_rows,)
        The steps of sequence 0, then those of sequence 1, and so on, as for hmmlearn.
    lengths : array-like of int of shape (n_sequences,)
        Number of steps of each sequence, at least 1. Their sum is n_rows.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features) or (n_steps_i,)
        Copies, of X's dtype.

    Raises
    ------
    TypeError
        If X is no array, or has masked entries.
    ValueError
        If X has not one or two dimensions, or `lengths` does not fit X.

    Examples
    --------
    >>> from skrnn.sequences import from_concatenated
    >>> from_concatenated([1.0, 2.0, 3.0, 4.0], lengths=[3, 1])
    [array([1., 2., 3.]), array([4.])]
    """
    X, lengths = as_data(X, "X"), check_lengths(lengths)
    if X.ndim not in (1, 2):
        raise ValueError(
            f"X has shape {X.shape}, but concatenated sequences have shape (n_rows, n_features) or (n_rows,)."
        )
    total = sum(lengths)
    if total != len(X):
        raise ValueError(f"lengths sum to {total}, but X has {count(len(X), 'row')}.")
    ends = np.cumsum(lengths)
    return [X[end - length : end].copy() for end, length in zip(ends, lengths)]
