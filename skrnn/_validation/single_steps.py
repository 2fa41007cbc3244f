"""One step of each of some sequences, as they come in live data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._floating_point import without_warnings
from .arrays import as_numbers, count
from .values import as_list, shown_all

Where = Callable[[int], str]
"""What errors call the i-th step."""

_PLAIN = {np.ndarray, list, tuple, float, int, np.float64, np.float32}
"""Types of steps that NumPy reads all at once."""


@without_warnings
def read_rows(steps: list[Any], n_features: int, dtype: np.dtype, names: list[str] | None, where: Where) -> np.ndarray:
    """Return steps of numbers as rows (n, n_features), finite; `names` are those of the features, if they have any."""
    rows = _as_rectangle(steps, n_features)
    if rows is None:
        rows = np.stack([_read_row(step, n_features, names, where(i)) for i, step in enumerate(steps)])
    rows = rows.astype(dtype, copy=False)
    is_finite = np.isfinite(rows)
    if not is_finite.all():
        i, feature = map(int, np.argwhere(~is_finite)[0])
        is_missing = np.isnan(rows[i, feature])
        found = "NaN" if is_missing else f"infinity or a value too large for {dtype!r}"
        raise ValueError(f"Input {where(i)} contains {found}. It is at feature {feature}.")
    return rows


def by_place(step: Any, names: list[str] | None, where: str) -> Any:
    """Return the values of a step in the order of the fit, if it names them as a dict or a row of a frame does."""
    is_row = hasattr(step, "iloc") and step.ndim == 1 and all(isinstance(label, str) for label in step.index)
    if not isinstance(step, Mapping) and not (is_row and names is not None):
        return step
    labels = list(step.index if is_row else step)
    if names is None:
        raise TypeError(f"{where} is a {type(step).__name__}, but the model knows no names of features. Pass a list.")
    if sorted(map(str, labels)) != sorted(names):
        raise ValueError(
            f"{where} names {shown_all(labels)}, but the model was fitted on {shown_all(names)}. Pass all of these."
        )
    return [step[label] for label in names]


def plain_row(step: Any, n_columns: int, names: list[str] | None, where: str) -> list[Any]:
    """Return the values of a step of numbers and categories, in the order of the fit."""
    step = by_place(step, names, where)
    is_row = not isinstance(step, (str, bytes)) and not hasattr(type(step), "columns") and hasattr(step, "__len__")
    values = as_list(step) if is_row else None
    if values is None or len(values) != n_columns or any(isinstance(value, list) for value in values):
        raise ValueError(
            f"{where} is no row of {count(n_columns, 'value')}, one for each column that the model was fitted on. Pass "
            "a list of them, or a dict by the names of the columns."
        )
    return values


def _as_rectangle(steps: list[Any], n_features: int) -> np.ndarray | None:
    """Return steps as numbers (n, n_features) if NumPy can make these of all at once; None where one has to be seen."""
    if not set(map(type, steps)) <= _PLAIN:
        return None
    try:
        array = np.array(steps)
    except (ValueError, OverflowError):  # of unequal lengths
        return None
    if array.shape == (len(steps),) and n_features == 1:
        array = array[:, np.newaxis]
    return array if array.dtype.kind in "fiub" and array.shape == (len(steps), n_features) else None


def _read_row(step: Any, n_features: int, names: list[str] | None, where: str) -> np.ndarray:
    """Return a step of numbers as an array (n_features,); a number is a step of one feature."""
    array = as_numbers(by_place(step, names, where), where, f"Pass {count(n_features, 'number')}.")
    if array.shape != (n_features,) and (n_features, array.shape) != (1, ()):
        raise ValueError(
            f"{where} has shape {array.shape}, but a step has {count(n_features, 'feature')}. Pass an array of shape "
            f"({n_features},)."
        )
    return array.reshape(n_features)
