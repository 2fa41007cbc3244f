"""Sequences in list columns of Arrow, as Parquet files hold them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation.arrays import count, describe, shorten
from ._concatenated import from_concatenated

if TYPE_CHECKING:
    import pyarrow as pa


def from_arrow(X: Any) -> list[np.ndarray]:
    """Copy sequences out of list columns of Arrow, each of whose rows is a sequence.

    Parameters
    ----------
    X : pyarrow Array, ChunkedArray, RecordBatch or Table, or polars Series or DataFrame
        A column, or the columns of a table side by side; ``table.select`` picks them. A column has a list of steps in
        each row: of numbers, or of lists or structs of as many numbers as there are features. Lists of fixed size are
        lists, too.

    Returns
    -------
    sequences : list of n_sequences ndarrays of shape (n_steps_i, n_features)
        Copies, of the numbers' dtype if all have one, else float64. Of shape (n_steps_i,) if X is a column of lists of
        numbers.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    TypeError
        If X is no column and no table of pyarrow or polars, or a column does not hold lists of numbers.
    ValueError
        If X has no rows or no columns; a sequence, a step or a number is null; a sequence is empty; steps differ in
        their number of features, or have none; or columns differ in the number of steps of a row.

    See Also
    --------
    from_long_dataframe : For tables with one row for each step.

    Notes
    -----
    No number becomes an object of Python's on the way. Tokens do: a column of lists of text is ``column.to_pylist()``.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from skrnn.sequences import from_arrow
    >>> from_arrow(pa.array([[[61.0, 120.0], [62.0, 118.0]], [[80.0, 141.0]]]))
    [array([[ 61., 120.],
           [ 62., 118.]]), array([[ 80., 141.]])]
    >>> table = pa.table({"pulse": [[61.0, 62.0], [80.0]], "pressure": [[120.0, 118.0], [141.0]]})
    >>> from_arrow(table)
    [array([[ 61., 120.],
           [ 62., 118.]]), array([[ 80., 141.]])]
    >>> from_arrow(table["pulse"])
    [array([61., 62.]), array([80.])]
    """
    table, is_column = _as_table(X)
    names = ["X" if is_column else f"X[{shorten(repr(name))}]" for name in table.schema.names]
    steps = [_type_of_steps(kind, name) for kind, name in zip(table.schema.types, names)]
    numbers = [number for kind, name in zip(steps, names) for number in _types_of_numbers(kind, name)]
    dtype = np.dtype(np.float64 if len(set(numbers)) > 1 else numbers[0].to_pandas_dtype())
    is_flat = is_column and numbers == steps
    sequences: list[np.ndarray] = []
    widths: list[int | None] = [None] * len(names)
    for batch in table.to_batches():
        if not batch.num_rows:
            continue
        lengths, blocks = _read_batch(batch, names, len(sequences), widths)
        blocks = [block.astype(dtype, copy=False) for block in blocks]
        rows = blocks[0] if len(blocks) == 1 else np.column_stack(blocks)  # which copies even one
        sequences += from_concatenated(rows[:, 0] if is_flat else rows, lengths)
    return sequences


def _as_table(X: Any) -> tuple[pa.Table, bool]:
    """Return X as a table of one row and more, and whether it is a single column."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError("from_arrow needs pyarrow. Install it with pip install 'skrnn[arrow]'.") from error
    if hasattr(X, "to_arrow"):  # polars
        X = X.to_arrow()
    is_column = isinstance(X, (pa.Array, pa.ChunkedArray))
    if is_column:
        X = pa.table({"X": X})
    elif isinstance(X, pa.RecordBatch):
        X = pa.Table.from_batches([X])
    elif not isinstance(X, pa.Table):
        raise TypeError(f"X is {describe(X)}. Pass a column or a table of pyarrow or polars.")
    if not X.num_rows or not X.num_columns:
        raise ValueError(f"X has {X.num_rows} rows and {X.num_columns} columns. At least one of each is needed.")
    return X, is_column


def _is_list(kind: pa.DataType) -> bool:
    """Whether values of a type are lists whose items lie one after another."""
    from pyarrow.types import is_fixed_size_list, is_large_list, is_list

    return is_list(kind) or is_large_list(kind) or is_fixed_size_list(kind)


def _type_of_steps(kind: pa.DataType, name: str) -> pa.DataType:
    """Return the type of the steps of a column; raises where its rows are no lists."""
    if not _is_list(kind):
        raise TypeError(
            f"{name} has type {shorten(str(kind))}, but each row needs a list of steps. Select the columns of "
            "features; where a row is a step, use skrnn.sequences.from_long_dataframe."
        )
    return kind.value_type


