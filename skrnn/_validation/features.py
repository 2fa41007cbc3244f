"""What every estimator does with X: containers told apart, numbers packed and checked, messages that say where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._floating_point import without_warnings
from .._warnings import warn_caller
from ..core.data.sequences import FeatureSequences, PackedSequences, SequencesInPlace
from .arrays import SHAPES, as_array, as_numbers, count, describe, is_ragged, reject_masked
from .sequence_column import SequenceColumn, as_column, is_fitted_on_column, learn_column
from .values import column_labels, reject_equal_columns, shown_all

_SCALARS = (Number, np.generic, type(None))


@without_warnings
def validate_sequences(
    estimator: Any,
    X: Any,
    *,
    reset: bool,
    dtype: type | np.dtype | None = None,
    copy: bool = True,
    name: str = "X",
    allow_nan: bool = False,
) -> FeatureSequences:
    """Read what a user passes as X, or raise and leave the estimator as it was.

    Parameters
    ----------
    estimator : estimator instance
        With `reset`, gets ``n_features_in_`` (columns of a 2-D X, otherwise features per step), ``n_inputs_`` (features
        per step), ``_fitted_on_2d``, ``_fitted_on_column``, and ``feature_names_in_`` if X is a frame or a list of
        frames. Otherwise X is held against these.
    X : 2-D or 3-D array-like, or list of sequences
        2-D is n univariate sequences, unless it is one column of sequences; 3-D is (n_sequences, n_steps, n_features).
    reset : bool
        True in `fit` and in the first `partial_fit`.
    dtype : dtype, default=None
        What to cast X to. None is float32 if all of X is float32, else float64.
    copy : bool, default=True
        False lets sequences of an array of that dtype lie where they are.
    name : str, default="X"
        What messages call X.
    allow_nan : bool, default=False
        Whether NaN is let through.

    Returns
    -------
    sequences : FeatureSequences
        A copy of X, or in its place; finite, but for NaN where it is allowed.
    """
    kind, data = read_container(X, name)
    container: type[FeatureSequences] = PackedSequences if copy else SequencesInPlace
    table = table_of(kind, data)
    reject_equal_columns(table, name if kind == "2-D" else f"{name}[0]")
    if kind == "2-D":
        array = _check_2d(estimator, data, name, reset=reset, dtype=dtype)
        sequences = container.from_rectangle(array[:, :, np.newaxis])
        _check_finite(sequences, name, allow_nan, is_table=True)
    else:
        sequences = pack(data, dtype, None if reset else estimator, container, name)
        if not reset and not estimator._fitted_on_2d:  # names of a 2-D X are those of its steps
            check_names_of_sequences(estimator, data, name)
        _check_finite(sequences, name, allow_nan)
    if reset:
        set_inputs(estimator, kind, data, sequences.n_features)
    return sequences


def set_inputs(estimator: Any, kind: str, data: Any, n_inputs: int) -> None:
    """Set what a fit finds out about X, of that kind and with those data."""
    table = table_of(kind, data)
    if kind == "2-D" or column_labels(table):
        validate_data(estimator, table, reset=True, skip_check_array=True)
    else:
        estimator.n_features_in_ = n_inputs
        vars(estimator).pop("feature_names_in_", None)
    learn_column(estimator, data)
    estimator.n_inputs_ = n_inputs
    estimator._fitted_on_2d = kind == "2-D"


def table_of(kind: str, data: Any) -> Any:
    """Return what may have names of features, or of steps: X itself if it is 2-D, the first item of a list."""
    return data if kind == "2-D" else None if kind == "3-D" else data[0]


def read_container(X: Any, name: str = "X") -> tuple[str, Any]:
    """Tell "2-D", "3-D" (an array), "column" and "ragged" (lists of items) apart by the types of X and of its items.

    Never by whether NumPy can make one array of X: the sequences of a cross-validation fold may have equal lengths by
    chance.
    """
    X = as_column(X, name)
    if isinstance(X, SequenceColumn):
        return "column", X
    if len(getattr(X, "shape", ())) == 2:  # arrays, frames, sparse matrices
        return "2-D", X
    if not isinstance(X, Sequence) or isinstance(X, (str, bytes)):
        if not hasattr(X, "__array__"):
            advice = f" If its values are the sequences, pass list({name}.values())." if isinstance(X, Mapping) else ""
            raise TypeError(f"{name} is {describe(X)}. Pass an array or a list of sequences.{advice}")
        reject_masked(X, name)
        array = as_array(X, name)
        if array.ndim > 3:
            raise ValueError(
                f"{name} has {array.ndim} dimensions (shape {array.shape}), but skrnn expects (n_sequences, n_steps, "
                f"n_features). Flatten the features of each step with "
                f"{name}.reshape({len(array)}, {array.shape[1]}, -1)."
            )
        if array.ndim > 1:
            return f"{array.ndim}-D", array
        if array.dtype != object:
            return "2-D", X  # numbers, which are no table: they are to be reshaped
        if not array.ndim:
            raise TypeError(f"{name} is {describe(array[()])}. Pass an array or a list of sequences.")
        items = list(array)
    else:
        items = list(X)
    if not items:
        raise ValueError(f"{name} is empty: at least one sequence is needed.")
    types = set(map(type, items))
    is_flat = all(issubclass(kind, _SCALARS) for kind in types)
    if is_flat or (types <= {list, tuple} and _is_rectangle(items)):
        return "2-D", X
    return "ragged", items


def _is_rectangle(rows: list[Sequence]) -> bool:
    """Whether lists are rows of scalars of one length."""
    return len(set(map(len, rows))) == 1 and all(not row or isinstance(row[0], (str, *_SCALARS)) for row in rows)


def _check_2d(estimator: Any, X: Any, name: str, *, reset: bool, dtype: Any) -> np.ndarray:
    """scikit-learn's validation, with its sentences: array of shape (n_sequences, n_steps)."""
    if not reset and estimator._fitted_on_2d:
        check_names(estimator, X, name, name)
    array = read_2d(X, name)
    dtype = _choose_dtype([array], dtype)
    array = check_array(array, dtype=dtype, estimator=estimator, ensure_all_finite=False, input_name=name)
    if not reset:
        check_2d_fits(estimator, array, name)
    return array


