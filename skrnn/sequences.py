"""Sequences in and out: converters between layouts, and the validation that every estimator shares.

The one layout of skrnn is ``(n_sequences, n_steps, n_features)``, as an array or, when lengths differ, as a list of
arrays ``(n_steps_i, n_features)``. The converters bring other layouts into it. What they return never shares memory
with their input, except :func:`sliding_windows`, which says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skrnn.core.batches import PackedSequences, SequencesInPlace

__all__ = [
    "from_channels_first",
    "from_concatenated",
    "from_long_dataframe",
    "from_padded",
    "sliding_windows",
    "to_padded",
]

_SCALARS = (Number, np.generic, type(None))
_FLOATS = [np.float64, np.float32]
_SHAPES = "Pass arrays of shape (n_steps,) or (n_steps, n_features)."
_PADDING_HINT = "If NaN marks padding, cut it off with skrnn.sequences.from_padded(X, pad_value=np.nan)."

# What follows one of scikit-learn's own sentences about a 2-D X.
_HINTS = {
    "features as input.": "Pass a list of sequences to use other lengths.",
    "Input X contains NaN": _PADDING_HINT,
    "with a sequence": "If the cells of X hold whole sequences, pass a list of them.",
}


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
            raise ValueError(f"lengths has {len(lengths)} entries, but X has {_count(len(X), 'sequence')}.")
        if len(X) and lengths.max() > X.shape[1]:
            i = int(lengths.argmax())
            raise ValueError(f"lengths[{i}] is {lengths[i]}, but X has {_count(X.shape[1], 'step')}.")
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
    kind, data = _read(X)
    if kind == "2-D":
        data = check_array(data, dtype=_FLOATS, ensure_all_finite=False, input_name="X")[:, :, np.newaxis]
    sequences = _pack(data)
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
        raise ValueError(f"lengths sum to {lengths.sum()}, but X has {_count(len(X), 'row')}.")
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
        raise TypeError(f"df is {_describe(df)}. Pass a pandas or polars DataFrame.")
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
    features = np.column_stack([_as_numbers(df[name], f"df[{name!r}]") for name in columns])
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
            raise TypeError(f"{name} is {_describe(value)}. Pass an integer of at least 1.")
        if value < 1:
            raise ValueError(f"{name} is {value}. Pass an integer of at least 1.")
    if size > len(X):
        raise ValueError(f"size is {size}, but X has {_count(len(X), 'step')}. Pass a size of at most that.")
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


# Validation


def _validate_sequences(
    estimator: Any, X: Any, *, reset: bool, dtype: type | np.dtype | None = None, copy: bool = True
) -> PackedSequences:
    """Read what a user passes as X, or raise and leave the estimator as it was.

    Parameters
    ----------
    estimator : estimator instance
        With `reset`, gets ``n_features_in_`` (columns of a 2-D X, otherwise features per step), ``n_inputs_`` (features
        per step), ``_fitted_on_2d``, and ``feature_names_in_`` if X is a frame. Otherwise X is held against these.
    X : 2-D or 3-D array-like, or list of sequences
        2-D is n univariate sequences, 3-D is (n_sequences, n_steps, n_features).
    reset : bool
        True in `fit` and in the first `partial_fit`.
    dtype : dtype, default=None
        What to cast X to. None is float32 if all of X is float32, else float64.
    copy : bool, default=True
        False lets sequences of an array of that dtype lie where they are.

    Returns
    -------
    sequences : PackedSequences
        A copy of X, or in its place; finite.
    """
    kind, data = _read(X)
    container = PackedSequences if copy else SequencesInPlace
    with np.errstate(over="ignore"):  # a value too large for float32 becomes infinite, which is reported below
        if kind == "2-D":
            array = _check_2d(estimator, data, reset=reset, dtype=dtype)
            sequences = container.from_rectangle(array[:, :, np.newaxis])
        else:
            sequences = _pack(data, dtype, None if reset else estimator, container)
            _check_finite(sequences)
    if reset and kind == "2-D":
        validate_data(estimator, data, reset=True, skip_check_array=True)
    elif reset:
        estimator.n_features_in_ = sequences.n_features
        vars(estimator).pop("feature_names_in_", None)
    if reset:
        estimator.n_inputs_ = sequences.n_features
        estimator._fitted_on_2d = kind == "2-D"
    return sequences


def _read(X: Any) -> tuple[str, Any]:
    """Tell "2-D", "3-D" (an array) and "ragged" (a list of items) apart by the types of X and of its items.

    Never by whether NumPy can make one array of X: the sequences of a cross-validation fold may have equal lengths by
    chance.
    """
    if len(getattr(X, "shape", ())) == 2:  # arrays, frames, sparse matrices
        return "2-D", X
    if not isinstance(X, Sequence) or isinstance(X, (str, bytes)):
        if not hasattr(X, "__array__"):
            raise TypeError(f"X is {_describe(X)}. Pass an array or a list of sequences.")
        array = np.asarray(X)
        if array.ndim > 3:
            raise ValueError(
                f"X has {array.ndim} dimensions (shape {array.shape}), but skrnn expects (n_sequences, n_steps, "
                f"n_features). Flatten the features of each step with X.reshape({len(array)}, {array.shape[1]}, -1)."
            )
        if array.ndim > 1:
            return f"{array.ndim}-D", array
        if array.dtype != object:
            return "2-D", X  # numbers: scikit-learn asks to reshape them
        items = list(array)
    else:
        items = list(X)
    if not items:
        raise ValueError("X is empty: at least one sequence is needed.")
    types = set(map(type, items))
    is_flat = all(issubclass(kind, _SCALARS) for kind in types)
    if is_flat or (types <= {list, tuple} and _is_rectangle(items)):
        return "2-D", X
    return "ragged", items


def _is_rectangle(rows: list[Sequence]) -> bool:
    """Whether lists are rows of scalars of one length."""
    return len(set(map(len, rows))) == 1 and all(not row or isinstance(row[0], (str, *_SCALARS)) for row in rows)


def _check_2d(estimator: Any, X: Any, *, reset: bool, dtype: Any) -> np.ndarray:
    """scikit-learn's validation, with its sentences: array of shape (n_sequences, n_steps)."""
    dtype = _FLOATS if dtype is None else dtype
    try:
        if not reset and estimator._fitted_on_2d:
            return validate_data(estimator, X, reset=False, dtype=dtype)
        array = check_array(X, dtype=dtype, estimator=estimator, input_name="X")
    except ValueError as error:
        for sentence, hint in _HINTS.items():
            if sentence in str(error):
                raise ValueError(f"{error} {hint}") from None
        raise
    if not reset and estimator.n_inputs_ > 1:
        n = estimator.n_inputs_
        raise ValueError(
            f"X has 2 dimensions (shape {array.shape}), but {type(estimator).__name__} was fitted on sequences of {n} "
            f"features per step. Pass shape (n_sequences, n_steps, {n}), or a list of arrays of shape (n_steps, {n}); "
            "[X] if X is one sequence."
        )
    return array


