"""Which columns the head sees: one for every step here, one for every sequence in `skrnn.core.model.pooling`.

A batch is run in windows. On the way forward a readout takes in the outputs of each; what it takes in goes to the head
when all are read, or, with a column for each step, when the way back comes to the window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..data.batch import SequenceBatch
from ..data.segments import rows_by_segment
from ..kernels import OutputGradient
from .head import Objective
from .stack import RecurrentStack, StackCache

_MAX_WINDOW = 2**13
"""Column-steps of a window where each has a column: some 200 bytes of indices lie beside the cache of each."""


@dataclass(frozen=True)
class Intake:
    """What a pooling has taken in, as the way back comes to a window.

    Attributes
    ----------
    before : ndarray of shape (D*H, B)
        Before the window.
    at_the_end : ndarray of shape (D*H, B)
        After the last window.
    d_at_the_end : ndarray of shape (D*H, B)
        Gradient with respect to that.
    ends : ndarray of shape (B,)
        Step of the window after which each sequence ends; beyond its last step where it goes on.
    """

    before: np.ndarray
    at_the_end: np.ndarray
    d_at_the_end: np.ndarray
    ends: np.ndarray


class Readout(ABC):
    """Contract of a readout."""

    is_per_step: ClassVar[bool]
    """Whether there is a column for each step, and so a target."""

    @abstractmethod
    def begin(self, n_outputs: int, n: int, dtype: np.dtype) -> np.ndarray:
        """What is taken in before the first step of n sequences.

        Parameters
        ----------
        n_outputs : int
            D*H.
        n : int
            Number of sequences.
        dtype : dtype
            Of the array.

        Returns
        -------
        taken_in : ndarray of shape (D*H, n), or of no rows
            Newly allocated.
        """

    @abstractmethod
    def take_in(self, stack: RecurrentStack, cache: StackCache, window: SequenceBatch, taken_in: np.ndarray) -> None:
        """Take in the outputs of a window.

        Parameters
        ----------
        stack : RecurrentStack
            What ran.
        cache : StackCache
            What it left.
        window : SequenceBatch
            What it ran over: the first columns.
        taken_in : ndarray of shape (D*H, B)
            Updated in place.
        """

    @abstractmethod
    def columns(self, taken_in: np.ndarray, batch: SequenceBatch) -> np.ndarray:
        """What the head sees of whole sequences, dropout included.

        Parameters
        ----------
        taken_in : ndarray of shape (D*H, B)
            After the last step of each.
        batch : SequenceBatch
            The sequences.

        Returns
        -------
        columns : ndarray of shape (D*H, B), or of no rows
            Newly allocated.
        """

    @abstractmethod
    def whole_loss_gradient(
        self, taken_in: np.ndarray, batch: SequenceBatch, objective: Objective
    ) -> tuple[float, np.ndarray]:
        """Loss of the columns that stand for whole sequences, and its gradient.

        Parameters
        ----------
        taken_in : ndarray of shape (D*H, B)
            After the last window.
        batch : SequenceBatch
            With targets and weights.
        objective : Objective
            The head and the loss.

        Returns
        -------
        loss : float
            Weighted sum.
        d_taken_in : ndarray of shape (D*H, B)
            Gradient with respect to what was taken in.
        """

    @abstractmethod
    def window_loss_gradient(
        self,
        stack: RecurrentStack,
        cache: StackCache,
        window: SequenceBatch,
        intake: Intake,
        objective: Objective,
    ) -> tuple[float, list[list[OutputGradient]]]:
        """Loss of the columns of a window's steps, and the gradient of its outputs.

        Parameters
        ----------
        stack : RecurrentStack
            What ran.
        cache : StackCache
            What it left.
        window : SequenceBatch
            What it ran over.
        intake : Intake
            What was taken in.
        objective : Objective
            The head and the loss; its workspace lends what is returned, which stays lent.

        Returns
        -------
        loss : float
            Weighted sum.
        d_outputs : list of list of OutputGradient
            By direction and segment, of whole sequences' columns as well.
        """

    @abstractmethod
    def start(self, n_outputs: int, n: int, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        """What goes on with the state of n sequences that are read step by step.

        Parameters
        ----------
        n_outputs : int
            H.
        n : int
            Number of sequences.
        dtype : dtype
            Of the arrays.

        Returns
        -------
        carried : tuple of ndarray of shape (rows, n)
            Before the first step.
        """

    @abstractmethod
    def step(self, h: np.ndarray, carried: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Take one step of every sequence.

        Parameters
        ----------
        h : ndarray of shape (H, n)
            Output of the top layer.
        carried : tuple of ndarray of shape (rows, n)
            Before the step.

        Returns
        -------
        columns : ndarray of shape (H, n)
            What the head sees now.
        carried : tuple of ndarray of shape (rows, n)
            After the step.
        """

    @abstractmethod
    def reading_size(self, stack: RecurrentStack, n_raw: int) -> int:
        """Column-steps of a window where no gradient is wanted.

        Parameters
        ----------
        stack : RecurrentStack
            What reads.
        n_raw : int
            Raw predictions of a column.

        Returns
        -------
        size : int
            At least 1.
        """


@dataclass(frozen=True)
class EveryStep(Readout):
    """A column for each step: the outputs of the top layer, all directions together.

    Examples
    --------
    >>> EveryStep().is_per_step
    True
    """

    is_per_step = True

    def begin(self, n_outputs: int, n: int, dtype: np.dtype) -> np.ndarray:
        return np.empty((0, n), dtype)

    def take_in(self, stack: RecurrentStack, cache: StackCache, window: SequenceBatch, taken_in: np.ndarray) -> None:
        pass

    def columns(self, taken_in: np.ndarray, batch: SequenceBatch) -> np.ndarray:
        return taken_in.copy()

    def whole_loss_gradient(
        self, taken_in: np.ndarray, batch: SequenceBatch, objective: Objective
    ) -> tuple[float, np.ndarray]:
        return 0.0, taken_in

    def window_loss_gradient(
        self,
        stack: RecurrentStack,
        cache: StackCache,
        window: SequenceBatch,
        intake: Intake,
        objective: Objective,
    ) -> tuple[float, list[list[OutputGradient]]]:
        of_rows = objective.loss.prepare(window.targets[window.rows], window.weights_of_rows())
        targets, weights = (rows_by_segment(values, window.segments) for values in of_rows)
        loss, d_outputs = 0.0, list[np.ndarray]()
        for h, t, w in zip(stack.outputs(cache, window, objective.workspace), targets, weights, strict=True):
            segment_loss, d_h = objective.loss_gradient(h, t, w[:, :, 0])
            loss += segment_loss
            d_outputs.append(d_h)
        return loss, stack.split_outputs(d_outputs, cache, window, objective.workspace)

    def start(self, n_outputs: int, n: int, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        return ()

    def step(self, h: np.ndarray, carried: tuple[np.ndarray, ...]) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        return h, carried

    def reading_size(self, stack: RecurrentStack, n_raw: int) -> int:
        return min(stack.reading_size(n_raw), _MAX_WINDOW)