def check_2d_fits(estimator: Any, array: np.ndarray, name: str) -> None:
    """Raise where a table (n_sequences, n_steps) has not the shape that the estimator knows."""
    if estimator._fitted_on_2d and array.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"{name} has {array.shape[1]} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input. To use other lengths, pass a list of arrays: "
            f"[np.asarray(x) for x in {name}]."
        )
    n = estimator.n_inputs_
    if n > 1:
        raise ValueError(
            f"{name} has 2 dimensions (shape {array.shape}), but {type(estimator).__name__} was fitted on sequences of "
            f"{n} features per step. Pass shape (n_sequences, n_steps, {n}), or a list of arrays of shape "
            f"(n_steps, {n}); [{name}] if {name} is one sequence."
        )


def read_2d(X: Any, name: str) -> np.ndarray:
    """Numbers of shape (n_sequences, n_steps) from what `read_container` calls 2-D."""
    if issparse(X):
        check_array(X, input_name=name)  # raises
    advice = f"If the cells of {name} hold whole sequences, pass a list of them, or one column."
    try:
        array = as_numbers(X, name)
    except ValueError as error:
        raise ValueError(f"{error} {advice}" if is_ragged(X) else str(error)) from error
    if array.ndim > 2:
        raise ValueError(f"{name} is a table, but has shape {array.shape} as an array. {advice}")
    if array.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {'1D' if array.ndim else 'scalar'} array instead (shape {array.shape}). Reshape "
            f"your data: pass [{name}] if it is one sequence, np.reshape({name}, (-1, 1)) if each number is a sequence "
            "of one step."
        )
    return array


