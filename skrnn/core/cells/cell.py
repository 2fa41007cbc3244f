"""What a cell is: its gates and states, its parameters and how they begin. Kernels compute with it.

Conventions: T steps, B batch, F features, H hidden, G gates. ``a`` is a pre-activation, ``d_...`` the gradient of the
loss with respect to ``...``. Every gate is one contiguous block of H rows of ``W_x``, ``W_h`` and ``b``.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..parameters import Weights, glorot_uniform, orthogonal


@dataclass(frozen=True)
class Cell(ABC):
    """A recurrent cell: hyper-parameters only, no arrays and no code that computes a step.

    Parameters
    ----------
    hidden_size : int
        Units H of the layer and direction.
    activation : str, default="tanh"
        Name among `skrnn.core.kernels.numpy.activations.ACTIVATIONS` of tanh, in one of the ways to compute it; of
        another function where the cell says so. A name, so that what a cell holds does not depend on the CPU.
    """

    hidden_size: int
    activation: str = "tanh"

    gates: ClassVar[tuple[str, ...]]
    """Names of the blocks of H rows of ``W_x``, ``W_h`` and ``b``, in their order."""
    one_hot_limit: ClassVar[float] = 1.0
    """Up to where the columns of ``W_x`` are drawn if a step picks one of them."""
    keeping_gates: ClassVar[dict[str, int]] = {}
    """Of the gates, those whose bias says how long a state is kept: 1 if it grows with the time, -1 if it falls."""
    states: ClassVar[tuple[str, ...]] = ("h",)
    """Names of the arrays (H, n) that make up the state; the first one is the output."""

    @property
    def n_gates(self) -> int:
        """G, the number of gates."""
        return len(self.gates)

    @property
    def n_states(self) -> int:
        """Number of arrays that make up the state."""
        return len(self.states)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the parameters beside ``W_x`` and ``b``, by name.

        Returns
        -------
        shapes : dict of str to tuple of int
            By name.
        """
        return {"W_h": (self.n_gates * self.hidden_size, self.hidden_size)}

    def remember(self, weights: Weights, timescale: float) -> None:
        """Overwrite biases so that what the units keep fades over 1 to `timescale` steps, each over others.

        The times are in equal proportions, so that as many units keep for long as for a few steps. Cells without a gate
        that keeps do nothing.

        Parameters
        ----------
        weights : dict of str to ndarray
            Views of the initial parameters.
        timescale : float
            The longest, in steps; at 2 or less nothing is written.

        References
        ----------
        Tallec and Ollivier, *Can recurrent neural networks warp time?* (2018), equation 16, where times are drawn
        uniformly; their logarithms are evenly spaced here.
        """
        H = self.hidden_size
        for gate, sign in self.keeping_gates.items() if timescale > 2 else ():
            first = self.gates.index(gate) * H
            bias = np.log(timescale - 1) * (np.arange(H) + 0.5) / H
            weights["b"][first : first + H] = sign * bias

    def initialize(self, weights: Weights, rng: np.random.Generator, is_one_hot: bool = False) -> None:
        """Write the initial values of ``W_x``, ``W_h`` and the biases: Glorot, orthogonal, zero, gate by gate.

        Glorot's limit supposes that all inputs are of order one. Where one of them is 1 and the others are 0 it falls
        with their number for no reason, and the state hears little of its input: there the limit is `one_hot_limit`.

        Parameters
        ----------
        weights : dict of str to ndarray
            Views of the parameters; overwritten.
        rng : numpy.random.Generator
            Source of the draws.
        is_one_hot : bool, default=False
            Whether a step has one input that is 1, a token.
        """
        H, F = self.hidden_size, weights["W_x"].shape[1]
        for gate in range(self.n_gates):
            rows = slice(gate * H, (gate + 1) * H)
            limit = self.one_hot_limit
            weights["W_x"][rows] = rng.uniform(-limit, limit, (H, F)) if is_one_hot else glorot_uniform((H, F), rng)
            weights["W_h"][rows] = orthogonal(H, rng)
        weights["b"][:] = 0
