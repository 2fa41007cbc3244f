"""What every estimator does with X: containers told apart, numbers read and checked, messages that say where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skrnn.core.batches import PackedSequences, SequencesInPlace

_SCALARS = (Number, np.generic, type(None))
FLOATS = [np.float64, np.float32]
_SHAPES = "Pass arrays of shape (n_steps,) or (n_steps, n_features)."
_PADDING_HINT = "If NaN marks padding, cut it off with skrnn.sequences.from_padded(X, pad_value=np.nan)."

# What follows one of scikit-learn's own sentences about a 2-D X.
_HINTS = {
    "features as input.": "Pass a list of sequences to use other lengths.",
    "Input X contains NaN": _PADDING_HINT,
    "with a sequence": "If the cells of X hold whole sequences, pass a list of them.",
}


def validate_sequences(
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
    kind, data = read_container(X)
    container = PackedSequences if copy else SequencesInPlace
    with np.errstate(over="ignore"):  # a value too large for float32 becomes infinite, which is reported below
        if kind == "2-D":
            array = _check_2d(estimator, data, reset=reset, dtype=dtype)
            sequences = container.from_rectangle(array[:, :, np.newaxis])
        else:
            sequences = pack(data, dtype, None if reset else estimator, container)
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


def read_container(X: Any) -> tuple[str, Any]:
    """Tell "2-D", "3-D" (an array) and "ragged" (a list of items) apart by the types of X and of its items.

    Never by whether NumPy can make one array of X: the sequences of a cross-validation fold may have equal lengths by
    chance.
    """
    if len(getattr(X, "shape", ())) == 2:  # arrays, frames, sparse matrices
        return "2-D", X
    if not isinstance(X, Sequence) or isinstance(X, (str, bytes)):
        if not hasattr(X, "__array__"):
            raise TypeError(f"X is {describe(X)}. Pass an array or a list of sequences.")
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
    dtype = FLOATS if dtype is None else dtype
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


def pack(
    data: np.ndarray | list, dtype: Any = None, fitted: Any = None, container: type[PackedSequences] = PackedSequences
) -> PackedSequences:
    """Pack an array (n, T, F) or a list of items; the features must be those that `fitted` was fitted on."""
    if isinstance(data, np.ndarray):
        array = _check_3d(as_numbers(data, "X"), fitted)
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
            f"X has {count(n_features, 'feature')} per step, but {type(fitted).__name__} is expecting "
            f"{count(fitted.n_inputs_, 'feature')} per step as input (shape {X.shape})."
            + (hint if X.shape[1] == fitted.n_inputs_ else "")
        )
    return X


def _as_sequence(item: Any, i: int) -> np.ndarray:
    """Item i of X as a numeric array (n_steps, n_features), both at least 1."""
    is_numeric = type(item) is np.ndarray and item.dtype.kind in "fiub"
    array = item if is_numeric else as_numbers(item, f"X[{i}]")
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


def as_numbers(data: Any, name: str) -> np.ndarray:
    """Whatever can be read as real numbers, as an array of any number of dimensions."""
    if issparse(data):
        raise TypeError(f"{name} is sparse, but dense data is required. Use '.toarray()' to convert it.")
    if data is None or isinstance(data, (str, bytes, Mapping)):
        raise TypeError(f"{name} is {describe(data)}, but a sequence of numbers is needed. {_SHAPES}")
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
    found = f"X[{i}] has {count(width, 'feature')} per step"
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


def describe(value: Any) -> str:
    """Say what a value is, without printing a long one."""
    if value is None:
        return "None"
    return f"a {type(value).__name__}" + (f" ({value!r:.30})" if isinstance(value, (str, int, float)) else "")


def count(n: int, noun: str) -> str:
    """Say 1 feature, 2 features."""
    return f"{n} {noun}" + ("" if n == 1 else "s")
