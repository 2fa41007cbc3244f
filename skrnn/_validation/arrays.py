"""Reading arrays: what a user passes becomes a NumPy array, or one clear sentence says why it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MappingView, Set
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import issparse

_NO_ARRAYS = (str, bytes, Mapping, Set, MappingView, Iterator, type(None))
SHAPES = "Pass arrays of shape (n_steps,) or (n_steps, n_features)."
_NUMBERS = {int, float, bool, type(None)}
_DEPTH = 5  # of lists in lists: sequences, steps, features, values, and one to spare
_ADVICE = {
    "M": "Convert dates, for example to seconds since the first.",
    "m": "Divide durations by a unit, such as np.timedelta64(1, 's').",
    "V": "Pass the fields as columns of an array.",
}


def as_array(data: Any, name: str, advice: str = SHAPES) -> np.ndarray:
    """Whatever NumPy reads as an array, in its own dtype."""
    if type(data) is np.ndarray:
        return data
    if type(data) not in (list, tuple):
        if issparse(data):
            raise TypeError(f"{name} is sparse, but dense data is required. Use '.toarray()' to convert it.")
        if isinstance(data, _NO_ARRAYS):
            raise TypeError(f"{name} is {describe(data)}, but a sequence of numbers is needed. {advice}")
    reject_masked(data, name)
    return _read_by(np.asarray, data, data, name)


def as_numbers(data: Any, name: str, advice: str = SHAPES) -> np.ndarray:
    """Whatever can be read as real numbers, as an array of any number of dimensions; missing values are NaN."""
    array = as_array(data, name, advice)
    if hasattr(type(data), "columns") and array.size and not _is_of_one_dtype(data, array):
        array = from_columns([as_numbers(column, name) for column in frame_columns(data)])
    if array.dtype == object:
        reject_masked(array, name)
        array = _read_by(_from_objects, array, data, name)
    kind = array.dtype.kind
    if kind in "fiub":
        return array
    if kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}. Pass real numbers.")
    advice = _ADVICE.get(kind, "One-hot encode categories." if advice is SHAPES else advice)
    raise ValueError(f"{name} has dtype {shorten(str(array.dtype))}, but numbers are needed. {advice}")


def _is_of_one_dtype(frame: Any, array: np.ndarray) -> bool:
    """Whether a frame read as `array` holds nothing that its columns alone tell: float64 holds all numbers."""
    if array.dtype == np.float32:
        return len(set(getattr(frame, "dtypes", ()))) < 2
    return array.dtype != object


def frame_columns(frame: Any) -> list:
    """Columns of a pandas, pyarrow or polars frame."""
    if hasattr(frame, "iloc"):
        return [frame.iloc[:, j] for j in range(frame.shape[1])]
    return list(frame.columns if hasattr(type(frame), "column_names") else frame)


def from_columns(columns: list[np.ndarray]) -> np.ndarray:
    """Columns (n,) of numbers as one array (n, n_columns): float32 if all of them are, else float64."""
    dtype = np.float32 if all(column.dtype.newbyteorder("=") == np.float32 for column in columns) else np.float64
    return np.column_stack([column.astype(dtype, copy=False) for column in columns])


def _read_by(read: Callable[[Any], np.ndarray], source: Any, data: Any, name: str) -> np.ndarray:
    """Return ``read(source)``; whatever NumPy or another library's ``__array__`` raises, in one sentence."""
    try:
        return read(source)
    except MemoryError:
        raise
    except Exception as error:
        if getattr(data, "requires_grad", False):
            raise TypeError(f"{name} is a tensor that requires gradients. Pass {name}.detach().") from error
        kind = TypeError if isinstance(error, TypeError) else ValueError
        reason = shorten(str(error).rstrip("."), 200)
        if isinstance(error, OverflowError):
            reason = "it holds an integer that is too large for a float"
        elif is_ragged(data):
            reason = "its rows differ in length"
        raise kind(
            f"{name} cannot be read as an array of numbers: {reason}. Every entry must be a number, every row as long "
            "as the first."
        ) from error


def is_ragged(data: Any) -> bool:
    """Whether lists or arrays, in lists or in the cells of a table, differ in length at some depth."""
    if hasattr(data, "columns"):
        data = np.asarray(data, dtype=object)
    level = data.ravel().tolist() if isinstance(data, np.ndarray) else [data]
    for _ in range(_DEPTH):
        level = [item.tolist() if isinstance(item, np.ndarray) else item for item in level]
        lengths = {len(item) if isinstance(item, (list, tuple)) else None for item in level}
        if len(lengths) > 1:
            return True
        if lengths <= {None, 0}:
            return False
        level = list(chain.from_iterable(level))
    return False


def _from_objects(array: np.ndarray) -> np.ndarray:
    """Numbers from an array of Python objects: arrays of arrays, frames of several dtypes, gaps among numbers."""
    array = np.asarray(array.tolist())
    if array.dtype != object:
        return array
    values = array.ravel().tolist()
    text = next((value for value in values if isinstance(value, (str, bytes))), None)
    if text is not None:
        raise ValueError(f"{text!r:.30} is text")
    numbers = np.array([np.nan if _is_missing(value) else value for value in values], dtype=np.float64)
    return numbers.reshape(array.shape)


def _is_missing(value: Any) -> bool:
    """Whether a value is None or pandas' NA."""
    return value is None or type(value).__name__ == "NAType"


def reject_masked(data: Any, name: str, advice: str = "") -> None:
    """Raise if a masked array, or one in a list, hides entries: NumPy would read what lies under the mask."""
    if is_masked(data):
        advice = advice or (
            "If the mask marks padding, cut it off with skrnn.sequences.from_padded, which reads masks; else fill the "
            "gaps with '.filled()'."
        )
        raise TypeError(f"{name} has masked entries, which would be read as data. {advice}")


def is_masked(data: Any) -> bool:
    """Whether `data` is a masked array with masked entries, or has one within nested lists."""
    level = [data]
    for _ in range(_DEPTH):
        kinds = set(map(type, level))
        if kinds <= _NUMBERS or not any(issubclass(kind, (list, tuple, np.ndarray)) for kind in kinds):
            return False
        if not kinds <= {list, tuple}:
            if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds) and any(map(_hides_entries, level)):
                return True
            level = [x.ravel().tolist() if isinstance(x, np.ndarray) and x.dtype == object else x for x in level]
            level = [x for x in level if isinstance(x, (list, tuple))]
        level = list(chain.from_iterable(level))
    return False


def _hides_entries(value: Any) -> bool:
    """Whether a masked array has masked entries, or fields, whose masks are of no use here."""
    return isinstance(value, np.ma.MaskedArray) and (value.dtype.names is not None or np.ma.is_masked(value))


def shorten(text: str, width: int = 60) -> str:
    """The beginning of a long text."""
    return text if len(text) <= width else text[: width - 3] + "..."


def describe(value: Any) -> str:
    """Say what a value is, without printing a long one."""
    if value is None:
        return "None"
    is_short = isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) < 10**20)
    return f"a {type(value).__name__}" + (f" ({value!r:.30})" if is_short else "")


def count(n: int, noun: str, plural: str = "") -> str:
    """Say 1 feature, 2 features."""
    return f"{n} {noun if n == 1 else plural or noun + 's'}"
