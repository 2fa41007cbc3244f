"""A table of one column whose cells are sequences, for tools that insist on two dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from .arrays import describe, frame_columns, reject_masked
from .values import all_column_labels

_DTYPES = ("object", "list", "array", "large_list", "fixed_size_list")
"""How those of columns begin that may hold sequences, in pandas, polars and pyarrow."""


class SequenceColumn(list):
    """The cells of a table of one column: a list of sequences that knows its table."""

    def __init__(self, cells: Iterable[Any], table: Any) -> None:
        super().__init__(cells)
        self.table = table


def as_column(X: Any, name: str = "X") -> Any:
    """Return a table of one column whose cells are sequences as a list of them, and anything else as it is.

    A text in a cell is one token, so a column of texts stays a table. Raises where some cells are sequences only.
    """
    cells = _cells_of_one_column(X, name)
    first = next((i for i, cell in enumerate(cells) if _is_sequence(cell)), None)
    if first is None:
        return X
    for i, cell in enumerate(cells):
        if all_column_labels(cell) is not None:
            raise TypeError(
                f"{name}[{i}] is a {type(cell).__name__}, but the cells of a column of sequences are lists, tuples or "
                "arrays. Pass a list of the data frames."
            )
        if not _is_sequence(cell):
            advice = "Split texts into tokens." if isinstance(cell, str) else "Drop rows without one."
            raise TypeError(
                f"{name}[{i}] is {describe(cell)}, but {name}[{first}] is {describe(cells[first])}. Every cell of a "
                f"column of sequences must hold a list, a tuple or an array. {advice}"
            )
    return SequenceColumn(map(_without_nesting, cells), X)


def with_cells(X: Any, cells: list[Any]) -> list[Any]:
    """Return sequences that stand for those of X, as a column if X is one."""
    return SequenceColumn(cells, X.table) if isinstance(X, SequenceColumn) else cells


def learn_column(estimator: Any, X: Any) -> None:
    """Set ``n_features_in_``, and ``feature_names_in_`` of a frame, if X is a column, and whether it is one."""
    estimator._fitted_on_column = isinstance(X, SequenceColumn)
    if isinstance(X, SequenceColumn):
        validate_data(estimator, X.table, reset=True, skip_check_array=True)


def is_fitted_on_column(estimator: Any) -> bool:
    """Tell whether X was a column at the first fit."""
    return getattr(estimator, "_fitted_on_column", False)  # early files have no such attribute


def names_of_features(estimator: Any) -> list[Any] | None:
    """Return the names of the features of a step; None where they have none, or others have: steps, or a column."""
    has_others = estimator._fitted_on_2d or is_fitted_on_column(estimator)
    names = None if has_others else getattr(estimator, "feature_names_in_", None)
    return None if names is None else names.tolist()


def _cells_of_one_column(X: Any, name: str) -> list[Any]:
    """Return the cells of a table of one column that may hold sequences; none of anything else."""
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if len(shape) != 2 or shape[1] != 1:
        return []
    column = X if all_column_labels(X) is None else frame_columns(X)[0]
    dtype = str(getattr(column, "dtype", getattr(column, "type", ""))).lower()
    if not dtype.startswith(_DTYPES):
        return []
    reject_masked(X, name)
    array = np.asarray(column)
    return list(array[:, 0] if column is X else array)


def _without_nesting(cell: Any) -> Any:
    """Return an array of arrays, as which NumPy reads lists in lists of polars and pyarrow, as a list of arrays."""
    is_nested = isinstance(cell, np.ndarray) and cell.dtype == object and cell.ndim == 1
    return list(cell) if is_nested and len(cell) and isinstance(cell[0], np.ndarray) else cell


def _is_sequence(cell: Any) -> bool:
    """Tell whether a cell holds several values in an order; a text or bytes are one."""
    if isinstance(cell, (str, bytes, bytearray)):
        return False
    return isinstance(cell, Sequence) or len(getattr(cell, "shape", ())) > 0
