"""The steps of all sequences as the rows of one table: numbers, text and categories, arrays and frames."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from .arrays import as_array, count
from .features import (
    as_sequence,
    check_2d_fits,
    check_3d,
    check_labels,
    check_names,
    check_names_of_sequences,
    check_widths,
    read_container,
    set_inputs,
    table_of,
)
from .numbers import items_of_steps
from .values import all_column_labels, library_of, reject_equal_columns


class Steps(NamedTuple):
    """The steps of n sequences, one sequence behind another."""

    rows: Any
    """Array (n_steps, n_features) of any dtype, or a frame; a copy."""
    lengths: np.ndarray
    """Number of steps of each sequence (n,)."""
    kind: str
    """What X is: "2-D", "3-D", "column" or "ragged"."""
    items: list[Any]
    """The sequences as they were passed, where X is ragged, or a column."""


def read_steps(X: Any, *, estimator: Any = None, reset: bool = False) -> Steps:
    """Read what a user passes as X; values are not looked at.

    With `reset`, sets on the estimator what :func:`validate_sequences` sets; otherwise X is held against it, if there
    is an estimator.
    """
    kind, data = read_container(X)
    fitted = None if reset else estimator
    is_new_table = fitted is not None and kind == "2-D" and fitted._fitted_on_2d
    reject_equal_columns(table_of(kind, data), "X" if kind == "2-D" else "X[0]")
    if kind == "2-D":
        array = as_array(data, "X")
        if is_new_table:
            check_names(fitted, data, "X", "X")
        options: dict[str, Any] = {"dtype": None, "ensure_all_finite": False, "copy": True}
        array = check_array(array, **options, estimator=estimator, input_name="X")
        if fitted is not None:
            check_2d_fits(fitted, array, "X")
        rows, lengths = array.reshape(-1, 1), np.full(len(array), array.shape[1])
    elif kind == "3-D":
        array = check_3d(data, fitted, "X")
        rows, lengths = array.reshape(-1, array.shape[2]).copy(), np.full(len(array), array.shape[1])
    else:
        rows, lengths = _join(data, fitted)
        if fitted is not None and not fitted._fitted_on_2d:
            check_names_of_sequences(fitted, data, "X")
    if reset:
        set_inputs(estimator, kind, data, 1 if kind == "2-D" else rows.shape[1])
    return Steps(rows, lengths, kind, data if kind in ("ragged", "column") else [])


def values_of_steps(values: Any, lengths: np.ndarray, name: str) -> np.ndarray:
    """Values for each step, one sequence behind another, of values for each sequence or for each of its steps."""
    items = items_of_steps(values, lengths, name)
    whole = np.atleast_1d(as_array(values, name, advice="Pass an array or a list.")) if items is None else items
    n = len(whole)
    if n != len(lengths):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {count(len(lengths), 'sequence')}, but "
            f"{name} has {count(n, 'entry', 'entries')}. Pass one for each sequence, or a list with those of its steps."
        )
    if items is None:
        return np.repeat(whole, lengths, axis=0)
    arrays = [as_array(item, f"{name}[{i}]") for i, item in enumerate(items)]
    for i, (array, length) in enumerate(zip(arrays, lengths.tolist(), strict=True)):
        n_values = len(array) if array.ndim else 1
        if n_values != length:
            raise ValueError(
                f"{name}[{i}] has {count(n_values, 'value')}, but X[{i}] has {count(length, 'step')}. Pass one for "
                "each step."
            )
    return np.concatenate(arrays)


def _join(items: list[Any], fitted: Any) -> tuple[Any, np.ndarray]:
    """Join sequences to an array or a frame; also the number of steps of each."""
    check_labels(items, "X")
    if all_column_labels(items[0]) is None:
        arrays = [as_sequence(item, f"X[{i}]", "X", _as_values) for i, item in enumerate(items)]
        check_widths(arrays, fitted, "X")
        kinds = {"number" if array.dtype.kind in "fiub" else array.dtype.kind for array in arrays}
        if len(kinds) > 1:  # NumPy would turn numbers beside text into text
            arrays = [array.astype(object) for array in arrays]
        return np.concatenate(arrays), np.array([len(array) for array in arrays])
    library = library_of(items[0])
    if library not in ("pandas", "polars", "pyarrow"):
        raise TypeError(f"X[0] is a frame of {library}. Pass frames of pandas, polars or pyarrow, or arrays.")
    check_widths(items, fitted, "X")
    for i, item in enumerate(items):
        if library_of(item) != library:
            raise TypeError(f"X[{i}] is of {library_of(item)}, but X[0] is a frame of {library}. Pass frames of one.")
        if not len(item) or not item.shape[1]:
            raise ValueError(f"X[{i}] has shape {item.shape}: every sequence needs at least one step and one feature.")
    try:
        return _concatenate_frames(items, import_module(library)), np.array([len(item) for item in items])
    except Exception as error:
        raise ValueError(
            f"The frames in X cannot be joined: {str(error).rstrip('.')}. Give each column one dtype, with the same "
            "categories in one order."
        ) from error


def _as_values(item: Any, name: str) -> np.ndarray:
    """A sequence as an array of the dtype that it has; a text is the sequence of its characters."""
    item = list(item) if isinstance(item, str) else item
    array = as_array(item, name)
    return np.asarray(item, dtype=object) if array.dtype.kind == "U" and not hasattr(item, "dtype") else array


def _concatenate_frames(frames: list[Any], library: Any) -> Any:
    """Frames below each other."""
    if library.__name__ == "polars":
        dtypes = [{frame[label].dtype for frame in frames} - {library.Null} for label in frames[0].columns]
        are_numbers = [all(dtype.is_numeric() for dtype in of_column) for of_column in dtypes if len(of_column) > 1]
        return library.concat(frames, how="vertical_relaxed" if all(are_numbers) else "vertical")
    if library.__name__ == "pyarrow":
        return library.concat_tables(frames, promote_options="permissive")
    joined = library.concat(frames, ignore_index=True)
    for label in joined.columns:  # pandas forgets that they are categories, where not all frames have the same
        columns = [frame[label] for frame in frames]
        is_lost = not isinstance(joined[label].dtype, library.CategoricalDtype)
        if is_lost and all(isinstance(column.dtype, library.CategoricalDtype) for column in columns):
            joined[label] = library.api.types.union_categoricals(columns)
    return joined
