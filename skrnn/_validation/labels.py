"""Class labels: read exactly, and turned into indices of the sorted classes."""

from __future__ import annotations

import sys
from collections.abc import Sequence, Set
from math import isfinite
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from .arrays import reject_masked
from .values import (
    SCALARS,
    PlainValue,
    as_list,
    exact_array,
    is_unordered,
    plain_value,
    plain_values,
    rows_of,
    shown,
    shown_all,
)


def read_labels(y: Any, name: str = "y") -> np.ndarray:
    """Return labels (n,) as an array of texts, numbers or booleans that holds each of them exactly."""
    reject_masked(y, name)
    if isinstance(y, (str, bytes)) or is_unordered(y):
        raise TypeError(f"{name} is {shown(y)} ({type(y).__name__}). Pass a list of one label per sequence.")
    if hasattr(y, "columns") and len(y.shape) == 2:
        column_or_1d(np.empty(y.shape, dtype=bool), warn=True)  # scikit-learn's own sentences about its shape
        y = [row[0] for row in rows_of(y)]
    keeps_objects = not isinstance(y, Sequence)  # texts in an array or a Series of objects stay objects
    is_typed = isinstance(getattr(y, "dtype", None), np.dtype) and y.dtype.kind != "O"
    if not is_typed and (isinstance(y, Sequence) or hasattr(y, "to_list") or hasattr(y, "to_pylist")):
        y = np.asarray(as_list(y), dtype=object)
    is_of_objects = isinstance(y, np.ndarray) and y.dtype.kind in "OT"
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=not is_of_objects, input_name=name)
    y = column_or_1d(y, warn=True)
    if y.dtype.kind in "OT":  # not is_of_objects: what becomes an array only now may hold objects, too
        labels = _array_of_labels(plain_values(y.tolist(), lambda i: f"{name}[{i}]"), name)
        y = labels.astype(object) if keeps_objects and labels.dtype.kind == "U" else labels
    kind = str(y.dtype) if y.dtype.kind in "mMV" else type_of_target(y, input_name=name)
    if kind not in ("binary", "multiclass"):
        raise ValueError(f"Unknown label type: {kind}. {name} must hold class labels, one for each sequence.")
    return y


def _array_of_labels(values: list[PlainValue], name: str) -> np.ndarray:
    """Return labels (n,) as an exact array; raise for two kinds, missing values and numbers beyond every dtype."""
    for i, value in enumerate(values):
        if isinstance(value, float) and not isfinite(value):
            kind = "NaN" if value != value else "infinity"
            raise ValueError(f"Input {name} contains {kind}. It is at {name}[{i}]. Leave it out, or fill it.")
    types = set(map(type, values))
    if str in types and len(types) > 1:
        kinds = ", ".join(sorted(kind.__name__ for kind in types))
        raise ValueError(
            f"{name} mixes labels that cannot be sorted, of the types {kinds}. Convert them, for example with str."
        )
    labels = exact_array(values)
    if labels.dtype == object and str not in types:
        largest = max(range(len(values)), key=lambda i: abs(values[i]))  # type: ignore[arg-type]
        raise ValueError(
            f"{name} holds numbers that no dtype of NumPy holds exactly: {name}[{largest}] is "
            f"{shown(values[largest])}. Convert the labels, for example with str."
        )
    return labels


def read_classes(classes: Any) -> np.ndarray:
    """Return the distinct labels that `partial_fit` was told of, sorted."""
    return np.unique(read_labels(list(classes) if isinstance(classes, Set) else classes, "classes"))


def check_same_classes(classes: Any, known: np.ndarray) -> None:
    """Raise unless the labels that `partial_fit` was told of are the known ones."""
    told = read_classes(classes)
    if told.tolist() != known.tolist():
        raise ValueError(
            f"classes={shown_all(told.tolist())} is not the same as on the first call to partial_fit, "
            f"{shown_all(known.tolist())}. Leave it out, or fit a new estimator."
        )


def encode_labels(labels: np.ndarray, classes: np.ndarray, name: str = "y") -> np.ndarray:
    """Return the index (n,) of each label among the sorted `classes` (n_classes,)."""
    targets = find_labels(labels, classes)
    unknown = np.flatnonzero(targets < 0)
    if len(unknown):
        raise ValueError(
            f"{name}[{unknown[0]}] is {shown(labels[unknown[:1]].tolist()[0])}, which is not one of the classes "
            f"{shown_all(classes.tolist())} that came before. Leave it out, or fit anew with all classes."
        )
    return targets


def find_labels(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the index (n,) of each label among `classes` (n_classes,), or -1."""
    codes = {label: code for code, label in enumerate(classes.tolist())}
    return np.fromiter((codes.get(label, -1) for label in labels.tolist()), dtype=np.intp, count=len(labels))


def factors_of_classes(class_weight: dict[Any, Any], classes: np.ndarray) -> np.ndarray:
    """Return the weight (n_classes,) that a dict gives each class; 1 for those that it does not name."""
    codes = {label: code for code, label in enumerate(classes.tolist())}
    factors = np.ones(len(classes))
    for key, weight in class_weight.items():
        if not (isinstance(weight, SCALARS) and not isinstance(weight, str) and 0 <= weight <= sys.float_info.max):
            raise ValueError(f"class_weight[{shown(key)}] is {shown(weight)}. Weights must be finite and >= 0.")
        code = codes.get(plain_value(key)) if isinstance(key, SCALARS) else None
        if code is None:
            raise ValueError(
                f"class_weight has a weight for {shown(key)}, which is not one of the classes "
                f"{shown_all(classes.tolist())}. Leave it out."
            )
        factors[code] = weight
    return factors
