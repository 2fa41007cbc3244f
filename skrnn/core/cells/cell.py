"""What a cell is: its gates, its loop over time, and the gradient of its recurrent weights.

The layer owns the input side: it writes the inputs of all steps of a segment into the tape, as they are or as
``W_x x + b``, and turns the gradients of the pre-activations into those of ``W_x``, ``b`` and ``x``. The cell runs over
the steps.

Conventions: T steps, B batch, F features, H hidden, G gates; a segment has L steps of n columns, one column a sequence.
``a`` is a pre-activation, ``d_...`` the gradient of the loss with respect to ``...``. A step's state is (H, n), its
gates are (G*H, n): every gate is one contiguous block of rows. K rows of inputs lie beneath each state: F + 1, the
inputs and a one, where a step is the product ``[W_h W_x b] [h; x; 1]``; none where ``W_x x + b`` is projected before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..activations import ACTIVATIONS, Activation
from ..parameters import Weights, glorot_uniform, orthogonal
from ..workspace import Workspace

Injection = tuple[np.ndarray, np.ndarray] | None
"""A view of ``d_h`` and what is added to it when the backward loop reaches a step."""


class Tape(NamedTuple):
    """What `Cell.forward` leaves for `Cell.backward`, for one segment of L steps and n columns.

    Attributes
    ----------
    a : ndarray of shape (L, P*H, n)
        ``W_x x + b`` of the P gates that are projected beforehand, from the layer; `Cell.forward` overwrites them.
    columns : ndarray of shape (L + 1, H + K, n)
        The state h before the first step and after each one, and beneath it the inputs of the next, from the layer.
    states : ndarray of shape (L + 1, H, n)
        The states in `columns`.
    saved : ndarray of shape (L, rows, n)
        Gate values, and whatever else a cell reads on the way back.
    first, last : tuple of ndarray of shape (H, n)
        Views of the whole state (h; for the LSTM h and c) before the first and after the last step.

    Notes
    -----
    In the outline of a tape ``a`` and `saved` have no steps, and `columns` no inputs. `Cell.forward` from `first` makes
    it whole again.
    """

    a: np.ndarray
    columns: np.ndarray
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
    activation : str, default="tanh"
        Name among `skrnn.core.activations.ACTIVATIONS` of tanh, in one of the ways to compute it; of another function
        where the cell says so. A name, so that what a cell holds does not depend on the CPU.
    """

    hidden_size: int
    activation: str = "tanh"

    n_gates: ClassVar[int]
    """G: blocks of H rows that the input feeds."""
    n_gates_apart: ClassVar[int] = 0
    """How many of them, the first on the tape, no recurrent product is added to: always projected beforehand."""
    n_states: ClassVar[int] = 1
    """Arrays of shape (H, n) that make up the state."""
    n_tape_rows: ClassVar[int]
    """Blocks of H rows that a tape holds for each step."""
    gradient_rows: ClassVar[int]
    """Blocks of H rows that `backward` writes for each step."""

    @property
    def function(self) -> Activation:
        """The activation of that name."""
        return ACTIVATIONS[self.activation]

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

        See `skrnn.core.activations`; `forward_weights` applies it.
        """

    @property
    def input_rows(self) -> slice:
        """Which of the rows that `backward` writes are the gradients of ``a``, in the order of ``W_x``."""
        return slice(0, self.n_gates * self.hidden_size)

    def forward_weights(
        self, weights: Weights, joins_inputs: bool, workspace: Workspace
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """What the forward pass needs of the parameters, in the form that suits its loop; once per batch.

        Parameters
        ----------
        weights : dict of str to ndarray
            The layer's parameters.
        joins_inputs : bool
            Whether inputs lie beneath the states.
        workspace : Workspace
            Lends what is returned, which stays lent.

        Returns
        -------
        W_xb : ndarray of shape (P*H, F + 1)
            ``[W_x b]`` of the gates that are projected beforehand.
        recurrent : tuple of ndarray
            For `forward`.
        """
        scale = self.scale.astype(workspace.dtype)
        W_h, W_x, b = weights["W_h"], weights["W_x"], weights["b"][:, None]
        if joins_inputs:
            return workspace.lend((0, W_x.shape[1] + 1)), (_join_columns([W_h, W_x, b], scale, workspace),)
        return _join_columns([W_x, b], scale, workspace), (_join_columns([W_h], scale, workspace),)

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
    def tape(self, workspace: Workspace, n_steps: int, n: int, n_joined_inputs: int) -> Tape:
        """Lend the memory for a segment of `n_steps` steps and `n` columns.

        Parameters
        ----------
        workspace : Workspace
            Lends the arrays, which stay lent.
        n_steps : int
            L.
        n : int
            Number of columns.
        n_joined_inputs : int
            K, the number of rows beneath each state.

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
        """Run over the steps of `tape`: reads ``a``, inputs and ``first``, fills ``states``, ``saved`` and ``last``.

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

    @staticmethod
    def _pre_activations(W: np.ndarray, tape: Tape, a: np.ndarray, workspace: Workspace) -> Iterator[np.ndarray]:
        """Each step's `a` (rows, n), computed when the loop over time asks for it: after the step before.

        It is the product of `W` and the step's column, or, where that has no inputs, the product is added to it.
        """
        product, add = W.dot, np.add  # a call of dot costs 0.9 us less than one of np.matmul
        if tape.columns.shape[1] > tape.states.shape[1]:
            return map(product, list(tape.columns[:-1]), list(a))
        v = workspace.lend(a.shape[1:])

        def add_product(h_prev: np.ndarray, a_t: np.ndarray) -> np.ndarray:
            return add(a_t, product(h_prev, v), a_t)

        return map(add_product, list(tape.columns[:-1]), list(a))


def _join_columns(blocks: list[np.ndarray], scale: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Matrices of as many rows side by side in one that is lent, times the factor (rows, 1) of each row."""
    joined = workspace.lend((len(scale), sum(block.shape[1] for block in blocks)))
    np.concatenate(blocks, axis=1, out=joined)
    return np.multiply(joined, scale, out=joined)
