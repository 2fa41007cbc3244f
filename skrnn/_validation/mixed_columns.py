"""Columns of categories beside columns of numbers, in the steps of each sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .sequence_column import with_cells
from .values import all_column_labels, as_list, is_categorical, shown, shown_all


def categorical_columns(X: Any, categorical_features: Any) -> dict[Any, int]:
    """Return the columns of X that hold categories, by label or index, and their places; none where there are none.

    "from_dtype" looks at the first of a list of frames; others name columns of frames, or count those of arrays, or say
    of each column whether it is one.
    """
    is_table = len(getattr(X, "shape", ())) == 2
    if is_table:
        check_none_named(categorical_features, "X is a table, whose columns are steps")
    items = X if isinstance(X, (list, tuple, np.ndarray)) else as_list(X) if hasattr(X, "to_list") else ()
    if categorical_features is None or is_table or not len(items):
        return {}
    labels = all_column_labels(items[0])
    if labels and len(set(labels)) < len(labels):
        return {}  # equal labels are refused where X is read
    if isinstance(categorical_features, str):
        return {label: k for k, label in enumerate(labels or ()) if holds_categories(items, label)}
    columns = as_list(categorical_features)
    known = labels or list(range(np.shape(items[0])[1] if np.ndim(items[0]) == 2 else 1))
    if columns and all(isinstance(column, bool) for column in columns):
        if len(columns) != len(known):
            raise ValueError(
                f"categorical_features says of {len(columns)} columns whether they are categories, but X[0] has "
                f"{len(known)}. Say it of each, or name the columns."
            )
        columns = [column for column, is_categorical in zip(known, columns, strict=True) if is_categorical]
    for column in columns:
        if column not in known:
            raise ValueError(
                f"categorical_features holds {shown(column)}, but the columns of X[0] are {shown_all(known)}. Name "
                "some of these."
            )
        if columns.count(column) > 1:
            raise ValueError(f"categorical_features holds {shown(column)} twice. Name each column once.")
    return {column: known.index(column) for column in columns}


def check_none_named(categorical_features: Any, reason: str) -> None:
    """Raise where columns are named although there are none, for a `reason`."""
    if categorical_features is not None and not isinstance(categorical_features, str):
        raise ValueError(
            f"categorical_features names columns, but {reason}. Use categorical_features=None, or pass a list of "
            "sequences of several columns."
        )


def reject_text_in_rows(X: Any, name: str) -> None:
    """Raise where the first of a list of sequences has rows with text in some columns, which nobody named."""
    if not isinstance(X, (list, tuple)) or not X or not isinstance(X[0], (list, tuple, np.ndarray)):
        return
    rows = X[0][:1]
    is_row = len(rows) and isinstance(rows[0], (list, tuple, np.ndarray))
    places = [k for k, value in enumerate(as_list(rows[0]) if is_row else ()) if isinstance(value, str)]
    if places:
        raise ValueError(
            f"{name}[0] has text in the columns {shown_all(places)} of its steps, but numbers are needed. Name the "
            f"columns of categories, categorical_features={places}, or encode them as numbers."
        )


def holds_categories(items: Any, label: Any) -> bool:
    """Tell whether a column of frames has a categorical dtype, or text as its first value that is not missing."""
    for item in items:
        if label not in (all_column_labels(item) or ()):
            return False  # which is said where the column is read
        column = column_of(item, label)
        if is_categorical(column):
            return True
        first = next((value for value in as_list(column) if not _is_missing(value)), None)
        if first is not None:
            return isinstance(first, str)
    return False


def _is_missing(value: Any) -> bool:
    """Tell whether a value is None, NaN, or pandas' NA, which equals nothing."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def column_of(item: Any, column: Any) -> Any:
    """Return one column of a frame or an array; raises KeyError or IndexError where there is none."""
    if hasattr(type(item), "columns"):
        return item[column]
    array = np.asarray(item)
    return array.reshape(len(array), -1)[:, column]


def columns_of(X: Any, column: Any, name: str) -> list[Any]:
    """Return one column of each sequence; raises where one has none."""
    columns = []
    for i, item in enumerate(X):
        try:
            columns.append(column_of(item, column))
        except Exception as error:
            raise ValueError(
                f"{name}[{i}] has no column {shown(column)} of categories, which the model knows. Pass all columns, in "
                "the same kind of container."
            ) from error
    return columns


def column_name(column: Any, name: str) -> str:
    """Return what errors call a column."""
    return f"the column {shown(column)} of {name}"


def with_codes(X: Any, columns: list[Any], codes: list[list[np.ndarray]]) -> list[Any]:
    """Return the sequences with numbers (n_steps_i,) in place of the values of some columns, floats of one size."""
    items = [
        _replaced(item, {column: of_item[i].astype(np.float32) for column, of_item in zip(columns, codes, strict=True)})
        for i, item in enumerate(X)
    ]
    return with_cells(X, items)


def _replaced(item: Any, codes: dict[Any, np.ndarray]) -> Any:
    """Return a frame or array with other values in some columns."""
    if hasattr(item, "assign"):  # pandas
        frame = item.copy(deep=False)
        for column, values in codes.items():
            frame[column] = values
        return frame
    if hasattr(item, "with_columns"):  # polars
        return item.with_columns(**codes)
    if hasattr(item, "set_column"):  # pyarrow
        for column, values in codes.items():
            item = item.set_column(item.column_names.index(column), column, [values])
        return item
    array = np.array(item, dtype=object)
    array = array.reshape(len(array), -1)
    for column, values in codes.items():
        array[:, column] = values
    return array
