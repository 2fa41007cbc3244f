"""Probabilities after every step, whatever is around the classifier that has them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ._validation.values import shown


def predict_proba_steps(estimator: Any, X: Any) -> Any:
    """Return the probabilities (n_steps_i, n_classes) after every step of each sequence, of a fitted estimator."""
    transformers, classifier = split_pipeline(estimator)
    proba = classifier.predict_proba_steps(_transform(transformers, X))
    if transformers:
        _check_reads_forwards(transformers, X)
    return proba


def split_pipeline(estimator: Any) -> tuple[list[Any], Any]:
    """Return the transformers before a classifier, and that; raises for one that cannot say what it thinks midway."""
    if isinstance(estimator, FrozenEstimator):
        return split_pipeline(estimator.estimator)
    if hasattr(estimator, "best_estimator_"):  # a search
        return split_pipeline(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        transformers = [step for _, step in estimator.steps[:-1] if hasattr(step, "transform")]  # not "passthrough"
        others, classifier = split_pipeline(estimator.steps[-1][1])
        return [*transformers, *others], classifier
    if not hasattr(estimator, "predict_proba_steps"):
        raise TypeError(
            f"estimator is {shown(estimator)}, which has no predict_proba_steps. Pass a RNNSequenceClassifier, or a "
            "pipeline that ends with one."
        )
    return [], estimator


def _transform(transformers: list[Any], X: Any) -> Any:
    for transformer in transformers:
        X = transformer.transform(X)
    return X


def _check_reads_forwards(transformers: list[Any], X: Any) -> None:
    """Raise if the second half of a sequence changes what transformers make of the first, or if steps get lost.

    It is tried with one array of numbers; what else X may hold is not looked at.
    """
    items = X if isinstance(X, (list, tuple, np.ndarray)) else ()
    are_numbers = (isinstance(x, np.ndarray) and x.dtype.kind in "fiu" and len(x) > 1 for x in items)
    i = next((i for i, is_array in enumerate(are_numbers) if is_array), None)
    if i is None:
        return
    x, half = X[i], len(X[i]) // 2
    changed = x.copy()
    changed[half:] = 2 * x.max(axis=0) + 1
    before, after = (
        np.asarray(_transform(transformers, one[np.newaxis] if isinstance(X, np.ndarray) else [one])[0])
        for one in (x, changed)
    )
    if len(before) != len(x):
        raise ValueError(
            f"The transformers of estimator make {len(before)} steps of the {len(x)} of X[{i}]. Use such as make a "
            "step of each."
        )
    if not np.array_equal(before[:half], after[:half]):
        raise ValueError(
            f"The transformers of estimator look ahead: what they make of the first {half} steps of X[{i}] depends on "
            "later ones. Use such as treat every step by itself, as skrnn.preprocessing.SequenceScaler does."
        )
