"""What a fit leaves: how X and y are read, and the network with its parameters."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
from sklearn.base import BaseEstimator

from ._kernels import chosen_kernels
from ._vocabulary import Vocabulary
from .core.model.network import Network
from .core.training.loop import TrainingState

R = TypeVar("R", bound="Reading")


@dataclass(frozen=True, eq=False, repr=False)
class Reading:
    """How X and y are read: what the first fit found out about them, and later data are held against."""

    shape: BaseEstimator
    """An estimator that has nothing but what scikit-learn's validation sets and reads: `n_features_in_` and so on."""
    dtype: np.dtype
    """Of the parameters and the data."""

    @classmethod
    def from_values(cls: type[R], shape: BaseEstimator, values: dict[str, Any]) -> R:
        """Make one of what `to_values` gave; `shape` has nothing yet."""
        vars(shape).update(values["shape"])
        return cls(shape, np.dtype(values["dtype"]))

    def to_values(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {"shape": dict(vars(self.shape)), "dtype": self.dtype.name}

    def attributes(self) -> dict[str, Any]:
        """Return the public attributes that tell of X and y."""
        return {name: value for name, value in vars(self.shape).items() if not name.startswith("_")}

    def known_tokens(self) -> Vocabulary | None:
        """Return the vocabulary; None where X holds no tokens."""
        return None

    def without_names(self: R) -> R:
        """Return the same for data that have no column names any more."""
        shape = copy(self.shape)
        vars(shape).pop("feature_names_in_", None)
        return replace(self, shape=shape)


@dataclass(frozen=True)
class ResumePoint:
    """Where a fit stands that is to continue from a checkpoint."""

    n_epochs: int
    """Of this fit, so far."""
    has_converged: bool
    """Whether it ended before `max_iter`."""
    n_sequences: int
    n_steps: int
    """Of the training sequences, in all."""
    intervals: dict[str, Any] = field(default_factory=dict)
    """How often to write a checkpoint, as keyword arguments."""


@dataclass(frozen=True, eq=False, repr=False)
class Fitted(Generic[R]):
    """Everything that a fit leaves: set in one step, and read once by each prediction."""

    reading: R
    built: Network
    arguments: dict[str, Any]
    """What the network was built from: plain values, by name."""
    params: np.ndarray
    training: TrainingState | None
    """Where training continues; None where it cannot: for a candidate that is scored, or to save memory."""
    resume: ResumePoint | None = None
    """Where a fit that has not ended continues; None after one that has."""

    @property
    def network(self) -> Network:
        """The network with the kernels that the environment chooses at this moment."""
        return self.built.using(chosen_kernels())

    def named_weights(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, views of one vector."""
        views = self.built.layout.views(self.params)
        return {f"{part}.{name}": array for part, arrays in views.items() for name, array in arrays.items()}
