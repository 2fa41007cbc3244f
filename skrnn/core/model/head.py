"""The last part of a network: from the columns that the readout shows to raw predictions, and their loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Values
from ..data.segments import flatten_time
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
            np.matmul(self.weights["W_y"].T, d_z, out=d_h[steps])
            d_z_columns, h_columns = (self._side_by_side(v) for v in (d_z, h[steps]))
            self.gradients["W_y"] += d_z_columns @ h_columns.T
            self.gradients["b_y"] += d_z_columns.sum(axis=1)
            self.workspace.release(mark)
        return loss, d_h

    def _side_by_side(self, steps: Floats) -> Floats:
        """Columns of all steps (L, rows, n) in one matrix (rows, L*n)."""
        L, n_rows, n = steps.shape
        if L == 1:
            return steps.reshape(n_rows, n)
        columns = self.workspace.empty((n_rows, L * n))
        flatten_time(steps, columns)
        return columns
