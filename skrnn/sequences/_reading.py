"""What the converters read: arrays of any dtype, and lengths."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .._validation.arrays import as_array, as_numbers, describe, reject_masked, shorten
from .._validation.values import exact_array, plain_values, shown


def as_data(X: Any, name: str) -> np.ndarray:
    """X as an array of its own dtype; Python objects become numbers unless all of them are text."""
    array = as_array(X, name)
    if array.dtype.kind == "U" and not hasattr(X, "dtype"):  # NumPy turns numbers into text, and drops NULs at the end
        array = _array_of_texts(X, name)
    is_object = array.dtype == object and not all(isinstance(value, str) for value in array.ravel().tolist())
    return as_numbers(X, name) if is_object or array.dtype.kind == "V" else array


def _array_of_texts(X: Any, name: str) -> np.ndarray:
    """Nested lists of texts as an array that holds every character."""
    array = np.asarray(X, dtype=object)
    values = array.ravel().tolist()
    other = next((value for value in values if not isinstance(value, str)), None)
    if other is not None:
        raise ValueError(f"{name} mixes text with {describe(other)}. Convert the entries to one type.")
    return exact_array(plain_values(values, lambda i: name)).reshape(array.shape)


def check_lengths(lengths: Any) -> list[int]:
    """Return lengths as a list of positive integers of Python's, whose sum is exact."""
    reject_masked(lengths, "lengths", "Pass one integer for each sequence.")
    try:
        array = np.asarray(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"lengths cannot be read as an array: {shorten(str(error), 200)}. Pass one integer for each sequence."
        ) from error
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu":
        raise ValueError(
            f"lengths has shape {array.shape} and dtype {array.dtype}. Pass one integer for each sequence."
        )
    values = array.tolist()
    if min(values) < 1:
        i = int(array.argmin())
        raise ValueError(f"lengths[{i}] is {values[i]}: every sequence needs at least one step.")
    return values


def as_positive_integer(value: Any, name: str) -> int:
    """Return an integer of Python's or NumPy's as Python's, which does not overflow."""
    try:
        number = None if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} is {describe(value)}. Pass an integer of at least 1.")
    if number < 1:
        raise ValueError(f"{name} is {shown(number)}. Pass an integer of at least 1.")
    return number
