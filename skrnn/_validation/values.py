"""Tokens and labels as plain Python values: exact, whatever container and type they came in.

NumPy finds one dtype for all values of a list, which may change them: integers beyond 2**53 beside a float, members of
an Enum, NUL characters at the end of a text. So values are read as Python's own str, int, float and bool, compared by
Python's equality, and become an array only where its dtype holds each of them exactly.
"""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Callable, Iterable, Mapping, Set
from contextlib import suppress
from typing import Any

import numpy as np

PlainValue = str | int | float | bool

MAX_PADDING = 16
"""An array of texts takes at most this many times the memory of their characters, or else it holds objects."""

MIN_PADDED, MAX_PADDED = 2**16, 2**26
"""Numbers of characters that an array of texts may always have, and that none has: equal objects share theirs."""

SCALARS = (str, int, float, np.bool_, np.integer, np.float16, np.float32, np.float64)
"""Types whose values, and those of types derived from them, are plain; not longdouble, which float does not hold."""

PLAIN = {str, int, float, bool}
DTYPES = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.dtype(np.float64)}
"""Of arrays of Python's numbers, unless their values need another one."""

_MISSING = {"NoneType", "NAType", "NaTType"}


def is_unordered(values: Any) -> bool:
    """Tell whether a container has no order of its own, or only keys: sets, dicts."""
    return isinstance(values, (Set, Mapping))


def is_no_list(values: Any) -> bool:
    """Tell whether there are no entries to read one by one: bytes, tables, what cannot be iterated."""
    is_table = hasattr(type(values), "columns")
    return isinstance(values, (bytes, bytearray)) or is_table or not isinstance(values, Iterable)


def as_list(values: Any) -> list[Any]:
    """Return the entries of a container as Python's own objects, where it can make them; of a scalar, one."""
    if hasattr(values, "to_pylist"):  # pyarrow
        return values.to_pylist()
    if hasattr(values, "to_list"):  # pandas and polars
        return values.to_list()
    if hasattr(values, "__array__") and not hasattr(values, "tolist"):  # xarray
        values = np.asarray(values)
    if hasattr(values, "tolist"):  # NumPy, torch, array.array, memoryview, pandas' extension arrays
        entries = values.tolist()
        return entries if isinstance(entries, list) else [entries]  # arrays without dimensions
    return list(values)


def is_scalar_array(value: Any) -> bool:
    """Tell whether a value is an array or tensor without dimensions."""
    return getattr(value, "shape", None) == () and hasattr(value, "item") and not isinstance(value, np.generic)


def is_integer(value: Any, least: int) -> bool:
    """Tell whether a value is an integer, and at least `least`."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)


def read_size(value: Any, name: str) -> int:
    """Return how many sequences the caller wants at a time, as Python's own integer."""
    if not is_integer(value, 1) or value >= 2**31:
        raise ValueError(f"{name} is {shown(value)}, but it must be an integer >= 1 and < 2**31.")
    return int(value)


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a data frame or Arrow table, each cell as an object of its own column's type."""
    if hasattr(frame, "itertuples"):  # pandas
        return list(frame.itertuples(index=False, name=None))
    if hasattr(frame, "rows"):  # polars
        return frame.rows()
    return list(zip(*(column.to_pylist() for column in frame.columns)))


def all_column_labels(table: Any) -> list[Any] | None:
    """Return the labels of a frame's columns; None for anything else."""
    for attribute in ("column_names", "columns"):  # pyarrow's columns are the arrays
        if hasattr(type(table), attribute):
            return list(getattr(table, attribute))
    return None


def column_labels(table: Any) -> list[Any] | None:
    """Return the labels of a frame's columns; None for anything else, and where they only count the columns."""
    labels = all_column_labels(table)
    return None if labels is None or labels == list(range(len(labels))) else labels


def is_categorical(column: Any) -> bool:
    """Tell whether a column of pandas, polars or pyarrow has a dtype of categories."""
    dtype = str(getattr(column, "dtype", getattr(column, "type", ""))).lower()
    return dtype.startswith(("category", "categorical", "enum", "dictionary"))