def pack(
    data: np.ndarray | list,
    dtype: Any = None,
    fitted: Any = None,
    container: type[FeatureSequences] = PackedSequences,
    name: str = "X",
) -> FeatureSequences:
    """Pack an array (n, T, F) or a list of items; the features must be those that `fitted` was fitted on."""
    if isinstance(data, np.ndarray):
        array = check_3d(as_numbers(data, name), fitted, name)
        array = array.astype(_choose_dtype([array], dtype), copy=False)
        return container.from_rectangle(array)
    arrays = [as_sequence(item, f"{name}[{i}]", name) for i, item in enumerate(data)]
    check_widths(arrays, fitted, name)
    check_labels(data, name)
    return PackedSequences.from_arrays(arrays, _choose_dtype(arrays, dtype))


def _choose_dtype(arrays: list[np.ndarray], dtype: Any = None) -> Any:
    """The given dtype; if None, float32 if all arrays are float32 of any byte order, else float64."""
    if dtype is not None:
        return dtype
    is_single = all(dtype.newbyteorder("=") == np.float32 for dtype in {array.dtype for array in arrays})
    return np.float32 if is_single else np.float64


def check_3d(X: np.ndarray, fitted: Any, name: str) -> np.ndarray:
    """Return X (n, T, F) if no axis is empty and F is what `fitted` knows."""
    n_sequences, n_steps, n_features = X.shape
    if not n_sequences:
        raise ValueError(f"{name} is empty (shape {X.shape}): at least one sequence is needed.")
    if not n_steps:
        raise ValueError(f"{name} has no steps (shape {X.shape}): every sequence needs at least one step.")
    if not n_features:
        raise ValueError(f"{name} has no features (shape {X.shape}): every step needs at least one feature.")
    if fitted is not None and n_features != fitted.n_inputs_:
        hint = (
            f" skrnn expects (n_sequences, n_steps, n_features); if {name} is (n, channels, time) use "
            f"{name}.transpose(0, 2, 1)."
        )
        raise ValueError(
            f"{name} has {count(n_features, 'feature')} per step, but {type(fitted).__name__} is expecting "
            f"{count(fitted.n_inputs_, 'feature')} per step as input (shape {X.shape})."
            + (hint if X.shape[1] == fitted.n_inputs_ else "")
        )
    return X


def as_sequence(item: Any, name: str, X: str, read: Callable[[Any, str], np.ndarray] = as_numbers) -> np.ndarray:
    """An item of X as an array (n_steps, n_features), both at least 1, of what `read` makes of it."""
    is_numeric = type(item) is np.ndarray and item.dtype.kind in "fiub"
    array = item if is_numeric else read(item, name)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim == 2 and array.size:
        return array
    if not array.ndim:
        raise TypeError(f"{name} is a number ({array}), but every item of {X} must be a sequence. {SHAPES}")
    if array.ndim > 2:
        raise ValueError(
            f"{name} has {array.ndim} dimensions (shape {array.shape}), but a sequence has shape (n_steps, "
            f"n_features). Flatten the features of each step with {name}.reshape({len(array)}, -1)."
        )
    if not len(array):
        raise ValueError(f"{name} is empty: every sequence needs at least one step.")
    raise ValueError(f"{name} has no features (shape {array.shape}): every step needs at least one feature.")


def check_widths(arrays: list[np.ndarray], fitted: Any, name: str) -> None:
    """Raise unless all arrays have as many features as the fit, or as the first."""
    expected = arrays[0].shape[1] if fitted is None else fitted.n_inputs_
    if {array.shape[1] for array in arrays} == {expected}:
        return
    i, width = next((i, array.shape[1]) for i, array in enumerate(arrays) if array.shape[1] != expected)
    found = f"{name}[{i}] has {count(width, 'feature')} per step"
    if fitted is not None:
        raise ValueError(
            f"{found}, but {type(fitted).__name__} was fitted on sequences of {expected}. "
            f"Pass arrays of shape (n_steps, {expected})."
        )
    hint = f" If they are (channels, time), use skrnn.sequences.from_channels_first({name})."
    raise ValueError(
        f"{found}, {name}[0] has {expected}. All sequences need the same features."
        + (hint if len({len(array) for array in arrays}) == 1 else "")
    )


