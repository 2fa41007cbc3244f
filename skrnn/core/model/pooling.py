"""Readouts with one column for each sequence: the last, the mean, the maximum of its outputs.

Forward works through ranges of steps where no sequence ends (`Segment.active_ranges`), so padding is never seen; and it
accumulates, so that a sequence may arrive in slices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints
from ..data.batch import SequenceBatch
from ..data.segments import Segment
from ..kernels import OutputGradient
from ..workspace import Workspace
from .head import Objective
from .readouts import Accumulation, Readout
from .stack import RecurrentStack, StackCache


@dataclass(frozen=True)
class Pooling(Readout, ABC):
    """Contract of a pooling of the steps, each direction apart.

    Attributes
    ----------
    initial_value : float
        What an accumulator holds before the first step.
    """

    initial_value: float = 0.0

    is_per_step = False

    def initial(self, n_outputs: int, n: int, dtype: np.dtype) -> Floats:
        return np.full((n_outputs, n), self.initial_value, dtype)

    def accumulate(self, stack: RecurrentStack, cache: StackCache, window: SequenceBatch, accumulated: Floats) -> None:
        parts = _by_direction(stack, accumulated[:, : len(window.indices)])
        for outputs, part in zip(cache.outputs(), parts, strict=True):
            for h, segment in zip(outputs, window.segments, strict=True):
                for first, last, n in segment.active_ranges:
                    self.add(h[first:last, :, :n], part[:, :n])

    def columns(self, accumulated: Floats, batch: SequenceBatch) -> Floats:
        pooled = accumulated.copy()
        self.finalize(pooled, batch.lengths)
        if batch.masks is not None:
            pooled *= batch.masks[-1].T
        return pooled

    def whole_loss_gradient(
        self, accumulated: Floats, batch: SequenceBatch, objective: Objective
    ) -> tuple[float, Floats]:
        columns = self.columns(accumulated, batch)
        targets, weights = objective.loss.prepare(batch.targets[batch.indices], batch.weights)
        loss, (d_columns,) = objective.loss_gradient(columns[None], targets[None], weights[None])
        return loss, self.columns(d_columns, batch)  # a factor of each entry: the same on the way back

    def window_loss_gradient(
        self,
        stack: RecurrentStack,
        cache: StackCache,
        window: SequenceBatch,
        accumulation: Accumulation,
        objective: Objective,
    ) -> tuple[float, list[list[OutputGradient]]]:
        n, (*accumulated, ends) = len(window.indices), accumulation
        parts = (_by_direction(stack, v[:, :n]) for v in accumulated)
        return 0.0, [
            self.backward(h, window.segments, ends, *part) for h, *part in zip(cache.outputs(), *parts, strict=True)
        ]

    def start(self, n_outputs: int, n: int, dtype: np.dtype) -> tuple[Floats, ...]:
        return self.initial(n_outputs, n, dtype), np.zeros((1, n), dtype)

    def step(self, h: Floats, carried: tuple[Floats, ...]) -> tuple[Floats, tuple[Floats, ...]]:
        accumulated, n_steps = carried[0].copy(), carried[1] + 1
        self.add(h[None], accumulated)
        columns = accumulated.copy()
        self.finalize(columns, n_steps[0])
        return columns, (accumulated, n_steps)

    def inference_size(self, stack: RecurrentStack, n_raw: int) -> int:
        return stack.inference_size()

    @abstractmethod
    def add(self, h: Floats, accumulated: Floats) -> None:
        """Update `accumulated` (H, n) with the steps h (L, H, n) of sequences none of which ends."""

    def finalize(self, accumulated: Floats, lengths: Ints) -> None:
        """Turn accumulated values (H, B) into pooled ones, in place, for sequences of `lengths` (B,) steps in all.

        A factor of each sequence at the most, so it turns the gradient of the pooled values into that of the
        accumulated ones, too.
        """

    @abstractmethod
    def backward(
        self,
        outputs: Sequence[Floats],
        segments: Sequence[Segment],
        ends: Ints,
        before: Floats,
        accumulated: Floats,
        d_accumulated: Floats,
    ) -> list[OutputGradient]:
        """Gradient with respect to the outputs (L, H, n) of every segment, from that of what is accumulated in the end.

        The other arrays are those of `Accumulation`, of one direction.
        """


@dataclass(frozen=True)
class LastPooling(Pooling):
    """The output of each sequence's last step.

    Examples
    --------
    >>> import numpy as np
    >>> pooled = np.zeros((1, 2))
    >>> LastPooling().add(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), pooled)
    >>> pooled
    array([[3., 4.]])
    """

    def add(self, h: Floats, accumulated: Floats) -> None:
        accumulated[...] = h[-1]

    def after_steps(self, h: Floats, accumulated: Floats, n_before: int, workspace: Workspace) -> Floats:
        return h

    def step(self, h: Floats, carried: tuple[Floats, ...]) -> tuple[Floats, tuple[Floats, ...]]:
        return h, (h, carried[1] + 1)

    def backward(
        self,
        outputs: Sequence[Floats],
        segments: Sequence[Segment],
        ends: Ints,
        before: Floats,
        accumulated: Floats,
        d_accumulated: Floats,
    ) -> list[OutputGradient]:
        d_outputs: list[OutputGradient] = []
        n_going_on = int(np.count_nonzero(ends > segments[-1].start + segments[-1].n_steps))
        for segment in reversed(segments):
            columns = np.zeros((segment.n_steps, 2), np.intp)
            for _, last, n in reversed(segment.active_ranges):
                columns[last - 1] = n_going_on, n  # those that end here are the last ones: longest first
                n_going_on = n
            d_outputs.append(_at_every_step(d_accumulated, segment, columns))
        return d_outputs[::-1]


@dataclass(frozen=True)
class MeanPooling(Pooling):
    """The mean of each sequence's outputs.

    Examples
    --------
    >>> import numpy as np
    >>> pooled = np.zeros((1, 2))
    >>> MeanPooling().add(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), pooled)
    >>> MeanPooling().finalize(pooled, lengths=np.array([2, 2]))
    >>> pooled
    array([[2., 3.]])
    """

    def add(self, h: Floats, accumulated: Floats) -> None:
        accumulated += h.sum(axis=0)

    def after_steps(self, h: Floats, accumulated: Floats, n_before: int, workspace: Workspace) -> Floats:
        columns, now = workspace.empty(h.shape), accumulated[:, : h.shape[2]]
        for t in range(len(h)):  # several times as fast as ufunc.accumulate along the first axis
            now += h[t]
            np.divide(now, n_before + t + 1, out=columns[t])
        return columns

    def finalize(self, accumulated: Floats, lengths: Ints) -> None:
        np.divide(accumulated, lengths, out=accumulated, casting="same_kind")

    def backward(
        self,
        outputs: Sequence[Floats],
        segments: Sequence[Segment],
        ends: Ints,
        before: Floats,
        accumulated: Floats,
        d_accumulated: Floats,
    ) -> list[OutputGradient]:
        d_outputs: list[OutputGradient] = []
        for segment in segments:
            columns = np.zeros((segment.n_steps, 2), np.intp)
            for first, last, n in segment.active_ranges:
                columns[first:last, 1] = n
            d_outputs.append(_at_every_step(d_accumulated, segment, columns))
        return d_outputs


@dataclass(frozen=True)
class MaxPooling(Pooling):
    """The largest value of each output over the steps; the first of equals gets the gradient.

    Examples
    --------
    >>> import numpy as np
    >>> pooled = np.full((1, 2), -np.inf)
    >>> MaxPooling().add(np.array([[[1.0, 4.0]], [[3.0, 2.0]]]), pooled)
    >>> pooled
    array([[3., 4.]])
    """

    initial_value: float = -np.inf

    def add(self, h: Floats, accumulated: Floats) -> None:
        np.maximum(accumulated, h.max(axis=0), out=accumulated)

    def after_steps(self, h: Floats, accumulated: Floats, n_before: int, workspace: Workspace) -> Floats:
        columns, now = workspace.empty(h.shape), accumulated[:, : h.shape[2]]
        for t in range(len(h)):  # as in `MeanPooling`
            np.maximum(now, h[t], out=now)
            columns[t] = now
        return columns

    def backward(
        self,
        outputs: Sequence[Floats],
        segments: Sequence[Segment],
        ends: Ints,
        before: Floats,
        accumulated: Floats,
        d_accumulated: Floats,
    ) -> list[OutputGradient]:
        open_ = before < accumulated  # maxima whose step has not come yet
        d_outputs: list[OutputGradient] = []
        for h, segment in zip(outputs, segments, strict=True):
            d_h = np.zeros_like(h)
            for first, last, n in segment.active_ranges:
                is_maximum = h[first:last, :, :n] == accumulated[:, :n]
                found = is_maximum.any(axis=0) & open_[:, :n]
                units, columns = np.nonzero(found)
                d_h[first + is_maximum.argmax(axis=0)[found], units, columns] = d_accumulated[units, columns]
                open_[:, :n] &= ~found
            d_outputs.append(OutputGradient.of_all_columns(d_h))
        return d_outputs


def _at_every_step(d_accumulated: Floats, segment: Segment, columns: Ints) -> OutputGradient:
    """The same gradient (H, B) at every step of a segment, in the columns (L, 2) that have one."""
    n = segment.n_columns
    return OutputGradient(np.broadcast_to(d_accumulated[:, :n], (segment.n_steps, len(d_accumulated), n)), columns)


def _by_direction(stack: RecurrentStack, values: Floats) -> Floats:
    """View (D, H, n) of `values` (D*H, n)."""
    return values.reshape(stack.n_directions, -1, values.shape[1])


POOLINGS: dict[str, Pooling] = {"last": LastPooling(), "mean": MeanPooling(), "max": MaxPooling()}
