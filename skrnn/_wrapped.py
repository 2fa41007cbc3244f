"""What is inside of pipelines, searches and frozen estimators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

_N_TRIED = 8
"""Sequences with which it is tried whether transformers look ahead."""


def unwrap(model: Any) -> tuple[list[Any], Any]:
    """Return the transformers that X passes one after another, and the estimator behind them.

    They are those of pipelines, of searches that were fitted and of frozen estimators, however nested. What predictions
    skip, such as the samplers of imbalanced-learn, is left out.
    """
    *before, estimator = _steps_of(model)
    return [step for step in before if hasattr(step, "transform")], estimator


def transform_by(transformers: list[Any], X: Any) -> Any:
    """Return what transformers make of X, one after another."""
    for transformer in transformers:
        X = transformer.transform(X)
    return X


def check_reads_forwards(transformers: list[Any], X: Any) -> None:
    """Raise if the second half of a sequence changes what transformers make of the first, or if steps get lost.

    It is tried with a few arrays of numbers; what else X may hold is not looked at. The last step of the first half
    takes the place of the second, since a transformer may refuse numbers that it does not know, or times that decrease.
    """
    items = X if transformers and isinstance(X, (list, tuple, np.ndarray)) else ()
    are_numbers = (x for x in items if isinstance(x, np.ndarray) and x.dtype.kind in "fiu" and len(x) > 1)
    tried = list(islice(are_numbers, _N_TRIED))
    if not tried:
        return
    halves = [len(x) // 2 for x in tried]
    changed = [x[np.minimum(np.arange(len(x)), half - 1)] for x, half in zip(tried, halves)]
    is_table = isinstance(X, np.ndarray) and X.dtype != object
    before, after = (transform_by(transformers, np.stack(part) if is_table else part) for part in (tried, changed))
    if hasattr(before, "columns"):  # a frame, whose items are not its rows
        before, after = np.asarray(before), np.asarray(after)
    for x, half, a, b in zip(tried, halves, before, after):
        if len(a) != len(x):
            raise ValueError(
                f"The transformers of estimator make {len(a)} steps of {len(x)}. Use such as make a step of each."
            )
        if not np.array_equal(np.asarray(a)[:half], np.asarray(b)[:half]):
            raise ValueError(
                f"The transformers of estimator look ahead: what they make of the first {half} steps of a sequence "
                "depends on later ones. Use such as treat every step by itself, as "
                "skrnn.preprocessing.SequenceScaler does."
            )


def _steps_of(model: Any) -> Iterator[Any]:
    """Yield what X passes, the estimator last."""
    if isinstance(model, FrozenEstimator):
        yield from _steps_of(model.estimator)
    elif hasattr(model, "best_estimator_"):  # a search
        yield from _steps_of(model.best_estimator_)
    elif isinstance(model, Pipeline):
        for _, step in model.steps:
            if step is not None and step != "passthrough":
                yield from _steps_of(step)
    else:
        yield model
