"""Sequences with a label each: what a fit finds out about them, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, compute_class_weight

from ._base import Examples, Passed
from ._config import ClassifierConfig
from ._hold_out import hold_out, hold_out_any
from ._sequence_reading import ReadX, SequenceReading, learn_input
from ._validation.indicators import Indicators, read_indicators
from ._validation.labels import Labels, check_same_classes, factors_of_classes, read_classes, read_labels
from ._validation.weights import check_sample_weight, product_of_weights
from .core.data.dataset import Dataset
from .core.data.sequences import Sequences


@dataclass(frozen=True, eq=False, repr=False)
class LabelledReading(SequenceReading):
    """How sequences and their labels are read."""

    classes: np.ndarray
    """The labels (K,), sorted."""
    is_multilabel: bool = False
    """Whether a sequence may have several of them, or none."""

    @classmethod
    def learn(
        cls, shape: BaseEstimator, config: ClassifierConfig, passed: Passed, classes: Any
    ) -> tuple[LabelledReading, LabelledSequences]:
        """Read X and y, and how later ones are to be read; `classes` are all labels that will come, or None."""
        known_of_X, read = learn_input(shape, config, passed)
        labels = read_targets(passed.y, read.sequences, type(shape).__name__)
        check_consistent_length(read.sequences.lengths, labels)
        is_multilabel = isinstance(labels, Indicators)
        known = labels.classes if classes is None else read_classes(classes)
        reading = cls(*known_of_X, known, is_multilabel)
        return reading, reading._weigh(config.class_weight, read, labels, passed.sample_weight)

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of X and y."""
        return {**super().attributes(), "classes_": self.classes}

    def check_same_classes(self, classes: Any) -> None:
        """Raise unless all labels that will come are those that were told of before."""
        check_same_classes(classes, self.classes)

    def read_targets(self, y: Any, sequences: Sequences, name: str = "y") -> Labels | Indicators:
        """Return the labels of sequences; raises where they are of another kind than those that were learned from."""
        labels = read_targets(y, sequences, type(self.shape).__name__, name)
        if isinstance(labels, Indicators) != self.is_multilabel:
            has, had = ("an indicator matrix", "one label for each sequence")[:: -1 if self.is_multilabel else 1]
            raise ValueError(f"{name} is {has}, but the model was fitted on {had}. Pass that, or fit anew.")
        return labels

    def to_learn(self, class_weight: Any, passed: Passed) -> LabelledSequences:
        """Read what is learned from; sequences that weigh nothing are left out."""
        read = self.read_sequences(passed.X)
        labels = self.read_targets(passed.y, read.sequences)
        check_consistent_length(read.sequences.lengths, labels)
        return self._weigh(class_weight, read, labels, passed.sample_weight)

    def to_validate(self, passed: Passed) -> LabelledSequences:
        """Read what is held out by the caller."""
        sequences, items = self.read_sequences(passed.X, "X_val")
        labels = self.read_targets(passed.y, sequences, "y_val")
        if len(labels) != len(sequences):
            raise ValueError(f"X_val has {len(sequences)} sequences, but y_val has {len(labels)} labels.")
        targets = labels.encode(self.classes)
        weights = check_sample_weight(passed.sample_weight, len(targets), "sample_weight_val", "X_val")
        data, is_weighted = Dataset(sequences, targets, weights), passed.sample_weight is not None
        return LabelledSequences(data, is_weighted, items, self.classes)

    def _weigh(
        self, class_weight: Any, read: ReadX, labels: Labels | Indicators, sample_weight: Any
    ) -> LabelledSequences:
        targets = labels.encode(self.classes)
        weights = check_sample_weight(sample_weight, len(labels))
        if class_weight is not None and self.is_multilabel:
            raise ValueError(
                "class_weight needs a y of one label for each sequence, but y is an indicator matrix. Use "
                "class_weight=None and sample_weight."
            )
        if class_weight is not None:
            weights = product_of_weights(weights, self._weights_of_classes(class_weight, targets, weights)[targets])
            if not weights.any():
                raise ValueError(
                    "All weights are zero: class_weight and sample_weight leave no sequence to learn from. Give a "
                    "class that y has a weight above 0."
                )
        data = Dataset(read.sequences, targets, weights)
        return LabelledSequences(data, sample_weight is not None, read.items, self.classes).that_weigh()

    def _weights_of_classes(self, class_weight: Any, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the weight of each class (K,); 1 for those that nothing is said of."""
        if isinstance(class_weight, dict):
            return factors_of_classes(class_weight, self.classes)
        factors = np.ones(len(self.classes))
        seen = np.flatnonzero(weights)
        present = np.unique(targets[seen])
        factors[present] = compute_class_weight(
            "balanced", classes=present, y=targets[seen], sample_weight=weights[seen]
        )
        return factors


@dataclass(frozen=True)
class LabelledSequences(Examples):
    """Sequences and the indices of their classes."""

    classes: np.ndarray
    """The labels (K,)."""

    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, LabelledSequences]:
        """Return what is left to learn from, and what is held out: of each class as near as possible in proportion."""
        targets = self.data.targets
        is_multilabel = targets.ndim > 1
        train, held_out = (
            hold_out_any(len(targets), fraction, seed) if is_multilabel else hold_out(targets, fraction, seed)
        )
        return self.data.take(train), self.take(held_out)

    def for_scorer(self) -> tuple[Any, ...]:
        """Return X and y as a scorer gets them."""
        targets = self.data.targets
        return self.X_for_scorer(), self.classes[targets] if targets.ndim == 1 else targets


def read_targets(y: Any, sequences: Sequences, estimator_name: str, name: str = "y") -> Labels | Indicators:
    """Return the labels of sequences; raises where there are none."""
    if y is None:
        raise ValueError(
            f"{estimator_name} requires y to be passed, but the target y is None. Pass one label for each sequence."
        )
    return read_indicators(y, name, sequences.lengths) or read_labels(y, name)
