"""What is explained: of the raw predictions for each sequence one number, and its gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._validation.labels import read_labels
from .._validation.values import shown, shown_all
from ..core.model.chain import LinearChain
from ..core.model.losses import NumberLoss
from ..core.parameters import Weights

OfRows = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""``function(raw (n, K), columns (n,)) -> (values (n,), gradients (n, K))``."""


@dataclass(frozen=True)
class Target(ABC):
    """A number for each of n sequences.

    Attributes
    ----------
    columns : ndarray of shape (n,), int
        Which class, token or number is asked about.
    steps : ndarray of shape (n,), int, or None
        At which step, where there is a prediction for each.
    """

    columns: np.ndarray
    steps: np.ndarray | None

    @abstractmethod
    def values(self, raw: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers (n,), and their gradients, of raw predictions (n, K) or (sum of lengths, K)."""

    def take(self, indices: np.ndarray) -> Target:
        """Return what is asked about some of the sequences, or about one of them several times."""
        return replace(self, columns=self.columns[indices], steps=None if self.steps is None else self.steps[indices])


@dataclass(frozen=True)
class RowTarget(Target):
    """A function of the raw predictions of one row: the sequence's, or its step's."""

    function: OfRows

    def values(self, raw: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.steps is None:
            return self.function(raw, self.columns)
        rows, d_raw = np.cumsum(lengths) - lengths + self.steps, np.zeros_like(raw)
        values, d_raw[rows] = self.function(raw[rows], self.columns)
        return values, d_raw


@dataclass(frozen=True)
class ChainTarget(Target):
    """The log-odds of a label at a step, given all steps."""

    loss: LinearChain
    head: Weights

    def values(self, raw: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert self.steps is not None
        return self.loss.log_odds(raw, self.columns, self.steps, lengths, self.head)


def log_odds(raw: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds (n,) of a class against all others, and their gradients, of raw predictions (n, K)."""
    own = np.arange(len(raw)), columns
    others = raw.copy()
    others[own] = -np.inf
    top = others.max(axis=1)
    weights = np.exp(others - top[:, None])
    total = weights.sum(axis=1)
    gradients = -weights / total[:, None]
    gradients[own] = 1
    return raw[own] - top - np.log(total), gradients


def log_odds_of_label(raw: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds (n,) of a label that excludes no other, which are its raw prediction."""
    own, gradients = (np.arange(len(raw)), columns), np.zeros_like(raw)
    gradients[own] = 1
    return raw[own], gradients


def log_proba(raw: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log-probability (n,) of a token; a column behind the last is that of a token whose probability is a constant."""
    is_known = columns < raw.shape[1]
    own = np.arange(len(raw)), np.where(is_known, columns, 0)
    proba = np.exp(raw - raw.max(axis=1, keepdims=True))
    total = proba.sum(axis=1)
    gradients = -proba / total[:, None]
    gradients[own] += 1
    values = raw[own] - raw.max(axis=1) - np.log(total)
    return values * is_known, gradients * is_known[:, None]


def predicted_number(loss: NumberLoss) -> OfRows:
    """Return the function that gives a predicted number (n,) in the units of y, and its gradients."""

    def of_rows(raw: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own, gradients = (columns, np.arange(len(raw))), np.zeros_like(raw)
        gradients[own[::-1]] = loss.slope(raw.T)[own]
        return loss.inverse_link(raw.T.copy())[own], gradients

    return of_rows


def read_classes_of(target: Any, n: int, classes: np.ndarray) -> np.ndarray:
    """Return the index (n,) of the class that is asked about: one for all sequences, or one for each."""
    is_one = isinstance(target, str) or np.ndim(target) == 0
    labels = read_labels([target] if is_one else target, "target")
    codes = labels.find(classes)
    if not is_one and len(codes) != n:
        raise ValueError(f"target has {len(codes)} classes, but X has {n} sequences. Pass one, or one for each.")
    if (codes < 0).any():
        unknown = labels.classes.tolist()[labels.codes[int(np.argmin(codes))]]
        raise ValueError(f"target is {shown(unknown)}, which is not one of the classes {shown_all(classes.tolist())}.")
    return np.broadcast_to(codes, n)


def read_outputs_of(target: Any, n: int, n_outputs: int) -> np.ndarray:
    """Return the number (n,) of the output that is asked about, of a model of several numbers."""
    if target is None:
        if n_outputs > 1:
            raise ValueError(
                f"The model predicts {n_outputs} numbers, and target says which one to explain. Pass an integer from 0 "
                f"to {n_outputs - 1}."
            )
        target = 0
    columns = read_integers(target, n, "target")
    if ((columns < 0) | (columns >= n_outputs)).any():
        raise ValueError(
            f"target is {shown(target)}, but the model predicts {n_outputs} number{'s'[: n_outputs > 1]}. Pass an "
            f"integer from 0 to {n_outputs - 1}."
        )
    return columns


def read_steps(step: Any, lengths: np.ndarray, n_more: int = 0) -> np.ndarray:
    """Return the step (n,) that is asked about, from 0 on; negative ones count from the end of each sequence.

    `n_more` is 1 where the step behind the last one may be asked about, too.
    """
    steps = read_integers(step, len(lengths), "step")
    steps = np.where(steps < 0, steps + lengths, steps)
    outside = np.flatnonzero((steps < 0) | (steps >= lengths + n_more))
    if len(outside):
        i = outside[0]
        raise ValueError(
            f"step is {np.broadcast_to(step, len(lengths))[i]}, but X[{i}] has {lengths[i]} steps. Pass one that every "
            "sequence has, or one for each."
        )
    return steps


def read_integers(values: Any, n: int, name: str) -> np.ndarray:
    """Return an integer for each of n sequences, of one for all or one for each."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} is {shown(values)}. Pass an integer, or one for each sequence.")
    if array.shape not in ((), (n,)):
        raise ValueError(f"{name} has shape {array.shape}, but X has {n} sequences. Pass one integer, or one for each.")
    return np.broadcast_to(array.astype(np.intp), n)
