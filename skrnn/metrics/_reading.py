"""Labels of steps, true and predicted."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any, NamedTuple

import numpy as np

from .._validation.step_labels import read_step_labels
from .._validation.values import shown


class LabelPair(NamedTuple):
    """True and predicted labels of n sequences with N steps in all.

    Attributes
    ----------
    lengths : ndarray of shape (n,)
        Number of steps of each sequence.
    classes : list
        The distinct labels.
    y_true, y_pred : ndarray of shape (N,)
        Index of each step's label among them.
    """

    lengths: np.ndarray
    classes: list[Any]
    y_true: np.ndarray
    y_pred: np.ndarray


def read_label_pair(y_true: Any, y_pred: Any) -> LabelPair:
    """Read two lists of label sequences of the same lengths; raise where they are not."""
    lengths = lengths_of(y_true, "y_true")
    true = read_step_labels(y_true, lengths, "y_true", "y_true")
    predicted = read_step_labels(y_pred, lengths, "y_pred", "y_true")
    classes = list(dict.fromkeys([*true.classes.tolist(), *predicted.classes.tolist()]))
    index = {label: code for code, label in enumerate(classes)}
    codes = (np.array([index[v] for v in labels.classes.tolist()])[labels.codes] for labels in (true, predicted))
    return LabelPair(lengths, classes, *codes)


def lengths_of(y: Any, name: str) -> np.ndarray:
    """Return the number of labels of each sequence; raise for what is no list of sequences."""
    is_list = isinstance(y, Iterable) and not isinstance(y, (str, bytes, dict, set))
    items = list(y) if is_list else []
    if not items:
        raise ValueError(f"{name} is {shown(y)}. Pass a list with the labels of each sequence, one label a step.")
    for i, item in enumerate(items):
        if isinstance(item, (str, bytes)) or not isinstance(item, Sized) or not len(item):
            raise ValueError(
                f"{name}[{i}] is {shown(item)}. Pass a list with the labels of each sequence, one label a step."
            )
    return np.array([len(item) for item in items])
