"""One long recording, cut into windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation.arrays import count
from .._validation.values import shown
from ._reading import as_data, as_positive_integer


def sliding_windows(X: Any, size: int, *, step: int = 1) -> np.ndarray:
    """Cut one long recording into overlapping windows of equal length.

    Parameters
    ----------
    X : array-like of shape (n_steps, n_features) or (n_steps,)
        The recording.
    size : int
        Steps in a window, from 1 to n_steps.
    step : int, default=1
        Steps from the beginning of one window to that of the next, at least 1. Steps that do not fill a last window
        are left out.

    Returns
    -------
    windows : ndarray of shape (n_windows, size, n_features), of X's dtype
        Window i begins at step ``i * step``; n_windows is ``(n_steps - size) // step + 1``. A read-only view of X,
        since windows overlap and copies would take `size` / `step` times its memory: use ``windows.copy()`` to write.

    Raises
    ------
    TypeError
        If `size` or `step` is not an integer, X is no array, or X has masked entries.
    ValueError
        If X has not one or two dimensions, or `size` or `step` is out of range.

    Notes
    -----
    Neighbouring windows are nearly equal. Split a recording in time before cutting it, not the windows after, or the
    test set leaks into the training set.

    Examples
    --------
    >>> from skrnn.sequences import sliding_windows
    >>> sliding_windows([1, 2, 3, 4, 5], size=3, step=2)[:, :, 0]
    array([[1, 2, 3],
           [3, 4, 5]])
    """
    X, size, step = as_data(X, "X"), as_positive_integer(size, "size"), as_positive_integer(step, "step")
    if X.ndim not in (1, 2):
        raise ValueError(f"X has shape {X.shape}, but one recording has shape (n_steps, n_features) or (n_steps,).")
    if size > len(X):
        raise ValueError(f"size is {shown(size)}, but X has {count(len(X), 'step')}. Pass a size of at most that.")
    steps = X if X.ndim == 2 else X[:, np.newaxis]
    windows = np.lib.stride_tricks.sliding_window_view(steps, size, axis=0)  # (n_windows, F, size)
    return windows[::step].transpose(0, 2, 1)
