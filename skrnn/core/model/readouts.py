"""Which columns the head sees: one for every step here, one for every sequence in `skrnn.core.model.pooling`.

A batch is run in windows. On the way forward a readout accumulates the outputs of each; what it has accumulated goes to
the head when all are read, or, with a column for each step, when the way back comes to the window.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..arrays import Floats, Ints
from ..data.batch import SequenceBatch
from ..kernels import OutputGradient
from ..workspace import Workspace
from .head import Objective
from .stack import RecurrentStack, StackCache

_MAX_WINDOW = 2**13
"""Time steps of a window where each has a column: some 200 bytes of indices lie beside the cache of each."""


class Accumulation(NamedTuple):
    """What a pooling has accumulated, as the way back comes to a window.

    Attributes
    ----------
    before : ndarray of shape (D*H, B)
        Before the window.
    at_the_end : ndarray of shape (D*H, B)
        After the last window.
    d_at_the_end : ndarray of shape (D*H, B)
        Gradient with respect to that.
    ends : ndarray of shape (B,)
        Step of the window after which each sequence ends; beyond its last step where it continues.
    """

    before: Floats
    at_the_end: Floats
    d_at_the_end: Floats
    ends: Ints


class Readout(ABC):
    """Contract of a readout."""

    is_per_step: ClassVar[bool]
    """Whether there is a column for each step, and so a target."""

    @abstractmethod
    def initial(self, n_outputs: int, n: int, dtype: np.dtype) -> Floats:
        """Allocate what is accumulated (D*H, n), or no rows, before the first step of n sequences."""

    @abstractmethod
    def accumulate(self, stack: RecurrentStack, cache: StackCache, window: SequenceBatch, accumulated: Floats) -> None:
        """Update `accumulated` (D*H, B) with the outputs of a window, which has its first columns."""

    @abstractmethod
    def columns(self, accumulated: Floats, batch: SequenceBatch) -> Floats:
        """Give what the head sees of whole sequences, (D*H, B) or no rows, dropout included; a copy."""

    @abstractmethod
    def whole_loss_gradient(
        self, accumulated: Floats, batch: SequenceBatch, objective: Objective
    ) -> tuple[float, Floats]:
        """Loss of the columns of whole sequences, and its gradient with respect to `accumulated` (D*H, B)."""

    @abstractmethod
    def window_loss_gradient(
        self,
        stack: RecurrentStack,
        cache: StackCache,
        window: SequenceBatch,
        accumulation: Accumulation,
        objective: Objective,
    ) -> tuple[float, list[list[OutputGradient]]]:
        """Loss of the columns of a window's steps, and the gradient of its outputs by direction and segment.

        The gradient is that of whole sequences' columns as well; it is allocated in the objective's workspace.
        """

    @abstractmethod
    def after_steps(self, h: Floats, accumulated: Floats, n_before: int, workspace: Workspace) -> Floats:
        """Give what the head would see if sequences ended after each of the steps h (L, H, n); one direction only.

        `accumulated` (H, B), from the `n_before` steps before, belongs to one run over a batch and is written to. What
        is returned, (L, H, n), is h itself or allocated in the workspace.
        """

    @abstractmethod
    def start(self, n_outputs: int, n: int, dtype: np.dtype) -> tuple[Floats, ...]:
        """Make what is carried on, arrays (rows, n), with the state of n sequences that are read step by step."""

    @abstractmethod
    def step(self, h: Floats, carried: tuple[Floats, ...]) -> tuple[Floats, tuple[Floats, ...]]:
        """Take one step h (H, n) of every sequence: what the head sees now (H, n), and what is carried on."""

    @abstractmethod
    def inference_size(self, stack: RecurrentStack, n_raw: int) -> int:
        """Time steps of a window where no gradient is wanted, at least 1, with `n_raw` raw predictions a column."""


@dataclass(frozen=True)
class EveryStep(Readout):
    """A column for each step: the outputs of the top layer, all directions together.

    Examples
    --------
    >>> EveryStep().is_per_step
    True
    """

    is_per_step = True

    def initial(self, n_outputs: int, n: int, dtype: np.dtype) -> Floats:
        return np.empty((0, n), dtype)

    def accumulate(self, stack: RecurrentStack, cache: StackCache, window: SequenceBatch, accumulated: Floats) -> None:
        pass

    def columns(self, accumulated: Floats, batch: SequenceBatch) -> Floats:
        return accumulated.copy()

    def whole_loss_gradient(
        self, accumulated: Floats, batch: SequenceBatch, objective: Objective
    ) -> tuple[float, Floats]:
        return 0.0, accumulated

    def window_loss_gradient(
        self,
        stack: RecurrentStack,
        cache: StackCache,
        window: SequenceBatch,
        accumulation: Accumulation,
        objective: Objective,
    ) -> tuple[float, list[list[OutputGradient]]]:
        outputs = stack.outputs(cache, window, objective.workspace)
        loss, d_outputs = objective.steps_loss_gradient(outputs, window)
        return loss, stack.split_outputs(d_outputs, cache, window, objective.workspace)

    def after_steps(self, h: Floats, accumulated: Floats, n_before: int, workspace: Workspace) -> Floats:
        return h

    def start(self, n_outputs: int, n: int, dtype: np.dtype) -> tuple[Floats, ...]:
        return ()

    def step(self, h: Floats, carried: tuple[Floats, ...]) -> tuple[Floats, tuple[Floats, ...]]:
        return h, carried

    def inference_size(self, stack: RecurrentStack, n_raw: int) -> int:
        return size_with_steps(stack, n_raw)


def size_with_steps(stack: RecurrentStack, n_raw: int) -> int:
    """Time steps of a window where no gradient is wanted, but `n_raw` raw predictions of each step."""
    return min(stack.inference_size(n_raw), _MAX_WINDOW)
