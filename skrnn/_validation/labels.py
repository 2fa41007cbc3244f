"""Class labels: read exactly, and turned into indices of the sorted classes."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from math import isfinite
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from .._floating_point import without_warnings
from .arrays import reject_masked, shorten
from .values import (
    DTYPES,
    SCALARS,
    PlainValue,
    as_list,
    exact_array,
    plain_value,
    plain_values,
    rows_of,
    shown,
    shown_all,
)


@dataclass(frozen=True)
class Labels:
    """Labels of n sequences.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The distinct labels, sorted: texts, numbers or booleans, in a dtype that holds each of them exactly.
    codes : ndarray of shape (n,), dtype intp
        Index of each label among them.
    name : str
        What errors call them.
    """

    classes: np.ndarray
    codes: np.ndarray
    name: str

    def __len__(self) -> int:
        return len(self.codes)

    def find(self, classes: np.ndarray) -> np.ndarray:
        """Return the index (n,) of each label among other classes, or -1."""
        known = {label: code for code, label in enumerate(classes.tolist())}
        return np.array([known.get(label, -1) for label in self.classes.tolist()], dtype=np.intp)[self.codes]

    def encode(self, classes: np.ndarray) -> np.ndarray:
        """Return the index (n,) of each label among other classes; raise for one that is not."""
        targets = self.find(classes)
        unknown = np.flatnonzero(targets < 0)
        if len(unknown):
            label = self.classes.tolist()[self.codes[unknown[0]]]
            raise ValueError(
                f"{self.name}[{unknown[0]}] is {shown(label)}, which is not one of the classes "
                f"{shown_all(classes.tolist())} that came before. Leave it out, or fit anew with all classes."
            )
        return targets


@without_warnings
def read_labels(y: Any, name: str = "y", unit: str = "sequence") -> Labels:
    """Return labels that a user passes, one for each `unit`, in a list, an array, or a column of a frame."""
    reject_masked(y, name, f"Leave these {unit}s out.")
    is_array = hasattr(y, "__array__") and getattr(y, "shape", None) != ()
    if isinstance(y, (str, bytes, bytearray)) or not (isinstance(y, Sequence) or is_array or _has_entries(y)):
        raise TypeError(f"{name} is {shown(y)} ({type(y).__name__}). Pass a list of one label per {unit}.")
    if hasattr(y, "columns") and len(y.shape) == 2:
        _column(np.empty(y.shape, dtype=bool), name, unit)
        y = [row[0] for row in rows_of(y)]
    keeps_objects = not isinstance(y, Sequence)  # texts in an array or a Series of objects stay objects
    is_typed = isinstance(getattr(y, "dtype", None), np.dtype) and y.dtype.kind != "O"
    if not is_typed and (isinstance(y, Sequence) or _has_entries(y)):
        y = _array_of_entries(as_list(y))
    is_of_objects = isinstance(y, np.ndarray) and y.dtype.kind in "OT"
    y = check_array(y, ensure_2d=False, dtype=None, ensure_all_finite=not is_of_objects, input_name=name)
    y = _column(y, name, unit)
    if y.dtype.kind in "OT":  # not is_of_objects: what becomes an array only now may hold objects, too
        values = y.tolist()
        _check_no_lists(values, name, unit)
        labels = _labels_of_objects(plain_values(values, lambda i: f"{name}[{i}]"), name, keeps_objects)
    else:
        classes, codes = np.unique(y, return_inverse=True)
        labels = Labels(classes, codes, name)
    kind = str(y.dtype)
    if y.dtype.kind not in "mMV":  # codes tell as much as texts do, and texts as an array may be large
        is_exact = labels.classes.dtype.kind in "biuUO"
        kind = type_of_target(labels.codes if is_exact else labels.classes[labels.codes], input_name=name)
    if kind not in ("binary", "multiclass"):
        advice = "Convert them, for example with str."
        if kind == "continuous":
            advice = "RNNSequenceRegressor predicts numbers; class labels can be converted, for example with str."
        raise ValueError(
            f"Unknown label type: {shorten(kind)}. {name} must hold class labels, one for each {unit}: integers, "
            f"strings or booleans. {advice}"
        )
    return labels


def _column(y: np.ndarray, name: str, unit: str) -> np.ndarray:
    """Return labels (n,) from (n,), or from (n, 1) with scikit-learn's warning."""
    if y.ndim != 1 and (y.ndim != 2 or y.shape[1] != 1):
        raise ValueError(
            f"{name} should be a 1d array, got an array of shape {y.shape} instead. Pass one label for each {unit}."
        )
    return column_or_1d(y, warn=True)


