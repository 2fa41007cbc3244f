"""Sequences in and out: converters between layouts.

The one layout of skrnn is ``(n_sequences, n_steps, n_features)``, as an array or, when lengths differ, as a list of
arrays ``(n_steps_i, n_features)``. The converters bring other layouts into it. What they return never shares memory
with their input, except :func:`sliding_windows`, which says so.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skrnn._floating_point import without_warnings
from skrnn._validation.arrays import (
    as_array,
    as_numbers,
    count,
    describe,
    from_columns,
    is_masked,
    reject_masked,
    shorten,
)
from skrnn._validation.columns import check_columns, check_is_name, codes_by_appearance, feature_column, sorted_rows
from skrnn._validation.features import pack, read_2d, read_container
from skrnn._validation.values import exact_array, plain_values, shown

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
        The sequences, each padded at its end. In a masked array, or a list of them, the mask says what is padding, and
        neither `lengths` nor `pad_value` is passed.
    lengths : array-like of int of shape (n_sequences,), default=None
        Number of steps of each sequence, from 1 to n_steps.
    pad_value : float, default=None
        What the padding is filled with; NaN is possible. A step is padding if all its features equal `pad_value`, as
        X's dtype holds it, and all later steps are padding, too: the same value within a sequence is data. Pass
        `lengths` where a sequence may really end with this value.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features) or (n_steps_i,)
        Copies, of X's dtype.

    Raises
    ------
    TypeError
        If not exactly one of `lengths`, `pad_value` and a mask is given, or X is no array.
    ValueError
        If X has not two or three dimensions, `lengths` does not fit X, X's dtype cannot hold `pad_value`, X equals it
        in float32 only, entries before the padding are masked, or a sequence is nothing but padding.

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
    items = X if isinstance(X, (list, tuple)) else [X]
    is_told_by_masks = any(isinstance(item, np.ma.MaskedArray) for item in items) and getattr(X, "shape", None) != ()
    if lengths is None and pad_value is None and is_told_by_masks:
        return [_cut_masked_end(x, f"X[{i}]") for i, x in enumerate(X)]
    if is_masked(X):
        raise TypeError("X is masked, and its mask says what is padding. Pass neither lengths nor pad_value.")
    if (lengths is None) == (pad_value is None):
        raise TypeError("from_padded needs lengths or pad_value, one of the two.")
    X = _as_data(X, "X")
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
        longest = max(lengths)
        if longest > X.shape[1]:
            raise ValueError(f"lengths[{lengths.index(longest)}] is {longest}, but X has {count(X.shape[1], 'step')}.")
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
        If X or an item of X is empty, holds no numbers, if the items differ in their features, or if the dtype cannot
        hold `pad_value`.

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
    padded = np.full(shape, _as_pad_value(pad_value, sequences.steps.dtype))
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
    X, lengths = _as_data(X, "X"), _check_lengths(lengths)
    if X.ndim not in (1, 2):
        raise ValueError(
            f"X has shape {X.shape}, but concatenated sequences have shape (n_rows, n_features) or (n_rows,)."
        )
    total = sum(lengths)
    if total != len(X):
        raise ValueError(f"lengths sum to {total}, but X has {count(len(X), 'row')}.")
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
        keep it. Ordered categories (pandas' ordered Categorical, polars' Enum) are sorted in their own order, text
        character by character.
    columns : str or list of str, default=None
        Columns that hold the features; `order` may be one of them. By default all others.

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
        If `df` is no table, `columns` no list of names, `sequence` has values that cannot be told apart, `order` has
        values that cannot be sorted, or a feature column does not hold numbers.
    ValueError
        If a column does not exist, or exists or is named twice; `df` has no rows or no feature columns; values of
        `sequence` or `order` are missing, or, other than as NaN, values of a feature; `order` has categories without an
        order; or a feature column does not hold numbers.

    Warns
    -----
    UserWarning
        If `order` is text that sorts otherwise than the numbers in it: "10" before "9".

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
    if not (hasattr(df, "to_numpy") and hasattr(df, "columns")):
        raise TypeError(f"df is {describe(df)}. Pass a pandas or polars DataFrame.")
    check_is_name(sequence, "sequence")
    check_is_name(order, "order")
    if columns is None:
        columns = [name for name in df.columns if name not in (sequence, order)]
    if isinstance(columns, (Set, Mapping)) or not isinstance(columns, Iterable):
        raise TypeError(f"columns is {describe(columns)}. Pass the name of a column, or a list of names.")
    columns = [columns] if isinstance(columns, str) else list(columns)
    check_columns(df, sequence, order, columns)
    if not columns or not len(df):
        raise ValueError(f"df has {len(df)} rows and {len(columns)} feature columns. At least one of each is needed.")
    ids, codes = codes_by_appearance(df, sequence)
    rows = np.arange(len(df)) if order is None else sorted_rows(df, order)
    rows = rows[np.argsort(codes[rows], kind="stable")]
    features = from_columns([feature_column(df, name) for name in columns])
    return from_concatenated(features[rows], np.bincount(codes)), ids


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
    is_list = isinstance(X, Sequence) and not isinstance(X, (str, bytes))
    if is_list or getattr(X, "dtype", None) == np.dtype(object):
        if not len(X):
            raise ValueError("X is empty: at least one sequence is needed.")
        return [_channels_last(item, i) for i, item in enumerate(X)]
    array = _as_data(X, "X")
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
    array = _as_data(item, f"X[{i}]")
    if array.ndim != 2:
        raise ValueError(f"X[{i}] has shape {array.shape}, but (n_channels, n_steps) is needed.")
    return array.T.copy()


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
    X, size, step = _as_data(X, "X"), _as_positive_integer(size, "size"), _as_positive_integer(step, "step")
    if X.ndim not in (1, 2):
        raise ValueError(f"X has shape {X.shape}, but one recording has shape (n_steps, n_features) or (n_steps,).")
    if size > len(X):
        raise ValueError(f"size is {shown(size)}, but X has {count(len(X), 'step')}. Pass a size of at most that.")
    steps = X if X.ndim == 2 else X[:, np.newaxis]
    windows = np.lib.stride_tricks.sliding_window_view(steps, size, axis=0)  # (n_windows, F, size)
    return windows[::step].transpose(0, 2, 1)


def _as_data(X: Any, name: str) -> np.ndarray:
    """X as an array of its own dtype; Python objects become numbers unless all of them are text."""
    array = as_array(X, name)
    if array.dtype.kind == "U" and not hasattr(X, "dtype"):  # NumPy turns numbers into text, and drops NULs at the end
        array = _array_of_texts(X, name)
    is_object = array.dtype == object and not all(isinstance(value, str) for value in array.ravel().tolist())
    return as_numbers(X, name) if is_object or array.dtype.kind == "V" else array


def _array_of_texts(X: Any, name: str) -> np.ndarray:
    """Nested lists of texts as an array that holds every character."""
    array = np.asarray(X, dtype=object)
    values = array.ravel().tolist()
    other = next((value for value in values if not isinstance(value, str)), None)
    if other is not None:
        raise ValueError(f"{name} mixes text with {describe(other)}. Convert the entries to one type.")
    return exact_array(plain_values(values, lambda i: name)).reshape(array.shape)


def _as_positive_integer(value: Any, name: str) -> int:
    """An integer of Python's or NumPy's as Python's, which does not overflow."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} is {describe(value)}. Pass an integer of at least 1.")
    if number < 1:
        raise ValueError(f"{name} is {shown(number)}. Pass an integer of at least 1.")
    return number


