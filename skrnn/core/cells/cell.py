"""What a cell is: its gates, its loop over time, and the gradient of its recurrent weights.

The layer owns the input side: it writes ``a = W_x x + b`` for all steps of a segment at once into the tape, and turns
the gradients of the pre-activations into those of ``W_x``, ``b`` and ``x``. The cell runs over the steps.

Conventions: T steps, B batch, F features, H hidden, G gates; a segment has L steps of n columns, one column a sequence.
``a`` is a pre-activation, ``d_...`` the gradient of the loss with respect to ``...``. A step's state is (H, n), its
gates are (G*H, n): every gate is one contiguous block of rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..activations import TANH, Activation
from ..parameters import Weights, glorot_uniform, orthogonal
from ..workspace import Workspace

Injection = tuple[np.ndarray, np.ndarray] | None
"""A view of ``d_h`` and what is added to it when the backward loop reaches a step."""


class Tape(NamedTuple):
    """What `Cell.forward` leaves for `Cell.backward`, for one segment of L steps and n columns.

    Attributes
    ----------
    a : ndarray of shape (L, G*H, n)
        Pre-activations from the input, written by the layer; `Cell.forward` overwrites them.
    states : ndarray of shape (L + 1, H, n)
        The state h before the first step and after each one.
    saved : ndarray of shape (L, rows, n)
        Gate values, and whatever else a cell reads on the way back.
    first, last : tuple of ndarray of shape (H, n)
        Views of the whole state (h; for the LSTM h and c) before the first and after the last step.

    Notes
    -----
    In the outline of a tape ``a`` and `saved` have no steps. `Cell.forward` from `first` makes it whole again.
    """

    a: np.ndarray
    states: np.ndarray
    saved: np.ndarray
    first: tuple[np.ndarray, ...]
    last: tuple[np.ndarray, ...]

    @property
    def is_outline(self) -> bool:
        """Whether only the states are there."""
        return len(self.saved) == 0


@dataclass(frozen=True)
class Cell(ABC):
    """Contract of a recurrent cell: hyper-parameters only, every array is handed in.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : Activation, default=TANH
        Tanh, in one of the ways to compute it; another function where the cell says so.
    """

    hidden_size: int
    activation: Activation = TANH

    n_gates: ClassVar[int]
    """G: blocks of H rows that the input feeds."""
    n_states: ClassVar[int] = 1
    """Arrays of shape (H, n) that make up the state."""
    n_tape_rows: ClassVar[int]
    """Blocks of H rows that a tape holds for each step."""
    gradient_rows: ClassVar[int]
    """Blocks of H rows that `backward` writes for each step."""

    @property
    def is_bounded(self) -> bool:
        """Whether states stay finite on any input: only then may a segment run past the end of a sequence."""
        return True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the cell's own parameters, by name.

        Returns
        -------
        shapes : dict of str to tuple of int
            By name.
        """
        return {"W_h": (self.n_gates * self.hidden_size, self.hidden_size)}

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        """Write the initial values of ``W_x``, ``W_h`` and the biases: Glorot, orthogonal, zero, gate by gate.

        Parameters
        ----------
        weights : dict of str to ndarray
            Views of the parameters; overwritten.
        rng : numpy.random.Generator
            Source of the draws.
        """
        H = self.hidden_size
        for gate in range(self.n_gates):
            rows = slice(gate * H, (gate + 1) * H)
            weights["W_x"][rows] = glorot_uniform((H, weights["W_x"].shape[1]), rng)
            weights["W_h"][rows] = orthogonal(H, rng)
        weights["b"][:] = 0

    @property
    @abstractmethod
    def scale(self) -> np.ndarray:
        """Factor (G*H, 1) of each row of the weights, such that activations need no more than an exp.

        See `skrnn.core.activations`; the layer applies it to ``[W_x b]``, `forward_weights` to ``W_h``.
        """

    @property
    def input_rows(self) -> slice:
        """Which of the rows that `backward` writes are the gradients of ``a``, in the order of ``W_x``."""
        return slice(0, self.n_gates * self.hidden_size)

    def forward_weights(self, weights: Weights, workspace: Workspace) -> tuple[np.ndarray, ...]:
        """What `forward` needs of the parameters, in the form that suits its loop; once per batch.

        Parameters
        ----------
        weights : dict of str to ndarray
            The layer's parameters.
        workspace : Workspace
            Lends what is returned, which stays lent.

        Returns
        -------
        recurrent : tuple of ndarray
            For `forward`.
        """
        W_h = workspace.lend(weights["W_h"].shape)
        return (np.multiply(weights["W_h"], self.scale.astype(W_h.dtype), out=W_h),)

    def backward_weights(self, weights: Weights, workspace: Workspace) -> np.ndarray:
        """Matrix (H, rows) from `backward`'s gradients of a step to ``d_h`` of the step before; once per batch.

        Parameters
        ----------
        weights : dict of str to ndarray
            The layer's parameters.
        workspace : Workspace
            Lends what is returned, which stays lent.

        Returns
        -------
        recurrent : ndarray of shape (H, rows)
            For `backward`.
        """
        return weights["W_h"].T

    @abstractmethod
    def tape(self, workspace: Workspace, n_steps: int, n: int) -> Tape:
        """Lend the memory for a segment of `n_steps` steps and `n` columns.

        Parameters
        ----------
        workspace : Workspace
            Lends the arrays, which stay lent.
        n_steps : int
            L.
        n : int
            Number of columns.

        Returns
        -------
        tape : Tape
            With undefined content.
        """

    def state_after(self, tape: Tape, step: int) -> tuple[np.ndarray, ...]:
        """State (H, n) after `step` steps of a segment that `forward` has run over.

        Parameters
        ----------
        tape : Tape
            As `forward` left it.
        step : int
            From 0, the state before the segment, to L.

        Returns
        -------
        state : tuple of ndarray of shape (H, n)
            Views.
        """
        return (tape.states[step],)

    @abstractmethod
    def forward(self, recurrent: tuple[np.ndarray, ...], tape: Tape, workspace: Workspace) -> None:
        """Run over the steps of `tape`: reads ``a`` and ``first``, fills ``states``, ``saved`` and ``last``.

        Parameters
        ----------
        recurrent : tuple of ndarray
            What `forward_weights` gave.
        tape : Tape
            Read and filled.
        workspace : Workspace
            Lends scratch, which is given back.
        """

    @abstractmethod
    def backward(
        self,
        recurrent: np.ndarray,
        tape: Tape,
        d_state: tuple[np.ndarray, ...],
        injections: Sequence[Injection],
        d_a: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Run back over the steps of `tape`, mirror image of `forward`.

        Parameters
        ----------
        recurrent : ndarray of shape (H, rows)
            What `backward_weights` gave.
        tape : Tape
            As `forward` left it; only read.
        d_state : tuple of ndarray of shape (H, n)
            Gradient with respect to ``tape.last``. Overwritten with that with respect to ``tape.first``.
        injections : sequence of length L
            For each step the gradient that reaches its output from outside the recurrence: a view of ``d_state[0]``
            and what is added to it, or None.
        d_a : ndarray of shape (L, gradient_rows * H, n)
            Overwritten with the gradients of the pre-activations.
        workspace : Workspace
            Lends scratch, which is given back.
        """

    def add_gradients(self, gradients: Weights, d_a: np.ndarray, h_prev: np.ndarray) -> None:
        """Add the gradients of the cell's own parameters to `gradients`.

        Parameters
        ----------
        gradients : dict of str to ndarray
            Views of the gradient vector; added to.
        d_a : ndarray of shape (gradient_rows * H, N)
            What `backward` wrote, N column-steps side by side.
        h_prev : ndarray of shape (H, N)
            The state before each of those column-steps.
        """
        gradients["W_h"] += d_a @ h_prev.T
