r"""The Elman cell, a layer that sees its own last output.

.. math::
    a_t &= W_x x_t + b + W_h h_{t-1} \tag{1} \\
    h_t &= f(a_t) \tag{2}

f is tanh, or relu with W_h starting at the identity. The notebook's names: U = W_x, V = W_h, bh = b.

Backward, with :math:`d_v = \partial \ell / \partial v`:

.. math::
    d_{a_t} &= d_{h_t} f'(a_t) \tag{2'} \\
    d_{h_{t-1}} &= W_h^\top d_{a_t}, \quad d_{W_h} = \sum_t d_{a_t} h_{t-1}^\top \tag{1'}

References
----------
Elman, *Finding structure in time* (1990), section "Finding structure in time".
Le, Jaitly and Hinton, *A simple way to initialize recurrent networks of rectified linear units* (2015), section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..parameters import Weights
from ..workspace import Workspace
from .cell import Cell, Injection, Tape


@dataclass(frozen=True)
class ElmanCell(Cell):
    """Elman cell with activation tanh or relu.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : str, default="tanh"
        Name of the function; recurrent weights of "relu" start at the identity.

    Examples
    --------
    >>> ElmanCell(hidden_size=3).shapes()
    {'W_h': (3, 3)}
    """

    n_gates = 1
    n_tape_rows = 1
    gradient_rows = 1

    @property
    def is_bounded(self) -> bool:
        return self.function.is_bounded

    @property
    def scale(self) -> np.ndarray:
        return np.full((self.hidden_size, 1), self.function.scale)

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        super().initialize(weights, rng)
        if self.activation == "relu":
            weights["W_h"][:] = np.eye(self.hidden_size)

    def tape(self, workspace: Workspace, n_steps: int, n: int, n_joined_inputs: int) -> Tape:
        H = self.hidden_size
        columns = workspace.lend((n_steps + 1, H + n_joined_inputs, n))
        states = columns[:, :H]
        # the pre-activations become the states in place, and nothing else is needed on the way back
        a = states[1:, : 0 if n_joined_inputs else H]
        return Tape(a, columns, states, states[1:], (states[0],), (states[-1],))

    def forward(self, recurrent: tuple[np.ndarray, ...], tape: Tape, workspace: Workspace) -> None:
        (W,), f = recurrent, self.function.of_scaled
        mark = workspace.mark()
        for h in self._pre_activations(W, tape, tape.states[1:], workspace):  # 1
            f(h, h)  # 2
        workspace.release(mark)

    def backward(
        self,
        recurrent: np.ndarray,
        tape: Tape,
        d_state: tuple[np.ndarray, ...],
        injections: Sequence[Injection],
        d_a: np.ndarray,
        workspace: Workspace,
    ) -> None:
        product, multiply, add = recurrent.dot, np.multiply, np.add
        (d_h,) = d_state
        self.function.derivative(tape.states[1:], d_a)  # f'(a) of all steps, then times d_h in the loop
        for d_a_t, injection in zip(reversed(list(d_a)), reversed(injections), strict=True):
            if injection is not None:
                columns, d_output = injection
                add(columns, d_output, columns)
            multiply(d_a_t, d_h, d_a_t)  # 2'
            product(d_a_t, d_h)  # 1'
