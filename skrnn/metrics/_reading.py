"""Labels of steps, true and predicted."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any, NamedTuple

import numpy as np

from .._validation.labels import Labels
from .._validation.step_labels import read_step_labels
from .._validation.values import is_unordered, shown


class LabelPair(NamedTuple):
    """True and predicted labels of n sequences with N steps in all.

    Attributes
    ----------
    lengths : ndarray of shape (n,)
        Number of steps of each sequence.
    true, predicted : Labels
        Of N steps, as they were passed.
    classes : list
        The distinct labels of both.
    y_true, y_pred : ndarray of shape (N,)
        Index of each step's label among them.
    """

    lengths: np.ndarray
    true: Labels
    predicted: Labels
    classes: list[Any]
    y_true: np.ndarray
    y_pred: np.ndarray

    def find(self, labels: Labels, code: int) -> str:
        """Return the place where a label of one of both comes first, such as ``y_true[0][2]``."""
        step = int(np.argmax(labels.codes == code))
        ends = np.cumsum(self.lengths)
        i = int(np.searchsorted(ends, step, side="right"))
        return f"{labels.name}[{i}][{step - ends[i] + self.lengths[i]}]"


def read_label_pair(y_true: Any, y_pred: Any) -> LabelPair:
    """Read two lists of label sequences of the same lengths; raise where they are not."""
    sequences = _sequences_of(y_true, "y_true")
    lengths = np.array([len(labels) for labels in sequences])
    true = read_step_labels(sequences, lengths, "y_true", "y_true")
    predicted = read_step_labels(y_pred, lengths, "y_pred", "y_true")
    classes = list(dict.fromkeys([*true.classes.tolist(), *predicted.classes.tolist()]))
    index = {label: code for code, label in enumerate(classes)}
    codes = (np.array([index[v] for v in labels.classes.tolist()])[labels.codes] for labels in (true, predicted))
    pair = LabelPair(lengths, true, predicted, classes, *codes)
    _check_comparable(pair)
    return pair


def _sequences_of(y: Any, name: str) -> list[Any]:
    """Return sequences of labels as a list; raise for what is none."""
    is_list = isinstance(y, Iterable) and not isinstance(y, (str, bytes)) and not is_unordered(y)
    sequences = list(y) if is_list and not hasattr(y, "columns") and getattr(y, "shape", None) != () else []
    if not sequences:
        raise ValueError(f"{name} is {shown(y)}. Pass a list with the labels of each sequence, one label a step.")
    for i, labels in enumerate(sequences):
        is_sized = isinstance(labels, Sized) and getattr(labels, "shape", None) != ()
        if isinstance(labels, (str, bytes)) or not is_sized or not len(labels):
            raise ValueError(
                f"{name}[{i}] is {shown(labels)}. Pass a list with the labels of each sequence, one label a step."
            )
    return sequences


def _check_comparable(pair: LabelPair) -> None:
    """Raise for texts on one side and numbers on the other, which are never equal."""
    true, predicted = (labels.classes.tolist()[0] for labels in (pair.true, pair.predicted))
    if isinstance(true, str) != isinstance(predicted, str):
        raise ValueError(
            f"{pair.find(pair.true, 0)} is {shown(true)}, but {pair.find(pair.predicted, 0)} is {shown(predicted)}: "
            "texts and numbers are never equal. Convert one of them, for example with str."
        )
