"""The last part of a network: from the columns that the readout shows to raw predictions, and their loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.segments import lay_side_by_side
from ..parameters import Weights, glorot_uniform
from ..workspace import Workspace
from .losses import Loss

_RAW_SIZE = 2**20
"""Raw predictions that are held at a time where gradients are wanted: some steps of a large vocabulary."""


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
        """Shapes of the head's parameters, by name.

        Returns
        -------
        shapes : dict of str to tuple of int
            By name.
        """
        return {"W_y": (self.n_raw, self.n_inputs), "b_y": (self.n_raw,)}

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        """Write the initial parameters: Glorot, and zero.

        Parameters
        ----------
        weights : dict of str to ndarray
            Views of the parameters; overwritten.
        rng : numpy.random.Generator
            Source of the draws.
        """
        weights["W_y"][:] = glorot_uniform((self.n_raw, self.n_inputs), rng)
        weights["b_y"][:] = 0

    def raw(self, weights: Weights, h: np.ndarray) -> np.ndarray:
        """Raw predictions (K, n) of columns h (n_inputs, n).

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        h : ndarray of shape (n_inputs, n)
            What the head reads.

        Returns
        -------
        z : ndarray of shape (K, n)
            Newly allocated.
        """
        z = weights["W_y"] @ h
        z += weights["b_y"][:, None]
        return z

    def raw_of_steps(self, weights: Weights, h: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Raw predictions (L, K, n) of columns h (L, n_inputs, n), in lent memory.

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        h : ndarray of shape (L, n_inputs, n)
            What the head reads.
        workspace : Workspace
            Lends what is returned, which stays lent.

        Returns
        -------
        z : ndarray of shape (L, K, n)
            One column for each step of each sequence.
        """
        z = workspace.lend((len(h), self.n_raw, h.shape[2]))
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
        Lends what is returned, which stays lent.
    """

    head: LinearHead
    loss: Loss
    weights: Weights
    gradients: Weights
    workspace: Workspace

    def loss_gradient(self, h: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Weighted sum of losses, and its gradient with respect to h; some steps at a time, if K is large.

        Parameters
        ----------
        h : ndarray of shape (L, n_inputs, n)
            What the head reads.
        targets : ndarray of shape (L, n, width)
            In the form that the loss takes, see `Loss.prepare`.
        weights : ndarray of shape (L, n)
            Weight of each loss.

        Returns
        -------
        loss : float
            Weighted sum.
        d_h : ndarray of shape (L, n_inputs, n)
            Gradient with respect to h.
        """
        d_h, loss = self.workspace.lend(h.shape), 0.0
        n_steps = max(1, _RAW_SIZE // (self.head.n_raw * h.shape[2]))
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

    def _side_by_side(self, steps: np.ndarray) -> np.ndarray:
        """Columns of all steps (L, rows, n) in one matrix (rows, L*n)."""
        L, n_rows, n = steps.shape
        if L == 1:
            return steps[0]
        columns = self.workspace.lend((n_rows, L * n))
        lay_side_by_side(steps, columns)
        return columns
