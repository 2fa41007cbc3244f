"""Sequences in and out: converters between layouts.

The one layout of skrnn is ``(n_sequences, n_steps, n_features)``, as an array or, when lengths differ, as a list of
arrays ``(n_steps_i, n_features)``. The converters bring other layouts into it. What they return never shares memory
with their input, except :func:`sliding_windows`, which says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skrnn._validation.arrays import as_numbers, count, describe
from skrnn._validation.features import pack, read_2d, read_container

__all__ = [
    "from_channels_first",
    "from_concatenated",
    "from_long_dataframe",
    "from_padded",
    "sliding_windows",
    "to_padded",
]

# Converters


def from_padded(X: Any, lengths: Any = None, *, pad_value: float | None = None) -> list[np.ndarray]:
    """Cut the padding off the ends of padded sequences.

    Parameters
    ----------
    X : array-like of shape (n_sequences, n_steps, n_features) or (n_sequences, n_steps)
        The sequences, each padded at its end.
    lengths : array-like of int of shape (n_sequences,), default=None
        Number of steps of each sequence, from 1 to n_steps.
    pad_value : float, default=None
        What the padding is filled with; NaN is possible. A step is padding if all its features equal `pad_value` and
        all later steps are padding, too: the same value within a sequence is data. Pass `lengths` where a sequence
        may really end with this value.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features) or (n_steps_i,)
        Copies, of X's dtype.

    Raises
    ------
    TypeError
        If not exactly one of `lengths` and `pad_value` is given.
    ValueError
        If X has not two or three dimensions, `lengths` does not fit X, or a sequence is nothing but padding.

    See Also
    --------
    to_padded : The way back.

    Examples
    --------
    >>> from skrnn.sequences import from_padded
    >>> from_padded([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], pad_value=0)
    [array([1., 2., 3.]), array([4.])]
    >>> from_padded([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]], lengths=[3, 2])
    [array([1., 2., 3.]), array([4., 0.])]
    """
    if (lengths is None) == (pad_value is None):
        raise TypeError("from_padded needs lengths or pad_value, one of the two.")
    X = np.asarray(X)
    if X.ndim not in (2, 3):
        raise ValueError(
            f"X has shape {X.shape}, but padded sequences have shape (n_sequences, n_steps, n_features) or "
            "(n_sequences, n_steps)."
        )
    if lengths is None:
        lengths = _lengths_before_padding(X, pad_value)
    else:
        lengths = _check_lengths(lengths)
        if len(lengths) != len(X):
            raise ValueError(f"lengths has {len(lengths)} entries, but X has {count(len(X), 'sequence')}.")
        if len(X) and lengths.max() > X.shape[1]:
            i = int(lengths.argmax())
            raise ValueError(f"lengths[{i}] is {lengths[i]}, but X has {count(X.shape[1], 'step')}.")
    return [x[:length].copy() for x, length in zip(X, lengths)]


def to_padded(X: Any, *, pad_value: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Pad sequences at their ends to the length of the longest.

    Parameters
    ----------
    X : list of array-like of shape (n_steps_i, n_features) or (n_steps_i,)
        The sequences, in any container that the estimators accept. Values may be NaN.
    pad_value : float, default=0.0
        What to fill the padding with; NaN is possible.

    Returns
    -------
    padded : ndarray of shape (n_sequences, n_steps, n_features)
        n_steps is that of the longest sequence. float32 if all of X is float32, else float64.
    lengths : ndarray of shape (n_sequences,), dtype intp
        Number of steps of each sequence.

    Raises
    ------
    TypeError
        If X or an item of X cannot be a sequence.
    ValueError
        If X or an item of X is empty, holds no numbers, or if the items differ in their number of features.

    See Also
    --------
    from_padded : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.sequences import to_padded
    >>> padded, lengths = to_padded([np.array([1.0, 2.0, 3.0]), np.array([4.0])])
    >>> padded[:, :, 0]
    array([[1., 2., 3.],
           [4., 0., 0.]])
    >>> lengths
    array([3, 1])
    """
    kind, data = read_container(X)
    if kind == "2-D":
        data = check_array(read_2d(data, "X"), dtype=None, ensure_all_finite=False, input_name="X")[:, :, np.newaxis]
    sequences = pack(data)
    shape = len(sequences), sequences.lengths.max(), sequences.n_features
    padded = np.full(shape, pad_value, dtype=sequences.steps.dtype)
    padded[np.arange(shape[1]) < sequences.lengths[:, np.newaxis]] = sequences.steps[:, :-1]
    return padded, sequences.lengths


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
    ValueError
        If X has not one or two dimensions, or `lengths` does not fit X.

    Examples
    --------
    >>> from skrnn.sequences import from_concatenated
    >>> from_concatenated([1.0, 2.0, 3.0, 4.0], lengths=[3, 1])
    [array([1., 2., 3.]), array([4.])]
    """
    X, lengths = np.asarray(X), _check_lengths(lengths)
    if X.ndim not in (1, 2):
        raise ValueError(
            f"X has shape {X.shape}, but concatenated sequences have shape (n_rows, n_features) or (n_rows,)."
        )
    if lengths.sum() != len(X):
        raise ValueError(f"lengths sum to {lengths.sum()}, but X has {count(len(X), 'row')}.")
    ends = np.cumsum(lengths)
    return [X[end - length : end].copy() for end, length in zip(ends, lengths)]


def from_long_dataframe(
    df: Any, *, sequence: str, order: str | None = None, columns: str | Sequence[str] | None = None
) -> tuple[list[np.ndarray], np.ndarray]:
    """Cut a long table, one row for each step, into sequences.

    Parameters
    ----------
    df : pandas or polars DataFrame
        The table.
    sequence : str
        Column that says to which sequence a row belongs.
    order : str, default=None
        Column to sort the steps of each sequence by; equal values keep the order of their rows. By default all rows
        keep it.
    columns : str or list of str, default=None
        Columns that hold the features. By default all others.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features)
        One for each distinct value of `sequence`, in the order of first appearance. float32 if all features are
        float32, else float64.
    ids : ndarray of shape (n_sequences,)
        These values: ``ids[i]`` names ``sequences[i]``. Use them to look up y, which has one entry for each sequence.

    Raises
    ------
    TypeError
        If `df` is no table, or a feature column does not hold numbers.
    ValueError
        If a column does not exist, `df` has no rows or no feature columns, values of `sequence` or `order` are
        missing, or a feature column does not hold numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.sequences import from_long_dataframe
    >>> df = pd.DataFrame({"patient": ["b", "a", "b"], "day": [2, 1, 1], "pulse": [61.0, 80.0, 62.0]})
    >>> labels = pd.Series({"a": "ill", "b": "well"})
    >>> X, ids = from_long_dataframe(df, sequence="patient", order="day")
    >>> X
    [array([[62.],
           [61.]]), array([[80.]])]
    >>> labels[ids].tolist()
    ['well', 'ill']
    """
    if not hasattr(df, "columns"):
        raise TypeError(f"df is {describe(df)}. Pass a pandas or polars DataFrame.")
    keys = [sequence] if order is None else [sequence, order]
    if columns is None:
        columns = [name for name in df.columns if name not in keys]
    elif isinstance(columns, str):
        columns = [columns]
    for name in [*keys, *columns]:
        if name not in df.columns:
            raise ValueError(f"df has no column {name!r}. Its columns are {list(df.columns)}.")
    if not columns or not len(df):
        raise ValueError(f"df has {len(df)} rows and {len(columns)} feature columns. At least one of each is needed.")
    ids, codes = _codes_by_appearance(_key_column(df, sequence))
    rows = np.arange(len(df)) if order is None else np.argsort(_key_column(df, order), kind="stable")
    rows = rows[np.argsort(codes[rows], kind="stable")]
    features = np.column_stack([as_numbers(df[name], f"df[{name!r}]") for name in columns])
    if features.dtype != np.float32:
        features = features.astype(np.float64)
    return from_concatenated(features[rows], np.bincount(codes)), ids


def from_channels_first(X: Any) -> np.ndarray | list[np.ndarray]:
    """Move the channels behind the steps, from aeon's and sktime's layout to that of skrnn.

    Parameters
    ----------
    X : ndarray of shape (n_sequences, n_channels, n_steps) or list of array-like of shape (n_channels, n_steps_i)
        The sequences. DataFrames with one row for each step are in the layout of skrnn already.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_steps, n_channels) or list of ndarray of shape (n_steps_i, n_channels)
        An array for a 3-D array, otherwise a list. Copies, of X's dtype.

    Raises
    ------
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
    if isinstance(X, np.ndarray) and X.dtype != object:
        if X.ndim != 3:
            raise ValueError(
                f"X has shape {X.shape}, but (n_sequences, n_channels, n_steps) is needed. "
                "Univariate sequences (n_sequences, n_steps) need no conversion."
            )
        return X.transpose(0, 2, 1).copy()
    items = [np.asarray(item) for item in X]
    for i, item in enumerate(items):
        if item.ndim != 2:
            raise ValueError(f"X[{i}] has shape {item.shape}, but (n_channels, n_steps) is needed.")
    return [item.T.copy() for item in items]


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
        If `size` or `step` is not an integer.
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
    X = np.asarray(X)
    if X.ndim not in (1, 2):
        raise ValueError(f"X has shape {X.shape}, but one recording has shape (n_steps, n_features) or (n_steps,).")
    for name, value in [("size", size), ("step", step)]:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{name} is {describe(value)}. Pass an integer of at least 1.")
        if value < 1:
            raise ValueError(f"{name} is {value}. Pass an integer of at least 1.")
    if size > len(X):
        raise ValueError(f"size is {size}, but X has {count(len(X), 'step')}. Pass a size of at most that.")
    steps = X if X.ndim == 2 else X[:, np.newaxis]
    windows = np.lib.stride_tricks.sliding_window_view(steps, size, axis=0)  # (n_windows, F, size)
    return windows[::step].transpose(0, 2, 1)