def _types_of_numbers(kind: pa.DataType, name: str) -> list[pa.DataType]:
    """Return the types of the numbers that a step holds, one or one for each field; raises where it holds others."""
    from pyarrow.types import is_boolean, is_floating, is_integer, is_struct

    if is_struct(kind):
        types = [field.type for field in kind]
    else:
        types = [kind.value_type if _is_list(kind) else kind]
    for number in types or [kind]:
        if not (is_floating(number) or is_integer(number) or is_boolean(number)):
            advice = "Pass tokens as lists, column.to_pylist()." if "string" in str(number) else "Cast them first."
            raise TypeError(
                f"{name} holds values of type {shorten(str(number))}, but floats, integers or booleans are needed. "
                f"{advice}"
            )
    return types


def _read_batch(
    batch: pa.RecordBatch, names: list[str], first: int, widths: list[int | None]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Lengths (n,) of the sequences of a batch, and for each column their steps (n_steps, n_features).

    `first` is the number of the batch's first sequence; `widths` has the number of features of each column, None at
    first.
    """
    all_lengths: list[np.ndarray] = []
    blocks: list[np.ndarray] = []
    for j, (column, name) in enumerate(zip(batch.columns, names)):
        lengths, rows = _read_column(column, name, first, widths[j])
        other = np.flatnonzero(lengths != (all_lengths or [lengths])[0])
        if len(other):
            i = other[0]
            raise ValueError(
                f"{name}[{first + i}] has {count(lengths[i], 'step')}, but {names[0]}[{first + i}] has "
                f"{all_lengths[0][i]}. All columns of a row need as many."
            )
        widths[j] = rows.shape[1]
        all_lengths.append(lengths)
        blocks.append(rows)
    return all_lengths[0], blocks


def _read_column(column: pa.Array, name: str, first: int, width: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Lengths (n,) of the sequences of a column, and their steps (n_steps, n_features)."""
    from pyarrow.compute import list_value_length

    missing = _first_null(column)
    if missing is not None:
        raise ValueError(f"{name}[{first + missing}] is null: every sequence needs at least one step. Leave it out.")
    lengths = list_value_length(column).to_numpy()
    if not lengths.all():
        i = first + int(lengths.argmin())
        raise ValueError(f"{name}[{i}] is empty: every sequence needs at least one step. Leave it out.")

    def place(step: int) -> tuple[str, int]:
        """Return the name of the sequence that a step of the batch is in, and its place there."""
        ends = np.cumsum(lengths)
        i = int(np.searchsorted(ends, step, side="right"))
        return f"{name}[{first + i}]", int(step - ends[i] + lengths[i])

    return lengths, _read_steps(column.flatten(), place, width)


def _read_steps(steps: pa.Array, place: Callable[[int], tuple[str, int]], width: int | None) -> np.ndarray:
    """Numbers (n_steps, n_features) of steps that are numbers, structs or lists; `width` is what lists have to have."""
    from pyarrow.compute import list_value_length
    from pyarrow.types import is_struct

    _reject_null(steps, place, 1)
    if is_struct(steps.type):
        return np.column_stack([_read_numbers(field, place, 1) for field in steps.flatten()])
    if not _is_list(steps.type):
        return _read_numbers(steps, place, 1)[:, np.newaxis]
    widths = list_value_length(steps).to_numpy()
    expected = widths[0] if width is None else width
    if (widths != expected).any() or not expected:
        step = int((widths != expected).argmax())
        name, at = place(step)
        raise ValueError(
            f"{name} has {count(widths[step], 'feature')} at step {at}, "
            + (f"but the steps before have {expected}. All need as many." if expected else "but needs at least one.")
        )
    return _read_numbers(steps.flatten(), place, expected).reshape(-1, expected)


def _read_numbers(numbers: pa.Array, place: Callable[[int], tuple[str, int]], width: int) -> np.ndarray:
    """Numbers as an array, of which `width` are a step; raises where one is null."""
    _reject_null(numbers, place, width)
    return numbers.to_numpy(zero_copy_only=False)  # booleans are bits there


def _reject_null(values: pa.Array, place: Callable[[int], tuple[str, int]], width: int) -> None:
    """Raise where a value is null, of which `width` are a step."""
    missing = _first_null(values)
    if missing is not None:
        name, step = place(missing // width)
        raise ValueError(f"{name} has a null at step {step}. Impute it, or leave the sequence out.")


def _first_null(values: pa.Array) -> int | None:
    """Return the place of the first null, None without one."""
    return int(values.is_null().to_numpy(zero_copy_only=False).argmax()) if values.null_count else None