def _pack(
    data: np.ndarray | list, dtype: Any = None, fitted: Any = None, container: type[PackedSequences] = PackedSequences
) -> PackedSequences:
    """Pack an array (n, T, F) or a list of items; the features must be those that `fitted` was fitted on."""
    if isinstance(data, np.ndarray):
        array = _check_3d(_as_numbers(data, "X"), fitted)
        array = array.astype(_choose_dtype([array], dtype), copy=False)
        return container.from_rectangle(array)
    arrays = [_as_sequence(item, i) for i, item in enumerate(data)]
    _check_widths(arrays, fitted)
    return PackedSequences.from_arrays(arrays, _choose_dtype(arrays, dtype))


def _choose_dtype(arrays: list[np.ndarray], dtype: Any) -> Any:
    """The given dtype; if None, float32 if all arrays are float32, else float64."""
    if dtype is not None:
        return dtype
    return np.float32 if {array.dtype for array in arrays} == {np.dtype(np.float32)} else np.float64


def _check_3d(X: np.ndarray, fitted: Any) -> np.ndarray:
    """Return X (n, T, F) if no axis is empty and F is what `fitted` knows."""
    n_sequences, n_steps, n_features = X.shape
    if not n_sequences:
        raise ValueError(f"X is empty (shape {X.shape}): at least one sequence is needed.")
    if not n_steps:
        raise ValueError(f"X has no steps (shape {X.shape}): every sequence needs at least one step.")
    if not n_features:
        raise ValueError(f"X has no features (shape {X.shape}): every step needs at least one feature.")
    if fitted is not None and n_features != fitted.n_inputs_:
        hint = (
            " skrnn expects (n_sequences, n_steps, n_features); if X is (n, channels, time) use X.transpose(0, 2, 1)."
        )
        raise ValueError(
            f"X has {_count(n_features, 'feature')} per step, but {type(fitted).__name__} is expecting "
            f"{_count(fitted.n_inputs_, 'feature')} per step as input (shape {X.shape})."
            + (hint if X.shape[1] == fitted.n_inputs_ else "")
        )
    return X