def _lengths_before_padding(X: np.ndarray, pad_value: float | None) -> np.ndarray:
    """Lengths (n,) of the sequences in X (n, T) or (n, T, F) without the steps at their ends that are padding."""
    steps = X if X.ndim == 3 else X[:, :, np.newaxis]
    # NaN is the only value that differs from itself.
    is_data = (steps == steps if pad_value != pad_value else steps != pad_value).any(axis=2)
    empty = np.flatnonzero(~is_data.any(axis=1))
    if len(empty):
        raise ValueError(
            f"X[{empty[0]}] is nothing but padding ({pad_value}): every sequence needs at least one step. Leave it out."
        )
    return X.shape[1] - is_data[:, ::-1].argmax(axis=1)


def _check_lengths(lengths: Any) -> np.ndarray:
    """Return lengths as an array (n_sequences,) of positive integers."""
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or not len(lengths) or lengths.dtype.kind not in "iu":
        raise ValueError(
            f"lengths has shape {lengths.shape} and dtype {lengths.dtype}. Pass one integer for each sequence."
        )
    if lengths.min() < 1:
        i = int(lengths.argmin())
        raise ValueError(f"lengths[{i}] is {lengths[i]}: every sequence needs at least one step.")
    return lengths


def _key_column(df: Any, name: str) -> np.ndarray:
    """Values (n_rows,) of a column that must have no gaps."""
    column = df[name]
    missing = np.flatnonzero(column.isna() if hasattr(column, "isna") else column.is_null())
    if len(missing):
        raise ValueError(f"df[{name!r}] has a missing value in row {missing[0]}. Fill it, or drop these rows.")
    return column.to_numpy()


def _codes_by_appearance(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values of `keys` (n_rows,) in the order of first appearance, and the place of each key among them."""
    places: dict[Any, int] = {}
    codes = np.array([places.setdefault(key, len(places)) for key in keys.tolist()])
    first_rows = np.unique(codes, return_index=True)[1]
    return keys[first_rows], codes