def check_labels(items: list, name: str) -> None:
    """Raise unless all items are frames of the same columns in the same order, or none has column names."""
    if not any(hasattr(kind, "columns") or hasattr(kind, "column_names") for kind in set(map(type, items))):
        return
    first = column_labels(items[0])
    for i, item in enumerate(items):
        labels = column_labels(item)
        if labels == first:
            continue
        found, expected = (
            "no column names" if names is None else f"the columns {shown_all(names)}" for names in (labels, first)
        )
        raise ValueError(
            f"{name}[{i}] has {found}, {name}[0] has {expected}. All sequences need the same, in one order: "
            + (
                "pass frames only, or arrays only."
                if labels is None or first is None
                else f"pass {name}[{i}][columns]."
            )
        )


def check_names_of_sequences(estimator: Any, items: Any, name: str) -> None:
    """Hold the names of the features of steps, or that of a column of sequences, against those of the fit."""
    if is_fitted_on_column(estimator) and isinstance(items, SequenceColumn):
        check_names(estimator, items.table, name, name)
    else:
        check_names(estimator, items[0], name, f"{name}[0]", has_names=not is_fitted_on_column(estimator))


def check_names(estimator: Any, table: Any, name: str, table_name: str, *, has_names: bool = True) -> None:
    """Hold the column names of a table against those of the fit, in scikit-learn's words.

    `has_names` says whether the names that the fit saw, if any, are of such tables.
    """
    fitted, labels = getattr(estimator, "feature_names_in_", None) if has_names else None, column_labels(table)
    is_named = labels is not None and any(isinstance(label, str) for label in labels)
    if fitted is None and is_named:
        warn_caller(f"{name} has feature names, but {type(estimator).__name__} was fitted without feature names")
    elif fitted is not None and not is_named:
        warn_caller(
            f"{name} does not have valid feature names, but {type(estimator).__name__} was fitted with feature names"
        )
    elif fitted is not None and labels != list(fitted):
        try:
            validate_data(estimator, table, reset=False, skip_check_array=True)
        except ValueError as error:
            if table_name == "X":
                raise
            raise ValueError(f"{str(error).rstrip()}\nThese are the columns of {table_name}.") from None


def _check_finite(sequences: FeatureSequences, name: str, allow_nan: bool, *, is_table: bool = False) -> None:
    """Raise for NaN, unless it is allowed, and infinity, and say where."""
    place = find_not_finite(sequences, allow_nan)
    if place is None:
        return
    i, step, feature, value = place
    where = f"It is in row {i}, column {step}." if is_table else f"It is at step {step}, feature {feature}."
    name_of_item = name if is_table else f"{name}[{i}]"
    if np.isnan(value):
        hint = (
            f"If NaN marks padding, cut it off with skrnn.sequences.from_padded({name}, pad_value=np.nan). "
            "If values are missing, fill them, for example with skrnn.preprocessing.SequenceImputer."
        )
        raise ValueError(f"Input {name_of_item} contains NaN. {where} {hint}")
    dtype = sequences.steps.dtype
    raise ValueError(f"Input {name_of_item} contains infinity or a value too large for {dtype!r}. {where}")


@without_warnings
def find_not_finite(sequences: FeatureSequences, allow_nan: bool = False) -> tuple[int, int, int, float] | None:
    """Sequence, step, feature and value of the first number that is not finite, nor NaN where that is allowed."""
    if np.isfinite(sequences.steps.sum()):  # needs no memory; what overflows is looked at again
        return None
    finite = ~np.isinf(sequences.steps) if allow_nan else np.isfinite(sequences.steps)
    if finite.all():
        return None
    row, feature = np.argwhere(~finite)[0]
    i = int(np.searchsorted(sequences.offsets, row, side="right")) - 1
    return i, int(row - sequences.offsets[i]), int(feature), float(sequences.steps[row, feature])