def _lengths_before_padding(X: np.ndarray, pad_value: Any) -> np.ndarray:
    """Lengths (n,) of the sequences in X (n, T) or (n, T, F) without the steps at their ends that are padding."""
    steps = X if X.ndim == 3 else X[:, :, np.newaxis]
    value = _as_pad_value(pad_value, X.dtype)
    # NaN is the only value that differs from itself.
    is_data = (steps == steps if value != value else steps != value).any(axis=2)
    empty = np.flatnonzero(~is_data.any(axis=1))
    if len(empty):
        raise ValueError(
            f"X[{empty[0]}] is nothing but padding ({shorten(str(value))}): every sequence needs at least one step. "
            "Leave it out."
        )
    if X.dtype == np.float64:
        _check_single_precision(steps[:, -1], value, pad_value)
    return X.shape[1] - is_data[:, ::-1].argmax(axis=1)


@without_warnings
def _check_single_precision(ends: np.ndarray, value: float, pad_value: Any) -> None:
    """Raise where last steps (n, F) equal the padding in float32 only: one of the two was rounded."""
    single = np.float32(value)
    is_rounded = (ends != value) & (ends.astype(np.float32) == single)
    if is_rounded.any() and (value != single or isinstance(pad_value, np.float32)):
        i, feature = np.argwhere(is_rounded)[0]
        raise ValueError(
            f"X[{i}] ends in {ends[i, feature]}, which equals pad_value={value} in float32 only. Pass "
            f"pad_value={ends[i, feature]} or lengths."
        )


