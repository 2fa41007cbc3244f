"""The contract of the losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from ...arrays import Floats, Values
from ...parameters import NO_WEIGHTS, Weights


@dataclass(frozen=True)
class Loss(ABC):
    """Contract of a loss.

    Parameters
    ----------
    n_raw : int
        K, the number of raw predictions.
    """

    n_raw: int

    couples_steps: ClassVar[bool] = False
    """Whether the steps of a column have one loss together: raw predictions are then those of all its steps."""

    def using(self, kernels: str) -> Loss:
        """The same loss, computed by another set of kernels; results differ in rounding.

        Parameters
        ----------
        kernels : str
            Name among `skrnn.core.kernels.KERNELS`.

        Returns
        -------
        loss : Loss
            Itself, where only NumPy computes it.
        """
        return self

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of parameters of its own, by name; they stand among those of the head.

        Returns
        -------
        shapes : dict of str to tuple of int
            None by default.
        """
        return {}

    def in_units(self, loss: float) -> float:
        """Turn a mean loss into units of the targets, in which a user reads it.

        Parameters
        ----------
        loss : float
            As `loss_gradient` sums it, divided by the weights.

        Returns
        -------
        loss : float
            The same where targets have no unit.
        """
        return loss

    @abstractmethod
    def prepare(self, targets: Values, weights: Floats) -> tuple[Values, Floats]:
        """Bring targets (N, ...) and weights (N,) into the form that `loss_gradient` takes.

        Parameters
        ----------
        targets : ndarray of shape (N, ...)
            As the data hold them.
        weights : ndarray of shape (N,)
            Weight of each one's loss.

        Returns
        -------
        targets : ndarray of shape (N, width)
            What `loss_gradient` takes, a row for each.
        weights : ndarray of shape (N,)
            Zero where there is nothing to learn.
        """

    @abstractmethod
    def loss_gradient(
        self,
        raw: Floats,
        targets: Values,
        weights: Floats,
        parameters: Weights = NO_WEIGHTS,
        gradients: Weights = NO_WEIGHTS,
    ) -> float:
        """Sum the weighted losses, and write their gradient in the place of `raw`.

        Parameters
        ----------
        raw : ndarray of shape (L, K, n)
            Raw predictions. Overwritten with the gradient with respect to them.
        targets : ndarray of shape (L, n, width)
            What `prepare` gave, by step and column.
        weights : ndarray of shape (L, n)
            Weight of each loss; where the steps have one together, that of the column, or 0 where it has ended.
        parameters, gradients : dict of str to ndarray, default={}
            Its own parameters, and views of their gradients, which are added to.

        Returns
        -------
        loss : float
            Weighted sum.
        """

    @abstractmethod
    def inverse_link(self, raw: Floats) -> Floats:
        """Turn raw predictions (..., K, n) into what is predicted, in place.

        Parameters
        ----------
        raw : ndarray of shape (..., K, n)
            Overwritten.

        Returns
        -------
        predicted : ndarray of shape (..., K, n)
            The argument itself.
        """

    @abstractmethod
    def initial_bias(self, targets: Values, weights: Floats) -> Floats:
        """Bias (K,) with which the head may begin.

        Parameters
        ----------
        targets : ndarray of shape (N, ...)
            As the data hold them.
        weights : ndarray of shape (N,)
            Their weights.

        Returns
        -------
        bias : ndarray of shape (K,)
            First value of ``b_y``.
        """
