"""Targets that are numbers: one or several for each sequence, or for each of its steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._floating_point import without_warnings
from .arrays import as_array, as_numbers, count, describe, is_ragged, reject_masked

_SHAPES = (
    "Pass one number, or one row of numbers, for each sequence; or a list with one array for each, of a value a step."
)


class Numbers(NamedTuple):
    """Targets of n sequences.

    Attributes
    ----------
    values : ndarray of shape (n, K) or (sum of lengths, K), float64
        K numbers for each sequence or for each step, sequence after sequence; finite.
    is_flat : bool
        Whether there was one number and no row of them.
    is_per_step : bool
        Whether each step has them.
    lengths : ndarray of shape (n,)
        Steps of each sequence.
    name : str
        What errors call them.
    """

    values: np.ndarray
    is_flat: bool
    is_per_step: bool
    lengths: np.ndarray
    name: str

    def place(self, row: int) -> str:
        """Return what the user calls the numbers in a row."""
        if not self.is_per_step:
            return f"{self.name}[{row}]"
        i = int(np.searchsorted(ends := np.cumsum(self.lengths), row, side="right"))
        return f"{self.name}[{i}][{row - ends[i] + self.lengths[i]}]"


@without_warnings
def read_numbers(y: Any, lengths: np.ndarray, name: str = "y", X: str = "X") -> Numbers:
    """Read what a user passes as y, for sequences of these lengths; raises where it is not numbers for each.

    A list or column of arrays, or an array of three dimensions, has numbers for each step; so has a list of lists as
    long as the sequences. Every other list, array or frame has them for each sequence.
    """
    reject_masked(y, name, "Leave these sequences out.")
    items = items_of_steps(y, lengths, name)
    if items is None:
        values = _read_array(y, name)
        if len(values) != len(lengths):
            raise ValueError(
                f"Found input variables with inconsistent numbers of samples: {X} has {count(len(lengths), 'sequence')}"
                f", but {name} has {len(values)}. {_SHAPES}"
            )
        return Numbers(values.reshape(len(values), -1), values.ndim == 1, False, lengths, name)
    if len(items) != len(lengths):
        raise ValueError(f"{X} has {count(len(lengths), 'sequence')}, but {name} has {len(items)}. {_SHAPES}")
    _check_not_mixed(items, name)
    arrays = [_read_array(item, f"{name}[{i}]") for i, item in enumerate(items)]
    for i, (array, length) in enumerate(zip(arrays, lengths.tolist(), strict=True)):
        if len(array) != length:
            raise ValueError(
                f"{name}[{i}] has {count(len(array), 'value')}, but {X}[{i}] has {count(length, 'step')}. Pass one "
                "value, or one row, for each step; or an array with one number for each sequence."
            )
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"{name}[{i}] has shape {array.shape}, but {name}[0] has {arrays[0].shape}. Pass as many numbers for "
                "each step."
            )
    rows = [array.reshape(len(array), -1) for array in arrays]
    return Numbers(np.concatenate(rows), arrays[0].ndim == 1, True, lengths, name)


def items_of_steps(y: Any, lengths: np.ndarray, name: str) -> list[Any] | None:
    """The targets of each sequence, where its steps have them; None where only sequences have."""
    if hasattr(y, "__array__") and not hasattr(y, "columns"):
        array = as_array(y, name, advice=_SHAPES)
        is_of_arrays = array.dtype == object and array.ndim == 1 and any(map(_has_length, array))
        return list(array) if array.ndim == 3 or is_of_arrays else None
    if not isinstance(y, (list, tuple)) or not any(map(_has_length, y)):
        return None
    items = list(y)
    if all(isinstance(item, (list, tuple)) for item in items):  # rows of a table, perhaps
        is_table = len(set(map(len, items))) == 1 and not is_ragged(items) and np.ndim(items) == 2
        if is_table and [len(item) for item in items] != lengths.tolist():
            return None
    return items


def _has_length(item: Any) -> bool:
    return not isinstance(item, (str, bytes)) and (isinstance(item, (list, tuple)) or np.ndim(item) > 0)


def _check_not_mixed(items: list[Any], name: str) -> None:
    """Raise where some sequences have numbers for their steps, and others do not."""
    has_length = [_has_length(item) for item in items]
    if all(has_length):
        return
    i, j = has_length.index(False), has_length.index(True)
    raise ValueError(
        f"{name}[{i}] is {describe(items[i])}, but {name}[{j}] has {count(len(items[j]), 'entry', 'entries')}. "
        "Pass numbers for each step of all sequences, or for none."
    )


def _read_array(y: Any, name: str) -> np.ndarray:
    """One or two dimensions of finite numbers, float64."""
    if y is None or isinstance(y, (str, bytes)):
        raise ValueError(f"{name} is {describe(y)}. {_SHAPES}")
    array = as_numbers(y, name, advice=_SHAPES)
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{name} has shape {array.shape}. {_SHAPES}")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        place = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
        kind = "NaN" if np.isnan(array[place]) else f"infinity or a value too large for {array.dtype!r}"
        where = name + "".join(f"[{k}]" for k in place)
        raise ValueError(f"Input {name} contains {kind}. It is at {where}. Leave it out, or fill it.")
    return array
