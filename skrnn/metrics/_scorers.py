"""Scorers of step labels, for searches and cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.metrics import make_scorer

from ._reading import lengths_of, read_label_pair


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
        For the metric, such as ``average="macro"`` and `labels`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)``, for `scoring` of GridSearchCV. A `sample_weight` of sequences is that of each of
        their steps.

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
    scorer: Callable[..., float] = make_scorer(partial(_joined, metric), greater_is_better=greater_is_better, **kwargs)
    return scorer


def _joined(metric: Callable[..., float], y_true: Any, y_pred: Any, sample_weight: Any = None, **kwargs: Any) -> float:
    """Call a metric of single labels with the steps of all sequences."""
    read_label_pair(y_true, y_pred)  # raises where they do not fit
    if sample_weight is not None:
        kwargs["sample_weight"] = np.repeat(np.asarray(sample_weight), lengths_of(y_true, "y_true"))
    return metric(*(np.concatenate(list(map(np.asarray, y))) for y in (y_true, y_pred)), **kwargs)