@without_warnings
def _as_pad_value(pad_value: Any, dtype: np.dtype) -> Any:
    """The padding as a dtype holds it; raises where nothing of that dtype can be equal to it."""
    if dtype.kind in "mMV":
        raise TypeError(f"X has dtype {shorten(str(dtype))}, with which no pad_value is compared. Pass lengths.")
    is_text = dtype.kind not in "fciub"
    is_scalar = isinstance(pad_value, (str, Number, np.generic)) or (
        type(pad_value) is np.ndarray and not pad_value.ndim
    )
    if not is_scalar or isinstance(pad_value, str) != is_text:
        raise TypeError(f"pad_value is {describe(pad_value)}. Pass {'text, as in X' if is_text else 'a number'}.")
    if is_text:
        return pad_value
    try:
        value = np.asarray(pad_value).astype(dtype)[()]
        is_held = value != value if pad_value != pad_value else dtype.kind in "fc" or value == pad_value
        is_held = is_held and bool(np.isfinite(value) or not np.isfinite(complex(pad_value)))
    except (OverflowError, TypeError, ValueError):
        is_held = False
    if not is_held:
        raise ValueError(
            f"pad_value is {describe(pad_value)}, which {dtype} cannot hold. Pass a value that X can have."
        )
    return value


def _cut_masked_end(x: Any, name: str) -> np.ndarray:
    """Steps (n_steps, n_features) or (n_steps,) before those at the end that are masked."""
    steps = _as_data(np.ma.getdata(x), name)
    if steps.ndim not in (1, 2):
        raise ValueError(
            f"{name} has shape {steps.shape}, but a sequence has shape (n_steps, n_features) or (n_steps,)."
        )
    mask: Any = np.ma.getmaskarray(x)
    if mask.ndim == 1:
        mask = mask[:, np.newaxis]
    length = 0 if mask.all() else len(steps) - int(mask.all(axis=1)[::-1].argmin())
    if not length:
        raise ValueError(
            f"{name} is nothing but padding (masked): every sequence needs at least one step. Leave it out."
        )
    gaps = np.flatnonzero(mask[:length].any(axis=1))
    if len(gaps):
        raise ValueError(
            f"{name} has masked entries at step {gaps[0]}, before its padding. Fill the gaps, then pass lengths."
        )
    return steps[:length].copy()


def _check_lengths(lengths: Any) -> list[int]:
    """Return lengths as a list of positive integers of Python's, whose sum is exact."""
    reject_masked(lengths, "lengths", "Pass one integer for each sequence.")
    try:
        array = np.asarray(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"lengths cannot be read as an array: {shorten(str(error), 200)}. Pass one integer for each sequence."
        ) from error
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu":
        raise ValueError(
            f"lengths has shape {array.shape} and dtype {array.dtype}. Pass one integer for each sequence."
        )
    values = array.tolist()
    if min(values) < 1:
        i = int(array.argmin())
        raise ValueError(f"lengths[{i}] is {values[i]}: every sequence needs at least one step.")
    return values
