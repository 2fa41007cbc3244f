"""Whether X holds text or numbers, told by the types of its items alone, so that all parts of a data set agree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .values import as_list, rows_of


def holds_text(X: Any) -> bool:
    """Tell whether X holds sequences of tokens that are text, or is one; of numbers, or of nothing, it is not.

    The first item that is not empty says it; that all others are of its kind is checked where they are read.
    """
    if isinstance(X, str):
        return True
    if hasattr(type(X), "columns"):
        return _begins_with_text(next(iter(rows_of(X[:1])), ())) is True
    items = X if isinstance(X, (list, tuple)) else _entries(X)
    return next((is_text for item in items if (is_text := _is_text(item)) is not None), False)


def _is_text(item: Any) -> bool | None:
    """Tell whether a sequence is text or of texts; None if it is empty."""
    return True if isinstance(item, str) else _begins_with_text(_entries(item))


def _entries(values: Any) -> Iterable[Any]:
    """Return the entries of a container, or the first few; of one that holds numbers, and of what is none, a number."""
    if isinstance(values, np.ndarray):
        is_text_or_object = values.ndim > 0 and values.dtype.kind in "UTO"
        return values if is_text_or_object else values[:0] if values.ndim and not len(values) else [0]
    if isinstance(values, (list, tuple)):
        return values
    is_series = hasattr(values, "to_list") or hasattr(values, "to_pylist")
    return as_list(values[:8]) if is_series and not hasattr(type(values), "columns") else [0]


def _begins_with_text(values: Iterable[Any]) -> bool | None:
    """Tell whether the first value that is not missing is text; None if there is none."""
    first = next((value for value in values if value is not None), None)
    return None if first is None else isinstance(first, str)
