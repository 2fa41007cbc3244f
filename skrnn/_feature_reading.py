"""How sequences of features are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._fitted import Reading
from ._validation.features import validate_sequences
from .core.data.sequences import FeatureSequences


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