def _as_sequence(item: Any, i: int) -> np.ndarray:
    """Item i of X as a numeric array (n_steps, n_features), both at least 1."""
    is_numeric = type(item) is np.ndarray and item.dtype.kind in "fiub"
    array = item if is_numeric else _as_numbers(item, f"X[{i}]")
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim == 2 and array.size:
        return array
    if not array.ndim:
        raise TypeError(f"X[{i}] is a number ({array}), but every item of X must be a sequence. {_SHAPES}")
    if array.ndim > 2:
        raise ValueError(
            f"X[{i}] has {array.ndim} dimensions (shape {array.shape}), but a sequence has shape (n_steps, n_features)."
            f" Flatten the features of each step with X[{i}].reshape({len(array)}, -1)."
        )
    if not len(array):
        raise ValueError(f"X[{i}] is empty: every sequence needs at least one step.")
    raise ValueError(f"X[{i}] has no features (shape {array.shape}): every step needs at least one feature.")


def _as_numbers(data: Any, name: str) -> np.ndarray:
    """Whatever can be read as real numbers, as an array of any number of dimensions."""
    if issparse(data):
        raise TypeError(f"{name} is sparse, but dense data is required. Use '.toarray()' to convert it.")
    if data is None or isinstance(data, (str, bytes, Mapping)):
        raise TypeError(f"{name} is {_describe(data)}, but a sequence of numbers is needed. {_SHAPES}")
    try:
        array = np.asarray(data)
        if array.dtype == object:  # arrays of arrays, frames of several dtypes
            array = np.asarray(array.tolist())
        if array.dtype == object:  # None among numbers
            array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{name} cannot be read as an array of numbers: {str(error).rstrip('.')}. "
            "Every entry must be a number, every row as long as the first."
        ) from error
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}. Pass real numbers.")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {array.dtype}, but numbers are needed. One-hot encode categories.")
    return array


def _check_widths(arrays: list[np.ndarray], fitted: Any) -> None:
    """Raise unless all arrays have as many features as the fit, or as the first."""
    expected = arrays[0].shape[1] if fitted is None else fitted.n_inputs_
    if {array.shape[1] for array in arrays} == {expected}:
        return
    i, width = next((i, array.shape[1]) for i, array in enumerate(arrays) if array.shape[1] != expected)
    found = f"X[{i}] has {_count(width, 'feature')} per step"
    if fitted is not None:
        raise ValueError(
            f"{found}, but {type(fitted).__name__} was fitted on sequences of {expected}. "
            f"Pass arrays of shape (n_steps, {expected})."
        )
    hint = " If they are (channels, time), use skrnn.sequences.from_channels_first(X)."
    raise ValueError(
        f"{found}, X[0] has {expected}. All sequences need the same features."
        + (hint if len({len(array) for array in arrays}) == 1 else "")
    )


def _check_finite(sequences: PackedSequences) -> None:
    """Raise for NaN and infinity, and say where."""
    with np.errstate(all="ignore"):
        if np.isfinite(sequences.steps.sum()):  # needs no memory; what overflows is looked at again
            return
    finite = np.isfinite(sequences.steps)
    if finite.all():
        return
    row, feature = np.argwhere(~finite)[0]
    i = int(np.searchsorted(sequences.offsets, row, side="right")) - 1
    where = f"It is at step {row - sequences.offsets[i]}, feature {feature}."
    if np.isnan(sequences.steps[row, feature]):
        raise ValueError(f"Input X[{i}] contains NaN. {where} {_PADDING_HINT}")
    kind = sequences.steps.dtype
    raise ValueError(f"Input X[{i}] contains infinity or a value too large for {kind!r}. {where}")


def _describe(value: Any) -> str:
    """Say what a value is, without printing a long one."""
    if value is None:
        return "None"
    return f"a {type(value).__name__}" + (f" ({value!r:.30})" if isinstance(value, (str, int, float)) else "")


def _count(n: int, noun: str) -> str:
    """Say 1 feature, 2 features."""
    return f"{n} {noun}" + ("" if n == 1 else "s")
