"""Scorers of step labels, for searches and cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Signature, signature
from typing import Any

import numpy as np
from sklearn.metrics import make_scorer

from .._validation.values import shown
from .._validation.weights import check_sample_weight
from ._reading import read_label_pair


def make_step_scorer(
    metric: Callable[..., float], *, greater_is_better: bool = True, **kwargs: Any
) -> Callable[..., float]:
    """Make a scorer from a metric of single labels: the steps of all sequences are joined.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **kwargs)``, such as :func:`sklearn.metrics.f1_score`.
    greater_is_better : bool, default=True
        Whether the metric is a score and not a loss, whose sign is changed.
    **kwargs : dict
        For the metric, such as ``average="macro"`` and `labels`, those that count.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, *, sample_weight=None)``, for `scoring` of GridSearchCV and cross_validate. It calls
        ``estimator.predict(X)``; the weight of a sequence is that of each of its steps. Which metadata it gets is set
        by ``set_score_request``, as for :func:`sklearn.metrics.make_scorer`.

    Raises
    ------
    TypeError
        If `metric` is not callable. The scorer raises it if a label is neither text, number nor boolean.
    ValueError
        By the scorer: if true labels are not one for each step of each sequence, if they are texts where predicted ones
        are numbers, or if `sample_weight` is negative, not finite, zero throughout or not one for each sequence.

    Examples
    --------
    >>> from sklearn.metrics import f1_score
    >>> from skrnn import RNNSequenceTagger
    >>> from skrnn.metrics import make_step_scorer
    >>> X, y = [[0.0, 1.0], [1.0, 0.0, 1.0]] * 10, [["-", "+"], ["+", "-", "+"]] * 10
    >>> model = RNNSequenceTagger(8, max_iter=30, learning_rate="cosine", learning_rate_init=0.1, random_state=0)
    >>> make_step_scorer(f1_score, pos_label="+")(model.fit(X, y), X, y)
    1.0
    """
    if not callable(metric):
        raise TypeError(f"metric is {shown(metric)}. Pass a function of labels, such as sklearn.metrics.f1_score.")
    scorer: Callable[..., float] = make_scorer(_OfSteps(metric), greater_is_better=greater_is_better, **kwargs)
    return scorer


@dataclass(frozen=True)
class _OfSteps:
    """A metric of single labels, for label sequences: the steps of all of them are joined."""

    metric: Callable[..., float]

    @property
    def __name__(self) -> str:
        return f"{getattr(self.metric, '__name__', self.metric)} of steps"

    @property
    def __signature__(self) -> Signature:
        return signature(self.metric)  # where scikit-learn looks whether it takes weights

    def __call__(self, y_true: Any, y_pred: Any, *, sample_weight: Any = None, **kwargs: Any) -> float:
        pair = read_label_pair(y_true, y_pred)
        if sample_weight is not None:
            weights = check_sample_weight(sample_weight, len(pair.lengths), X="y_true")
            kwargs["sample_weight"] = np.repeat(weights, pair.lengths)
        return self.metric(*(labels.classes[labels.codes] for labels in (pair.true, pair.predicted)), **kwargs)
