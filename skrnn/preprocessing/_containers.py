"""Sequences back in a container like the one that they came in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._validation.features import read_container
from .._validation.sequence_column import SequenceColumn, as_column
from .._validation.values import array_of_objects, library_of

Renaming = Callable[[list[Any]], list[Any]]


def restore(features: np.ndarray, lengths: np.ndarray, X: Any, rename: Renaming = list) -> Any:
    """Put the steps (n_rows, n_outputs) of sequences into a container like X.

    A table with several outputs becomes an array (n_sequences, n_steps, n_outputs). `rename` makes the labels of the
    outputs, in frames, of those of the inputs.
    """
    kind, data = read_container(X)
    features = np.ascontiguousarray(features)
    if kind == "2-D":
        table = features.reshape(len(lengths), -1)
        return _like(data, table) if features.shape[1] == 1 else table.reshape(*table_shape(lengths), -1)
    if kind == "3-D":
        return features.reshape(*table_shape(lengths), -1)
    slices = np.split(features, np.cumsum(lengths)[:-1])
    return collect([_like(item, part.copy(), rename) for item, part in zip(data, slices)], X)


def table_shape(lengths: np.ndarray) -> tuple[int, int]:
    """Number of sequences and of steps, where all have as many."""
    return len(lengths), int(lengths[0])


def _like(original: Any, values: np.ndarray, rename: Renaming = list) -> Any:
    """Values (n_steps, n_outputs) as a frame, Series or array like the original."""
    if (isinstance(original, str) or len(np.shape(original)) == 1) and values.shape[1] == 1:
        values = values[:, 0]
    match library_of(original), hasattr(original, "columns"), values.ndim:
        case "pandas", True, 2:
            labels = original.columns if rename is list else rename(list(original.columns))
            return type(original)(values, index=original.index, columns=labels)
        case "pandas", False, 1:
            return type(original)(values, index=original.index, name=original.name)
        case "polars", True, 2:
            return type(original)(values, schema=rename(original.columns), orient="row")
        case "polars", False, 1:
            return type(original)(original.name, values)
    return values


def collect(items: list, X: Any) -> Any:
    """Items in a container like X; a list if X is of another type."""
    if isinstance(as_column(X), SequenceColumn):
        return _as_table(items, X)
    if isinstance(X, tuple):
        return tuple(items)
    if isinstance(X, np.ndarray):
        return array_of_objects(items)
    match library_of(X):
        case "pandas":
            return type(X)(items, index=X.index, name=X.name, dtype=object)
        case "polars":
            keeps_dtype = items[0].dtype == np.float32  # only if all numbers of X were float32
            return type(X)(X.name, [item.tolist() for item in items], dtype=X.dtype if keeps_dtype else None)
    return items


def _as_table(items: list, X: Any) -> Any:
    """Arrays in a table of one column like X; an array of objects if X is of another type."""
    match library_of(X):
        case "pandas":
            return type(X)({0: array_of_objects(items)}, index=X.index).set_axis(X.columns, axis=1)
        case "polars":
            return type(X)(collect(items, X.to_series()))
        case "pyarrow":
            keeps_type = items[0].dtype == np.float32  # as in collect
            cells = [item.tolist() for item in items]
            return type(X).from_pydict({X.column_names[0]: cells}, schema=X.schema if keeps_type else None)
    return array_of_objects(items)[:, np.newaxis]
