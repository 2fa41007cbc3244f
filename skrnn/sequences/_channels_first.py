"""Sequences with their channels before their steps, as in aeon and sktime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._validation.sequence_column import as_column
from ._reading import as_data


def from_channels_first(X: Any) -> np.ndarray | list[np.ndarray]:
    """Move the channels behind the steps, from aeon's and sktime's layout to that of skrnn.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_channels, n_steps) or list of array-like of shape (n_channels, n_steps_i)
        The sequences. DataFrames have one row for each step, which is the layout of skrnn already.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_steps, n_channels) or list of ndarray of shape (n_steps_i, n_channels)
        An array for a 3-D array, otherwise a list. Copies, of X's dtype.

    Raises
    ------
    TypeError
        If X is no array or list of arrays, or has masked entries.
    ValueError
        If X is not three-dimensional, or an item of the list not two-dimensional.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.sequences import from_channels_first
    >>> from_channels_first(np.zeros((8, 3, 50))).shape
    (8, 50, 3)
    >>> [x.shape for x in from_channels_first([np.zeros((3, 50)), np.zeros((3, 40))])]
    [(50, 3), (40, 3)]
    """
    X = as_column(X)
    is_list = isinstance(X, Sequence) and not isinstance(X, (str, bytes))
    if is_list or getattr(X, "dtype", None) == np.dtype(object):
        if not len(X):
            raise ValueError("X is empty: at least one sequence is needed.")
        return [_channels_last(item, i) for i, item in enumerate(X)]
    array = as_data(X, "X")
    if array.ndim != 3:
        raise ValueError(
            f"X has shape {array.shape}, but (n_sequences, n_channels, n_steps) is needed. "
            "Univariate sequences (n_sequences, n_steps) need no conversion."
        )
    return array.transpose(0, 2, 1).copy()


def _channels_last(item: Any, i: int) -> np.ndarray:
    """Item i (n_channels, n_steps) of X as (n_steps, n_channels)."""
    if hasattr(type(item), "columns"):
        raise TypeError(
            f"X[{i}] is a {type(item).__name__}, which has one row for each step: skrnn's own layout. Leave "
            f"X as it is, or pass X[{i}].to_numpy() if its rows are channels."
        )
    array = as_data(item, f"X[{i}]")
    if array.ndim != 2:
        raise ValueError(f"X[{i}] has shape {array.shape}, but (n_channels, n_steps) is needed.")
    return array.T.copy()
