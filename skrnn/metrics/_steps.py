"""Accuracy, by step and by sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._validation.values import SCALARS, shown
from .._validation.weights import check_sample_weight
from ._reading import LabelPair, read_label_pair


def step_accuracy_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None, ignore_label: Any = None) -> float:
    """Compute the share of steps whose label is right, over all steps of all sequences.

    Parameters
    ----------
    y_true, y_pred : list of array-like of shape (n_steps_i,)
        True and predicted labels of each sequence.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence, and of each of its steps.
    ignore_label : label or None, default=None
        Steps with this true label do not count.

    Returns
    -------
    accuracy : float
        From 0 to 1.

    Raises
    ------
    TypeError
        If a label, or `ignore_label`, is neither text, number nor boolean.
    ValueError
        If there are no sequences, an empty one, or one label for each sequence; if sequences or steps are not as many
        in both, or labels are texts in one and numbers in the other; if `sample_weight` is negative, not finite, zero
        throughout or not one for each sequence; if `ignore_label` or weights of 0 leave no step.

    Examples
    --------
    >>> from skrnn.metrics import step_accuracy_score
    >>> step_accuracy_score([["a", "b"], ["b", "b", "a"]], [["a", "a"], ["b", "b", "a"]])
    0.8
    """
    pair = read_label_pair(y_true, y_pred)
    weights = np.repeat(check_sample_weight(sample_weight, len(pair.lengths), X="y_true"), pair.lengths)
    return _mean(pair.y_true == pair.y_pred, weights * _counts(pair, ignore_label))


def sequence_accuracy_score(y_true: Any, y_pred: Any, *, sample_weight: Any = None, ignore_label: Any = None) -> float:
    """Compute the share of sequences all of whose steps are right.

    Parameters
    ----------
    y_true, y_pred : list of array-like of shape (n_steps_i,)
        True and predicted labels of each sequence.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weight of each sequence.
    ignore_label : label or None, default=None
        Steps with this true label do not count; a sequence of such steps only does not, either.

    Returns
    -------
    accuracy : float
        From 0 to 1.

    Raises
    ------
    TypeError
        If a label, or `ignore_label`, is neither text, number nor boolean.
    ValueError
        If there are no sequences, an empty one, or one label for each sequence; if sequences or steps are not as many
        in both, or labels are texts in one and numbers in the other; if `sample_weight` is negative, not finite, zero
        throughout or not one for each sequence; if `ignore_label` or weights of 0 leave no step.

    Examples
    --------
    >>> from skrnn.metrics import sequence_accuracy_score
    >>> sequence_accuracy_score([["a", "b"], ["b", "b", "a"]], [["a", "a"], ["b", "b", "a"]])
    0.5
    """
    pair = read_label_pair(y_true, y_pred)
    counts, first = _counts(pair, ignore_label), np.cumsum(pair.lengths) - pair.lengths
    is_right = np.logical_and.reduceat((pair.y_true == pair.y_pred) | ~counts, first)
    weights = check_sample_weight(sample_weight, len(pair.lengths), X="y_true")
    return _mean(is_right, weights * np.logical_or.reduceat(counts, first))


def _counts(pair: LabelPair, ignore_label: Any) -> np.ndarray:
    """Which steps (N,) count."""
    if ignore_label is not None and not isinstance(ignore_label, SCALARS):
        raise TypeError(f"ignore_label is {shown(ignore_label)}. Pass one label, or None.")
    is_ignored = [ignore_label is not None and label == ignore_label for label in pair.classes]
    return ~np.array(is_ignored)[pair.y_true]


def _mean(is_right: np.ndarray, weights: np.ndarray) -> float:
    if not weights.any():
        raise ValueError("No step counts: all are ignored, or have weight 0. Label at least one.")
    return float(np.average(is_right, weights=weights / weights.max()))
