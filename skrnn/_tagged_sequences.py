"""Sequences with a label for each step: how they are read, and what they are for training and scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import compute_class_weight

from ._base import Examples, Passed
from ._config import TaggerConfig
from ._hold_out import hold_out_any
from ._sequence_reading import ReadX, SequenceReading, learn_input
from ._validation.labels import Labels, check_same_classes, factors_of_classes, read_classes
from ._validation.step_labels import read_step_labels
from ._validation.values import array_of_objects, shown, shown_all
from ._validation.weights import check_sample_weight
from .core.data.dataset import Dataset
from .core.data.sequences import Sequences


@dataclass(frozen=True, eq=False, repr=False)
class TagReading(SequenceReading):
    """How sequences and the labels of their steps are read."""

    classes: np.ndarray
    """The labels (K,), sorted, without the one that is ignored."""
    ignored: list[Any]
    """The label that says nothing, or none."""

    @classmethod
    def learn(
        cls, shape: BaseEstimator, config: TaggerConfig, passed: Passed, classes: Any
    ) -> tuple[TagReading, TaggedSequences]:
        """Read X and y, and how later ones are to be read; `classes` are all labels that will come, or None."""
        known_of_X, read = learn_input(shape, config, passed)
        labels = read_targets(passed.y, read.sequences, type(shape).__name__)
        known = labels.classes if classes is None else read_classes(classes)
        ignored = [] if config.ignore_label is None else [config.ignore_label]
        known = known[[label not in ignored for label in known.tolist()]]
        if not len(known):
            raise ValueError(f"y has no label but ignore_label={config.ignore_label!r}. Label at least one step.")
        reading = cls(*known_of_X, known, ignored)
        return reading, reading._examples(read, labels, passed)

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes, classes included."""
        return {**super().attributes(), "classes_": self.classes}

    def check_same_classes(self, classes: Any) -> None:
        """Raise unless all labels that will come are those that were told of before."""
        check_same_classes(classes, self.classes)

    def to_learn(self, passed: Passed) -> TaggedSequences:
        """Read what is learned from; sequences that weigh nothing, or have no label, are left out."""
        read = self.read_sequences(passed.X)
        return self._examples(read, read_targets(passed.y, read.sequences, type(self.shape).__name__), passed)

    def to_validate(self, passed: Passed) -> TaggedSequences:
        """Read what the caller passes to validate on."""
        read = self.read_sequences(passed.X, "X_val")
        labels = read_targets(passed.y, read.sequences, type(self.shape).__name__, "y_val", "X_val")
        return self._examples(read, labels, passed, "sample_weight_val", "X_val")

    def to_score(self, sequences: Sequences, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return codes (N,) of steps, -1 for labels that are not known, and weights (N,), 0 where they are ignored."""
        labels = read_targets(y, sequences, type(self.shape).__name__)
        weights = np.repeat(check_sample_weight(sample_weight, len(sequences)), sequences.lengths)
        return labels.find(self.classes), weights * ~self._is_ignored(labels)

    def class_weights(self, class_weight: Any, data: Dataset) -> list[float]:
        """Return the factor of each label's weights; none, if there is nothing to say."""
        if class_weight is None:
            return []
        if isinstance(class_weight, dict):
            return factors_of_classes(class_weight, self.classes).tolist()
        targets, weights = data.all_targets()
        is_known, factors = targets < len(self.classes), np.ones(len(self.classes))
        present = np.unique(targets[is_known])
        factors[present] = compute_class_weight(
            "balanced", classes=present, y=targets[is_known], sample_weight=weights[is_known]
        )
        return factors.tolist()

    def _is_ignored(self, labels: Labels) -> np.ndarray:
        return np.array([label in self.ignored for label in labels.classes.tolist()])[labels.codes]

    def _examples(
        self, read: ReadX, labels: Labels, passed: Passed, name: str = "sample_weight", X: str = "X"
    ) -> TaggedSequences:
        sequences, items = read
        codes, is_ignored = labels.find(self.classes), self._is_ignored(labels)
        unknown = np.flatnonzero((codes < 0) & ~is_ignored)
        ends = np.cumsum(sequences.lengths)
        if len(unknown):
            i = int(np.searchsorted(ends, unknown[0], side="right"))
            step, label = (
                unknown[0] - (ends[i] - sequences.lengths[i]),
                labels.classes.tolist()[labels.codes[unknown[0]]],
            )
            raise ValueError(
                f"{labels.name}[{i}][{step}] is {shown(label)}, which is not one of the classes "
                f"{shown_all(self.classes.tolist())} that came before. Leave it out, or fit anew with all classes."
            )
        weights = check_sample_weight(passed.sample_weight, len(sequences), name, X)
        counts = np.add.reduceat(~is_ignored, ends - sequences.lengths)
        if not (weights * counts).any():
            raise ValueError(f"{labels.name} has no label but ignored ones. Label at least one step of a sequence.")
        targets = np.where(is_ignored, len(self.classes), codes)
        data = Dataset(sequences, targets, weights, is_per_step=True, counts=counts)
        is_weighted = passed.sample_weight is not None
        return TaggedSequences(data, is_weighted, items, self.classes, self.ignored).that_weigh(counts)


@dataclass(frozen=True)
class TaggedSequences(Examples):
    """Sequences and the indices of their steps' labels."""

    classes: np.ndarray
    """The labels (K,)."""
    ignored: list[Any]
    """The label of steps that have none."""

    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, TaggedSequences]:
        """Return what to learn from, and sequences drawn at random to hold out."""
        train, held_out = hold_out_any(len(self.data), fraction, seed)
        return self.data.take(train), self.take(held_out)

    def for_scorer(self) -> tuple[Any, ...]:
        """Return X and y as a scorer gets them."""
        labels = array_of_objects([*self.classes.tolist(), *self.ignored])
        y = [labels[codes] for codes in self.data.sequences.views(self.data.targets)]
        return self.X_for_scorer(), y


def read_targets(y: Any, sequences: Sequences, estimator_name: str, name: str = "y", X: str = "X") -> Labels:
    """Return the labels of steps; raises where there are none."""
    if y is None:
        raise ValueError(
            f"{estimator_name} requires y to be passed, but the target y is None. Pass a list with the labels of each "
            "sequence."
        )
    return read_step_labels(y, sequences.lengths, name, X)
