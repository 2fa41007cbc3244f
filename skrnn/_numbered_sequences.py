"""Sequences with numbers to predict: what a fit finds out about them, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning

from ._base import Examples, Passed
from ._config import RegressorConfig
from ._hold_out import hold_out_any
from ._sequence_reading import ReadX, SequenceReading, learn_input
from ._validation.numbers import Numbers, read_numbers
from ._validation.values import array_of_objects
from ._validation.weights import check_sample_weight
from ._warnings import warn_caller
from .core.data.dataset import Dataset
from .core.data.sequences import Sequences
from .core.model.losses import merge_equal


@dataclass(frozen=True, eq=False, repr=False)
class NumberReading(SequenceReading):
    """How sequences and their numbers are read."""

    is_flat: bool
    """Whether a target is one number, and no row of them."""
    is_per_step: bool
    """Whether each step has a target."""
    center: list[float]
    scale: list[float]
    """What the numbers are centred and divided by, each."""

    @classmethod
    def learn(
        cls, shape: BaseEstimator, config: RegressorConfig, passed: Passed
    ) -> tuple[NumberReading, NumberedSequences]:
        """Read X and y, and how later ones are to be read."""
        known_of_X, read = learn_input(shape, config, passed)
        _, dtype, _ = known_of_X
        sequences = read.sequences
        numbers = read_targets(passed.y, sequences, type(shape).__name__)
        weights = check_sample_weight(passed.sample_weight, len(sequences))
        _check_range(numbers, config.loss, dtype)
        if config.loss == "poisson" and numbers.values.shape[1] == 1 and not numbers.is_flat:  # as its tags promise
            warn_caller(
                "A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
                "(n_samples,), for example using ravel().",
                DataConversionWarning,
            )
            numbers = numbers._replace(is_flat=True)
        of_targets = np.repeat(weights, sequences.lengths) if numbers.is_per_step else weights
        center, scale = standardise(numbers.values[of_targets > 0], of_targets[of_targets > 0], config.loss)
        if config.loss == "poisson" and not scale.all():
            raise ValueError(
                f"y is always zero, but loss='poisson' needs a positive mean of each number; those of y are "
                f"{scale.tolist()}. Leave constant zeros out."
            )
        reading = cls(*known_of_X, numbers.is_flat, numbers.is_per_step, center.tolist(), scale.tolist())
        return reading, reading._examples(read, numbers, weights, passed)

    @property
    def n_outputs(self) -> int:
        """Numbers of a target."""
        return len(self.center)

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of X and y."""
        return {**super().attributes(), "n_outputs_": self.n_outputs}

    def to_learn(self, config: RegressorConfig, passed: Passed) -> NumberedSequences:
        """Read what is learned from; sequences that weigh nothing are left out."""
        read = self.read_sequences(passed.X)
        numbers = self._read_numbers(passed.y, read.sequences, config.loss)
        weights = check_sample_weight(passed.sample_weight, len(read.sequences))
        return self._examples(read, numbers, weights, passed)

    def to_validate(self, config: RegressorConfig, passed: Passed) -> NumberedSequences:
        """Read what is held out by the caller."""
        read = self.read_sequences(passed.X, "X_val")
        numbers = self._read_numbers(passed.y, read.sequences, config.loss, "y_val", "X_val")
        weights = check_sample_weight(passed.sample_weight, len(read.sequences), "sample_weight_val", "X_val")
        return self._examples(read, numbers, weights, passed)

    def to_score(self, sequences: Sequences, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return targets (N, K) and weights (N,), float64, of sequences or of their steps."""
        numbers = self._read_numbers(y, sequences, None)
        weights = check_sample_weight(sample_weight, len(sequences))
        return numbers.values, np.repeat(weights, sequences.lengths) if self.is_per_step else weights

    def standardised(self, values: np.ndarray) -> np.ndarray:
        """Return values (N, K) minus the center, divided by the scale: of order one in every unit."""
        return (values - np.array(self.center)) / np.array(self.scale)

    def in_shape(self, predicted: np.ndarray, columns: slice) -> np.ndarray:
        """Return some columns of what was predicted, in the shape of the y that was learned from."""
        if not self.is_per_step:
            return self.rows_in_shape(predicted, columns)
        return array_of_objects([self.rows_in_shape(rows, columns) for rows in predicted])

    def rows_in_shape(self, rows: np.ndarray, columns: slice) -> np.ndarray:
        """Return some columns of rows (N, K), or the numbers (N,) where a target is one number."""
        return rows[:, columns][:, 0] if self.is_flat else rows[:, columns]

    def _read_numbers(self, y: Any, sequences: Sequences, loss: str | None, name: str = "y", X: str = "X") -> Numbers:
        """Read numbers as those that were learned from; raises where they are others."""
        numbers = read_targets(y, sequences, type(self.shape).__name__, name, X)
        if numbers.is_per_step != self.is_per_step or numbers.values.shape[1] != self.n_outputs:
            has, had = (
                f"{n} {'number' if n == 1 else 'numbers'} for each {'step' if is_per_step else 'sequence'}"
                for n, is_per_step in (
                    (numbers.values.shape[1], numbers.is_per_step),
                    (self.n_outputs, self.is_per_step),
                )
            )
            raise ValueError(f"{name} has {has}, but y had {had} when the model was fitted. Pass as many, or fit anew.")
        _check_range(numbers, loss, self.dtype)
        return numbers

    def _examples(self, read: ReadX, numbers: Numbers, weights: np.ndarray, passed: Passed) -> NumberedSequences:
        sequences = read.sequences
        targets = numbers.values
        if self.is_per_step:
            targets = np.empty((sequences.n_rows, self.n_outputs))
            targets[sequences.rows] = numbers.values
        data = Dataset(sequences, targets, weights, is_per_step=self.is_per_step)
        return NumberedSequences(data, passed.sample_weight is not None, read.items, self.is_flat).that_weigh()


@dataclass(frozen=True)
class NumberedSequences(Examples):
    """Sequences and their numbers."""

    is_flat: bool
    """Whether a target is one number, and no row of them."""

    def hold_out(self, fraction: float, seed: int) -> tuple[Dataset, NumberedSequences]:
        """Return what is left to learn from, and what is held out: sequences at random."""
        train, held_out = hold_out_any(len(self.data), fraction, seed)
        return self.data.take(train), self.take(held_out)

    def for_scorer(self) -> tuple[Any, ...]:
        """Return X and y as a scorer gets them."""
        targets = self.data.targets[:, 0] if self.is_flat else self.data.targets
        y = self.data.sequences.views(targets) if self.data.is_per_step else targets
        return self.X_for_scorer(), y


def read_targets(y: Any, sequences: Sequences, estimator_name: str, name: str = "y", X: str = "X") -> Numbers:
    """Return the numbers of sequences; raises where there are none."""
    if y is None:
        raise ValueError(
            f"{estimator_name} requires y to be passed, but the target y is None. Pass a number for each sequence, or "
            "for each step."
        )
    return read_numbers(y, sequences.lengths, name, X)


def standardise(values: np.ndarray, weights: np.ndarray, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Return center and scale (K,) of values (N, K): mean and standard deviation; of counts, 0 and the mean.

    What is constant has scale 1. Divided by the largest first, so that no square overflows.
    """
    values, weights = merge_equal(values, weights)
    relative = weights / weights.max()
    largest = np.abs(values).max(axis=0)
    unit = np.where(largest > 0, largest, 1)
    mean = np.average(values / unit, axis=0, weights=relative)
    if loss == "poisson":
        return np.zeros_like(mean), mean * unit
    deviation = np.sqrt(np.average(np.square(values / unit - mean), axis=0, weights=relative))
    is_constant = deviation <= 10 * np.finfo(float).eps * np.abs(mean)
    return mean * unit, np.where(is_constant, 1, deviation * unit)


def _check_range(numbers: Numbers, loss: str | None, dtype: np.dtype) -> None:
    """Raise where numbers are none that the loss, or the dtype, can have."""
    largest, row = _extreme(np.abs(numbers.values))
    if largest > np.finfo(dtype).max / 4:
        raise ValueError(
            f"{numbers.place(row)} has the size {largest:g}, too large for {dtype}, the dtype of X. Divide "
            f"{numbers.name} by a number."
        )
    least, row = _extreme(-numbers.values)
    if loss == "poisson" and least > 0:
        raise ValueError(
            f"{numbers.place(row)} holds {-least:g}, but loss='poisson' needs {numbers.name} >= 0: counts. Use another "
            "loss."
        )


def _extreme(values: np.ndarray) -> tuple[float, int]:
    """Return the largest of values (N, K), and its row."""
    row, column = np.unravel_index(values.argmax(), values.shape)
    return float(values[row, column]), int(row)