def library_of(value: Any) -> str:
    """Return the top-level package of the type of a value."""
    return type(value).__module__.partition(".")[0]


def reject_equal_columns(table: Any, name: str) -> None:
    """Raise if two columns of a frame, which errors call `name`, have the same label."""
    labels = column_labels(table) or []
    if len(set(labels)) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(
            f"{name} has {labels.count(label)} columns named {shown(label)}. Rename them, or drop all but one."
        )


def plain_values(values: list[Any], place: Callable[[int], str]) -> list[PlainValue]:
    """Return values as str, int, float or bool; ``place(i)`` is what an error calls the one at `i`."""
    types = set(map(type, values))
    if types <= PLAIN:
        return values
    if not all(issubclass(kind, SCALARS) for kind in types):
        values = [value.item() if is_scalar_array(value) else value for value in values]
    if not all(isinstance(value, SCALARS) for value in values):
        i, value = next((i, value) for i, value in enumerate(values) if not isinstance(value, SCALARS))
        kind = type(value).__name__
        advice = "Fill missing values, or leave them out." if kind in _MISSING else "Pass str, int, float or bool."
        raise TypeError(f"{place(i)}: argument must be a string or a number, got {shown(value)} ({kind}). {advice}")
    return list(map(plain_value, values))


def plain_value(value: Any) -> PlainValue:
    """Return one of `SCALARS` as str, int, float or bool, without the type that it was derived into."""
    if isinstance(value, str):
        return str.__str__(value)  # str(value) of an Enum that is a str would be the member's name
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, float):
        return float.__float__(value)
    return operator.index(value) if isinstance(value, (int, np.integer)) else float(value)


def exact_array(values: list[PlainValue], dtypes: Iterable[np.dtype] = ()) -> np.ndarray:
    """Return values (n,) of one kind as an array of a dtype that holds each exactly, of objects where there is none.

    `dtypes` are those of the arrays that the values came in; by default numbers get NumPy's for Python's types.
    """
    types = set(map(type, values))
    if types == {str}:
        return _array_of_texts(values)  # type: ignore[arg-type]
    dtypes = set(dtypes) or {DTYPES[kind] for kind in types}
    common = np.result_type(*dtypes)
    if any(dtype.kind == "f" for dtype in dtypes):
        candidates = [common]
    else:
        candidates = [*([common] if common.kind in "iub" else []), np.dtype(np.int64), np.dtype(np.uint64)]
    for dtype in candidates:
        with suppress(OverflowError):
            array = np.array(values, dtype)
            if array.tolist() == values:
                return array
    return array_of_objects(values)


def _array_of_texts(values: list[str]) -> np.ndarray:
    """Return texts (n,) as NumPy's fixed-width text, as objects where that would lose NULs or waste memory."""
    lengths = list(map(len, values))
    most = min(max(MIN_PADDED, MAX_PADDING * sum(lengths)), MAX_PADDED)
    is_wasteful = max(lengths) * len(values) > most
    if is_wasteful:
        return array_of_objects(values)
    array = np.array(values)
    return array if np.char.str_len(array).sum() == sum(lengths) else array_of_objects(values)  # NULs at ends


def array_of_objects(values: list[Any]) -> np.ndarray:
    """Return values as an array (n,) of objects, whatever their shapes."""
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # all at once, NumPy would look into arrays of equal shapes
        array[i] = value
    return array


def shown(value: Any) -> str:
    """Return the repr of a value, of a bounded length."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    text = _REPR.repr(value)
    return " ".join(text.split()) if "\n" in text else text


def shown_all(values: list[Any]) -> str:
    """Return the reprs of the first few values, and how many there are if not all are shown."""
    first = ", ".join(map(shown, values[:6]))
    return f"[{first}]" if len(values) <= 6 else f"[{first}, ... {len(values)} in all]"


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 40
