"""Labels of steps: one for each step of each sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

import numpy as np

from .._floating_point import without_warnings
from .arrays import count, reject_masked
from .labels import Labels, read_labels
from .values import is_unordered, shown

_EACH = "Pass a list with the labels of each sequence, one label a step."


@without_warnings
def read_step_labels(y: Any, lengths: np.ndarray, name: str = "y", X: str = "X") -> Labels:
    """Read a list of label sequences: distinct labels, and codes (N,) of all steps, one sequence after another."""
    reject_masked(y, name, "Leave these sequences out.")
    if isinstance(y, (str, bytes)) or not isinstance(y, Iterable) or is_unordered(y) or hasattr(y, "columns"):
        raise TypeError(f"{name} is {shown(y)} ({type(y).__name__}). {_EACH}")
    items = list(y)
    if len(items) != len(lengths):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {X} has {count(len(lengths), 'sequence')}, "
            f"but {name} has {len(items)}. {_EACH}"
        )
    named = ((item, int(length), f"{name}[{i}]", f"{X}[{i}]") for i, (item, length) in enumerate(zip(items, lengths)))
    parts = [_read_part(*part) for part in named]
    distinct = list(dict.fromkeys(label for part in parts for label in part.classes.tolist()))
    classes = read_labels(distinct, name).classes
    index = {label: code for code, label in enumerate(classes.tolist())}
    codes = [np.array([index[label] for label in part.classes.tolist()], np.intp)[part.codes] for part in parts]
    return Labels(classes, np.concatenate(codes), name)


def _read_part(item: Any, length: int, name: str, X: str) -> Labels:
    """Read the labels of one sequence."""
    if isinstance(item, (str, bytes)) or not isinstance(item, Iterable):
        raise TypeError(f"{name} is {shown(item)}. {_EACH}")
    is_empty = isinstance(item, Sized) and getattr(item, "shape", None) != () and not len(item)
    labels = None if is_empty else read_labels(item, name, "step")
    if labels is None or len(labels) != length:
        n = 0 if labels is None else len(labels)
        raise ValueError(f"{name} has {count(n, 'label')}, but {X} has {count(length, 'step')}. {_EACH}")
    return labels
