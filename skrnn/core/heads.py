"""The last part of a network: from a pooled state to class probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .batches import lay_side_by_side
from .losses import softmax_cross_entropy
from .parameters import Weights, glorot_uniform
from .workspace import Workspace


@dataclass(frozen=True)
class SoftmaxHead:
    """Logits ``z = W_y h + b_y`` and their cross-entropy.

    Parameters
    ----------
    n_inputs : int
        Length of the pooled state h.
    n_classes : int
        K.

    Examples
    --------
    >>> SoftmaxHead(n_inputs=4, n_classes=3).shapes()
    {'W_y': (3, 4), 'b_y': (3,)}
    """

    n_inputs: int
    n_classes: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the head's parameters, by name.

        Returns
        -------
        shapes : dict of str to tuple of int
            By name.
        """
        return {"W_y": (self.n_classes, self.n_inputs), "b_y": (self.n_classes,)}

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        """Write the initial parameters: Glorot, and zero.

        Parameters
        ----------
        weights : dict of str to ndarray
            Views of the parameters; overwritten.
        rng : numpy.random.Generator
            Source of the draws.
        """
        weights["W_y"][:] = glorot_uniform((self.n_classes, self.n_inputs), rng)
        weights["b_y"][:] = 0

    def logits(self, weights: Weights, h: np.ndarray) -> np.ndarray:
        """Logits (K, B) of states h (n_inputs, B).

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        h : ndarray of shape (n_inputs, B)
            Pooled states.

        Returns
        -------
        z : ndarray of shape (K, B)
            Newly allocated.
        """
        z = weights["W_y"] @ h
        z += weights["b_y"][:, None]
        return z

    def logits_of_steps(self, weights: Weights, h: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Logits (L, K, n) of outputs h (L, n_inputs, n), in lent memory.

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        h : ndarray of shape (L, n_inputs, n)
            Outputs of a segment.
        workspace : Workspace
            Lends what is returned, which stays lent.

        Returns
        -------
        z : ndarray of shape (L, K, n)
            One column for each step of each sequence.
        """
        z = workspace.lend((len(h), self.n_classes, h.shape[2]))
        np.matmul(weights["W_y"], h, out=z)
        z += weights["b_y"][:, None]
        return z

    def loss_gradient_of_steps(
        self,
        weights: Weights,
        gradients: Weights,
        h: np.ndarray,
        targets: np.ndarray,
        step_weights: np.ndarray,
        workspace: Workspace,
    ) -> tuple[float, np.ndarray]:
        """As `loss_gradient`, after every step of a segment.

        Outputs h and their gradient have shape (L, n_inputs, n), targets and weights of the steps (L, n).

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        gradients : dict of str to ndarray
            Views of the gradient vector; added to.
        h : ndarray of shape (L, n_inputs, n)
            Outputs of a segment.
        targets : ndarray of shape (L, n), int
            True class of each step.
        step_weights : ndarray of shape (L, n)
            Weight of each step's loss.
        workspace : Workspace
            Lends the gradient, which stays lent.

        Returns
        -------
        loss : float
            Weighted sum of losses, nats.
        d_h : ndarray of shape (L, n_inputs, n)
            Gradient with respect to h.
        """
        d_h = workspace.lend(h.shape)
        mark = workspace.mark()
        d_z = self.logits_of_steps(weights, h, workspace)
        loss = softmax_cross_entropy(d_z, targets, step_weights)
        np.matmul(weights["W_y"].T, d_z, out=d_h)
        columns = workspace.lend((self.n_classes, d_z.shape[0] * d_z.shape[2]))
        lay_side_by_side(d_z, columns)
        h_columns = workspace.lend((self.n_inputs, columns.shape[1]))
        lay_side_by_side(h, h_columns)
        gradients["W_y"] += columns @ h_columns.T
        gradients["b_y"] += columns.sum(axis=1)
        workspace.release(mark)
        return loss, d_h

    def loss_gradient(
        self,
        weights: Weights,
        gradients: Weights,
        h: np.ndarray,
        targets: np.ndarray,
        sample_weights: np.ndarray,
    ) -> float:
        """Weighted sum of losses, nats; adds to `gradients`, and overwrites h (n_inputs, B) with its gradient.

        Parameters
        ----------
        weights : dict of str to ndarray
            The head's parameters.
        gradients : dict of str to ndarray
            Views of the gradient vector; added to.
        h : ndarray of shape (n_inputs, B)
            Pooled states; overwritten with the gradient with respect to them.
        targets : ndarray of shape (B,), int
            True class of each column.
        sample_weights : ndarray of shape (B,)
            Weight of each column's loss.

        Returns
        -------
        loss : float
            Weighted sum of losses, nats.
        """
        d_z = self.logits(weights, h)
        loss = softmax_cross_entropy(d_z, targets, sample_weights)
        gradients["W_y"] += d_z @ h.T
        gradients["b_y"] += d_z.sum(axis=1)
        np.matmul(weights["W_y"].T, d_z, out=h)
        return loss
