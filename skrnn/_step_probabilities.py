"""Probabilities after every step, whatever is around the classifier that has them."""

from __future__ import annotations

from typing import Any

from ._validation.values import shown
from ._wrapped import check_reads_forwards, transform_by, unwrap


def predict_proba_steps(estimator: Any, X: Any) -> Any:
    """Return the probabilities (n_steps_i, n_classes) after every step of each sequence, of a fitted estimator."""
    transformers, classifier = split_classifier(estimator)
    proba = classifier.predict_proba_steps(transform_by(transformers, X))
    check_reads_forwards(transformers, X)
    return proba


def split_classifier(estimator: Any) -> tuple[list[Any], Any]:
    """Return the transformers before a classifier, and that; raises for one that cannot say what it thinks midway."""
    transformers, classifier = unwrap(estimator)
    if not hasattr(classifier, "predict_proba_steps"):
        raise TypeError(
            f"estimator is, or ends with, {shown(classifier)}, which has no predict_proba_steps. Pass a "
            "RNNSequenceClassifier, or a pipeline that ends with one."
        )
    return transformers, classifier