def _check_no_lists(values: list[Any], name: str, unit: str) -> None:
    """Raise where a label is a list, such as labels of steps for a sequence."""
    advice = f"Pass one label for each {unit}"
    advice += ", not one for each step: RNNSequenceTagger labels steps." if unit == "sequence" else "."
    if any(issubclass(kind, (list, tuple, np.ndarray)) for kind in set(map(type, values))):
        for i, value in enumerate(values):
            if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
                raise TypeError(f"{name}[{i}] is {shown(value)}. {advice}")


def _has_entries(y: Any) -> bool:
    """Tell whether a container that is no Sequence makes a list of its labels itself."""
    return getattr(y, "shape", None) != () and any(hasattr(y, name) for name in ("to_pylist", "to_list", "tolist"))


def _array_of_entries(entries: list[Any]) -> np.ndarray:
    """Return entries as an array of objects: (n,), or (n, k) where they are lists of k each."""
    if any(issubclass(kind, (list, tuple, np.ndarray)) for kind in set(map(type, entries))):
        with suppress(ValueError):  # ragged
            return np.asarray(entries, dtype=object)
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


def _labels_of_objects(values: list[PlainValue], name: str, keeps_objects: bool) -> Labels:
    """Return labels from values (n,); raise for two kinds, missing values and numbers beyond every dtype."""
    codes: defaultdict[PlainValue, int] = defaultdict(count().__next__)
    of_label = np.fromiter(map(codes.__getitem__, values), dtype=np.intp, count=len(values))
    for value, code in codes.items():
        if isinstance(value, float) and not isfinite(value):
            kind, i = "NaN" if value != value else "infinity", int(np.argmax(of_label == code))
            raise ValueError(f"Input {name} contains {kind}. It is at {name}[{i}]. Leave it out, or fill it.")
    types = set(map(type, values))
    if str in types and len(types) > 1:
        kinds = ", ".join(sorted(kind.__name__ for kind in types))
        raise ValueError(
            f"{name} mixes labels that cannot be sorted, of the types {kinds}. Convert them, for example with str."
        )
    distinct = sorted(codes)
    classes = exact_array(distinct, () if str in types else {DTYPES[kind] for kind in types})
    if classes.dtype == object and str not in types:
        largest = max(codes, key=abs)  # type: ignore[arg-type]
        raise ValueError(
            f"{name} holds numbers that no dtype of NumPy holds exactly: {name}[{values.index(largest)}] is "
            f"{shown(largest)}. Convert the labels, for example with str."
        )
    if str in types and keeps_objects:
        classes = classes.astype(object)
    places = np.empty(len(distinct), dtype=np.intp)
    places[[codes[value] for value in distinct]] = np.arange(len(distinct))
    return Labels(classes, places[of_label], name)


def read_classes(classes: Any) -> np.ndarray:
    """Return the distinct labels that `partial_fit` was told of, sorted."""
    return read_labels(list(classes) if isinstance(classes, Set) else classes, "classes").classes


def check_same_classes(classes: Any, known: np.ndarray) -> None:
    """Raise unless the labels that `partial_fit` was told of are the known ones."""
    told = read_classes(classes)
    if told.tolist() != known.tolist():
        raise ValueError(
            f"classes={shown_all(told.tolist())} is not the same as on the first call to partial_fit, "
            f"{shown_all(known.tolist())}. Leave it out, or fit a new estimator."
        )


def factors_of_classes(class_weight: dict[Any, Any], classes: np.ndarray) -> np.ndarray:
    """Return the weight (n_classes,) that a dict gives each class; 1 for those that it does not name."""
    codes = {label: code for code, label in enumerate(classes.tolist())}
    factors = np.ones(len(classes))
    for key, weight in class_weight.items():
        if not (isinstance(weight, SCALARS) and not isinstance(weight, str) and 0 <= weight <= sys.float_info.max):
            raise ValueError(
                f"class_weight[{shown(key)}] is {shown(weight)}. Weights must be numbers, finite and >= 0."
            )
        code = codes.get(plain_value(key)) if isinstance(key, SCALARS) else None
        if code is None:
            raise ValueError(
                f"class_weight has a weight for {shown(key)}, which is not one of the classes "
                f"{shown_all(classes.tolist())}. Leave it out."
            )
        factors[code] = weight
    return factors
