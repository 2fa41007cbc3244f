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

MIN_PADDED = 2**16
"""Number of characters that an array of texts may always have."""

SCALARS = (str, int, float, np.bool_, np.integer, np.float16, np.float32, np.float64)
"""Types whose values, and those of types derived from them, are plain; not longdouble, which float does not hold."""

_PLAIN = {str, int, float, bool}
DTYPES = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.dtype(np.float64)}
"""Of arrays of Python's numbers, unless their values need another one."""

_MISSING = {"NoneType", "NAType", "NaTType"}


def is_unordered(values: Any) -> bool:
    """Tell whether a container has no order of its own, or only keys: sets, dicts."""
    return isinstance(values, (Set, Mapping))


def as_list(values: Any) -> list[Any]:
    """Return the entries of a container, as Python's own objects where the container can make them."""
    if hasattr(values, "to_pylist"):  # pyarrow
        return values.to_pylist()
    if hasattr(values, "to_list"):  # pandas and polars
        return values.to_list()
    if hasattr(values, "tolist"):  # NumPy, torch, array.array
        return values.tolist()
    return list(values)


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a data frame or Arrow table, each cell as an object of its own column's type."""
    if hasattr(frame, "itertuples"):  # pandas
        return list(frame.itertuples(index=False, name=None))
    if hasattr(frame, "rows"):  # polars
        return frame.rows()
    return list(zip(*(column.to_pylist() for column in frame.columns)))


def plain_values(values: list[Any], place: Callable[[int], str]) -> list[PlainValue]:
    """Return values as str, int, float or bool; ``place(i)`` is what an error calls the one at `i`."""
    types = set(map(type, values))
    if types <= _PLAIN:
        return values
    if not all(issubclass(kind, SCALARS) for kind in types):
        i, value = next((i, value) for i, value in enumerate(values) if not isinstance(value, SCALARS))
        kind = type(value).__name__
        advice = " Fill missing values, or leave them out." if kind in _MISSING else ""
        raise TypeError(f"{place(i)}: argument must be a string or a number, got {shown(value)} ({kind}).{advice}")
    return list(map(plain_value, values))


def plain_value(value: Any) -> PlainValue:
    """Return one of `SCALARS` as str, int, float or bool, without the type that it was derived into."""
    if isinstance(value, str):
        return str.__str__(value)  # str(value) of an Enum that is a str would be the member's name
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
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
    return _array_of_objects(values)


def _array_of_texts(values: list[str]) -> np.ndarray:
    """Return texts (n,) as NumPy's fixed-width text, as objects where that would lose NULs or waste memory."""
    lengths = list(map(len, values))
    is_wasteful = max(lengths) * len(values) > max(MIN_PADDED, MAX_PADDING * sum(lengths))
    if is_wasteful or any(value.endswith("\0") for value in values):
        return _array_of_objects(values)
    return np.array(values)


def _array_of_objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def shown(value: Any) -> str:
    """Return the repr of a value, of a bounded length."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    return _REPR.repr(value)


def shown_all(values: list[Any]) -> str:
    """Return the reprs of the first few values, and how many there are if not all are shown."""
    first = ", ".join(map(shown, values[:6]))
    return f"[{first}]" if len(values) <= 6 else f"[{first}, ... {len(values)} in all]"


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 40
