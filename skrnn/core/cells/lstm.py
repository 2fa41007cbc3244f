r"""Long short-term memory with a forget gate and without peepholes.

.. math::
    g_t &= \tanh(W_{xg} x_t + b_g + W_{hg} h_{t-1}) \tag{1} \\
    f_t &= \sigma(W_{xf} x_t + b_f + W_{hf} h_{t-1}) \tag{2} \\
    i_t &= \sigma(W_{xi} x_t + b_i + W_{hi} h_{t-1}) \tag{3} \\
    o_t &= \sigma(W_{xo} x_t + b_o + W_{ho} h_{t-1}) \tag{4} \\
    c_t &= f_t c_{t-1} + i_t g_t \tag{5} \\
    h_t &= o_t \tanh(c_t) \tag{6}

g is the candidate, f forgets, i lets in, o lets out; rows of W_x, W_h and b in the order g, f, i, o. Products of
vectors are elementwise. The bias b_f starts at 1, so that a fresh network remembers.

Backward, with :math:`d_v = \partial \ell / \partial v`, gradients of pre-activations for the gates:

.. math::
    d_{o_t} &= d_{h_t} \tanh(c_t) o_t (1 - o_t), \quad
    d_{c_t} \mathrel{+}= d_{h_t} o_t (1 - \tanh^2 c_t) \tag{6', 4'} \\
    d_{g_t} &= d_{c_t} i_t (1 - g_t^2), \quad d_{f_t} = d_{c_t} c_{t-1} f_t (1 - f_t), \quad
    d_{i_t} = d_{c_t} g_t i_t (1 - i_t) \tag{5', 1', 2', 3'} \\
    d_{c_{t-1}} &= d_{c_t} f_t, \quad d_{h_{t-1}} = W_h^\top [d_{g_t} d_{f_t} d_{i_t} d_{o_t}] \tag{5', 1' to 4'}

References
----------
Hochreiter and Schmidhuber, *Long short-term memory* (1997), section 4. Gers, Schmidhuber and Cummins, *Learning to
forget* (2000), equations 1 to 9. Jozefowicz, Zaremba and Sutskever, *An empirical exploration of recurrent network
architectures* (2015), section 2.2: the bias of the forget gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..activations import SIGMOID_SCALE, sigmoid_of_scaled
from ..parameters import Weights
from ..workspace import Workspace
from .cell import Cell, Injection, Tape


@dataclass(frozen=True)
class LSTMCell(Cell):
    """Long short-term memory, forget bias 1.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : str, default="tanh"
        Name of the tanh, see `Cell`.

    Examples
    --------
    >>> LSTMCell(hidden_size=3).shapes()
    {'W_h': (12, 3)}
    """

    n_gates = 4
    n_states = 2
    n_tape_rows = 7
    gradient_rows = 4

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        super().initialize(weights, rng)
        weights["b"][self.hidden_size : 2 * self.hidden_size] = 1

    @property
    def scale(self) -> np.ndarray:
        return np.repeat([self.function.scale, *[SIGMOID_SCALE] * 3], self.hidden_size)[:, None]

    def tape(self, workspace: Workspace, n_steps: int, n: int, n_joined_inputs: int) -> Tape:
        H = self.hidden_size
        saved = workspace.lend((n_steps, 6 * H, n))  # c_prev g f i o tanh(c)
        columns = workspace.lend((n_steps + 1, H + n_joined_inputs, n))
        c_last = workspace.lend((H, n))
        a, states = saved[:, H : H if n_joined_inputs else 5 * H], columns[:, :H]
        return Tape(a, columns, states, saved, (states[0], saved[0, :H]), (states[-1], c_last))

    def state_after(self, tape: Tape, step: int) -> tuple[np.ndarray, ...]:
        c = tape.saved[step, : self.hidden_size] if step < len(tape.saved) else tape.last[1]
        return tape.states[step], c

    def forward(self, recurrent: tuple[np.ndarray, ...], tape: Tape, workspace: Workspace) -> None:
        H, n_columns = tape.states.shape[1:]
        add, multiply = np.add, np.multiply
        (W,) = recurrent
        sigmoid, tanh, tanh_of_c = sigmoid_of_scaled, self.function.of_scaled, self.function.of_unscaled
        mark = workspace.mark()
        u = workspace.lend((2 * H, n_columns))
        u_f, u_i = u[:H], u[H:]
        saved = tape.saved
        steps = zip(
            self._pre_activations(W, tape, saved[:, H : 5 * H], workspace),
            list(tape.states[1:]),
            list(saved[:, H : 2 * H]),
            list(saved[:, : 2 * H]),
            list(saved[:, 2 * H : 5 * H]),
            list(saved[:, 2 * H : 4 * H]),
            list(saved[:, 4 * H : 5 * H]),
            list(saved[:, 5 * H :]),
            [*saved[1:, :H], tape.last[1]],
            strict=True,
        )
        for _gfio, h, g, c_prev_g, fio, fi, o, tanh_c, c in steps:
            tanh(g, g)  # 1
            sigmoid(fio, fio)  # 2, 3, 4
            multiply(c_prev_g, fi, u)  # 5
            add(u_f, u_i, c)
            tanh_of_c(c, tanh_c)
            multiply(o, tanh_c, h)  # 6
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
        n_steps, H, n_columns = len(d_a), *tape.states.shape[1:]
        product, add, multiply = recurrent.dot, np.add, np.multiply
        d_h, d_c = d_state
        mark = workspace.mark()
        P = workspace.lend((n_steps, H, n_columns))
        u = workspace.lend((H, n_columns))
        self._factors(tape, d_a, P)
        steps = zip(
            reversed(list(d_a)),
            reversed(list(d_a[:, : 3 * H].reshape(n_steps, 3, H, n_columns))),
            reversed(list(d_a[:, 3 * H :])),
            reversed(list(P)),
            reversed(list(tape.saved[:, 2 * H : 3 * H])),
            reversed(injections),
            strict=True,
        )
        for d_gfio, d_gfi, d_o, P_t, f, injection in steps:
            if injection is not None:
                columns, d_output = injection
                add(columns, d_output, columns)
            multiply(d_h, P_t, u)  # 6'
            add(d_c, u, d_c)
            multiply(d_o, d_h, d_o)  # 6', 4'
            multiply(d_gfi, d_c, d_gfi)  # 5', 1', 2', 3'
            multiply(d_c, f, d_c)  # 5'
            product(d_gfio, d_h)  # 1' to 4'
        workspace.release(mark)

    def _factors(self, tape: Tape, Q: np.ndarray, P: np.ndarray) -> None:
        """Fill Q (L, 4*H, n), rows g f i o, and P (L, H, n) with what does not depend on the gradient."""
        H, h = self.hidden_size, tape.states[1:]
        c_prev, g, f, i, o, tanh_c = (tape.saved[:, k * H : (k + 1) * H] for k in range(6))
        Q_g, Q_f, Q_i, Q_o = (Q[:, k * H : (k + 1) * H] for k in range(4))
        np.subtract(1, tape.saved[:, 2 * H : 5 * H], out=Q[:, H:])
        Q_o *= h  # o (1 - o) tanh(c)
        Q_f *= f
        Q_f *= c_prev
        i_g = np.multiply(i, g, out=P)
        Q_i *= i_g
        np.multiply(i_g, g, out=Q_g)
        np.subtract(i, Q_g, out=Q_g)  # i (1 - g^2)
        np.multiply(h, tanh_c, out=P)
        np.subtract(o, P, out=P)  # o (1 - tanh(c)^2)
