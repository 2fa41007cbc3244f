"""Targets that are the next values of the sequences themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation.arrays import as_numbers, count, describe
from .._validation.sequence_column import as_column
from ._reading import as_positive_integer


def to_forecasting(X: Any, horizon: int = 1) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Cut sequences into what is known at each step and the values that come next.

    For :class:`skrnn.RNNSequenceRegressor`, which learns at every step to predict what follows it.

    Parameters
    ----------
    X : list of array-like of shape (n_steps_i, n_features) or (n_steps_i,), or array-like
        The sequences; each longer than `horizon`.
    horizon : int, default=1
        How many of the next steps are targets, at least 1.

    Returns
    -------
    X : list of ndarray of shape (n_steps_i - horizon, n_features) or (n_steps_i - horizon,)
        The sequences without their last steps.
    y : list of ndarray
        Of shape (n_steps_i - horizon, n_features) where `horizon` is 1, or (n_steps_i - horizon,) of single numbers.
        Else (n_steps_i - horizon, horizon * n_features): after each step the next one, then the one behind it, and so
        on.

    Raises
    ------
    TypeError
        If `horizon` is not an integer, or X has masked entries.
    ValueError
        If `horizon` is below 1, or a sequence is not longer than it, or has not one or two dimensions.

    Examples
    --------
    >>> from skrnn.sequences import to_forecasting
    >>> X, y = to_forecasting([[1.0, 2.0, 3.0, 4.0]], horizon=2)
    >>> X[0], y[0]
    (array([1., 2.]), array([[2., 3.],
           [3., 4.]]))
    """
    horizon = as_positive_integer(horizon, "horizon")
    if isinstance(X, (str, bytes)) or not hasattr(X, "__iter__"):
        raise TypeError(f"X is {describe(X)}. Pass a list of sequences.")
    before, after = [], []
    for i, item in enumerate(as_column(X)):
        steps = as_numbers(item, f"X[{i}]")
        if steps.ndim not in (1, 2):
            raise ValueError(f"X[{i}] has shape {steps.shape}. Pass sequences of shape (n_steps, n_features).")
        if len(steps) <= horizon:
            raise ValueError(
                f"X[{i}] has {count(len(steps), 'step')}, but horizon is {horizon}. Leave it out, or lower horizon."
            )
        before.append(steps[:-horizon].copy())
        after.append(_next_rows(steps, horizon))
    if not before:
        raise ValueError("X is empty: at least one sequence is needed.")
    return before, after


def _next_rows(steps: np.ndarray, horizon: int) -> np.ndarray:
    """The next `horizon` steps after each step but the last ones, one row each; flat for one number."""
    if horizon == 1:
        return steps[1:].copy()
    rows = steps[1:].reshape(len(steps) - 1, -1)
    windows = np.lib.stride_tricks.sliding_window_view(rows, horizon, axis=0)  # (n, F, horizon)
    return windows.transpose(0, 2, 1).reshape(len(windows), -1)
