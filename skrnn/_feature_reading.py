"""How sequences of features are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from ._fitted import Reading
from ._validation.features import validate_sequences
from ._warnings import warn_caller
from .core.data.sequences import FeatureSequences

MANY_FEATURES = 8
"""From as many on, features of a single step may be steps of a single feature, in the layout of other libraries."""


@dataclass(frozen=True, eq=False, repr=False)
class FeatureReading(Reading):
    """What classifier, regressor and tagger know of X."""

    @property
    def n_inputs(self) -> int:
        """Features per step."""
        return int(self.shape.n_inputs_)

    def read_sequences(self, X: Any, name: str = "X") -> FeatureSequences:
        """Read sequences to learn from or to validate on, a copy."""
        return validate_sequences(self.shape, X, reset=False, dtype=self.dtype, name=name)

    def to_predict(self, X: Any) -> FeatureSequences:
        """Read what is predicted for, in its place where it can be."""
        return validate_sequences(self.shape, X, reset=False, dtype=self.dtype, copy=False)


def learn_sequences(shape: BaseEstimator, X: Any) -> FeatureSequences:
    """Read sequences to learn from, a copy, and write down on `shape` what they look like."""
    sequences = validate_sequences(shape, X, reset=True)
    n = sequences.n_features
    if n >= MANY_FEATURES and (sequences.lengths == 1).all():
        warn_caller(
            f"Every sequence of X has one step of {n} features, so no step follows another. If they are {n} steps of "
            "one feature, in the layout (n, channels, time), pass skrnn.sequences.from_channels_first(X)."
        )
    return sequences
