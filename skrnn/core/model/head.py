"""The last part of a network: from the columns that the readout shows to raw predictions, and their loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Values
from ..data.batch import SequenceBatch
from ..data.segments import flatten_time, rows_by_segment
from ..limits import LIMITS, Limits
from ..parameters import Weights, glorot_uniform
from ..workspace import Workspace
from .losses import Loss


@dataclass(frozen=True)
class LinearHead:
    """Raw predictions ``z = W_y h + b_y``.

    Parameters
    ----------
    n_inputs : int
        Length of a column h.
    n_raw : int
        K, the number of raw predictions.

    Examples
    --------
    >>> LinearHead(n_inputs=4, n_raw=3).shapes()
    {'W_y': (3, 4), 'b_y': (3,)}
    """

    n_inputs: int
    n_raw: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the head's parameters, by name."""
        return {"W_y": (self.n_raw, self.n_inputs), "b_y": (self.n_raw,)}

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        """Overwrite the parameters, views by name, with their initial values: Glorot, and zero."""
        weights["W_y"][:] = glorot_uniform((self.n_raw, self.n_inputs), rng)
        weights["b_y"][:] = 0

    def raw(self, weights: Weights, h: Floats) -> Floats:
        """Raw predictions (K, n) of columns h (n_inputs, n)."""
        z = weights["W_y"] @ h
        z += weights["b_y"][:, None]
        return z

    def raw_of_steps(self, weights: Weights, h: Floats, workspace: Workspace) -> Floats:
        """Raw predictions (L, K, n) of columns h (L, n_inputs, n), allocated in the workspace."""
        z = workspace.empty((len(h), self.n_raw, h.shape[2]))
        np.matmul(weights["W_y"], h, out=z)
        z += weights["b_y"][:, None]
        return z


@dataclass(frozen=True)
class Objective:
    """A head and a loss, with the arrays of one call that they work on.

    Attributes
    ----------
    head : LinearHead
        From columns to raw predictions.
    loss : Loss
        From those to a number.
    weights, gradients : dict of str to ndarray
        The head's parameters, and views of the gradient vector, which are added to.
    workspace : Workspace
        Where what is returned is allocated.
    limits : Limits
        Raw predictions that are held at a time.
    """

    head: LinearHead
    loss: Loss
    weights: Weights
    gradients: Weights
    workspace: Workspace
    limits: Limits = LIMITS

    def loss_gradient(self, h: Floats, targets: Values, weights: Floats) -> tuple[float, Floats]:
        """Weighted sum of losses, and its gradient with respect to h (L, n_inputs, n), allocated in the workspace.

        Values (L, n, width) are in the form that the loss takes, see `Loss.prepare`; weights are (L, n). Works through
        some steps at a time, if K is large.
        """
        d_h, loss = self.workspace.empty(h.shape), 0.0
        n_steps = max(1, self.limits.raw_size // (self.head.n_raw * h.shape[2]))
        for first in range(0, len(h), n_steps):
            steps = slice(first, first + n_steps)
            mark = self.workspace.mark()
            d_z = self.head.raw_of_steps(self.weights, h[steps], self.workspace)
            loss += self.loss.loss_gradient(d_z, targets[steps], weights[steps])
            self._backward(d_z, h[steps], d_h[steps])
            self.workspace.release(mark)
        return loss, d_h

    def steps_loss_gradient(self, outputs: list[Floats], window: SequenceBatch) -> tuple[float, list[Floats]]:
        """Loss of all steps of a window, and its gradients with respect to the outputs (L, n_inputs, n) by segment.

        A loss that couples the steps of a column gets the raw predictions of all of them, (T, K, n).
        """
        of_rows = self.loss.prepare(window.targets[window.rows], window.weights_of_rows())
        targets, weights = (rows_by_segment(values, window.segments) for values in of_rows)
        if self.loss.couples_steps:
            return self._coupled_loss_gradient(outputs, targets, weights, window)
        loss, d_outputs = 0.0, list[Floats]()
        for h, t, w in zip(outputs, targets, weights, strict=True):
            segment_loss, d_h = self.loss_gradient(h, t, w[:, :, 0])
            loss += segment_loss
            d_outputs.append(d_h)
        return loss, d_outputs

    def _coupled_loss_gradient(
        self, outputs: list[Floats], targets: list[Values], weights: list[Floats], window: SequenceBatch
    ) -> tuple[float, list[Floats]]:
        T, n = int(window.lengths[0]), len(window.indices)
        d_z = self.workspace.empty((T, self.head.n_raw, n))
        all_targets, all_weights = np.zeros((T, n, targets[0].shape[2]), targets[0].dtype), np.zeros((T, n), d_z.dtype)
        for segment, h, t, w in zip(window.segments, outputs, targets, weights, strict=True):
            steps, columns = slice(segment.start, segment.start + segment.n_steps), slice(segment.n_columns)
            mark = self.workspace.mark()
            d_z[steps, :, columns] = self.head.raw_of_steps(self.weights, h, self.workspace)
            self.workspace.release(mark)
            all_targets[steps, columns], all_weights[steps, columns] = t, w[:, :, 0]
        loss = self.loss.loss_gradient(d_z, all_targets, all_weights, self.weights, self.gradients)
        d_outputs = [self.workspace.empty(h.shape) for h in outputs]
        for segment, h, d_h in zip(window.segments, outputs, d_outputs, strict=True):
            steps = slice(segment.start, segment.start + segment.n_steps)
            self._backward(d_z[steps, :, : segment.n_columns], h, d_h)
        return loss, d_outputs

    def _backward(self, d_z: Floats, h: Floats, d_h: Floats) -> None:
        """Add to the head's gradients, and overwrite d_h (L, n_inputs, n), from those of raw predictions (L, K, n)."""
        mark = self.workspace.mark()
        np.matmul(self.weights["W_y"].T, d_z, out=d_h)
        d_z_columns, h_columns = (self._flat(v) for v in (d_z, h))
        self.gradients["W_y"] += d_z_columns @ h_columns.T
        self.gradients["b_y"] += d_z_columns.sum(axis=1)
        self.workspace.release(mark)

    def _flat(self, steps: Floats) -> Floats:
        """Columns of all steps (L, rows, n) in one matrix (rows, L*n)."""
        L, n_rows, n = steps.shape
        if L == 1:
            return steps.reshape(n_rows, n)
        columns = self.workspace.empty((n_rows, L * n))
        flatten_time(steps, columns)
        return columns
