r"""The gated recurrent unit, with the reset gate applied after the recurrent product.

.. math::
    r_t &= \sigma(W_{xr} x_t + b_r + W_{hr} h_{t-1}) \tag{1} \\
    z_t &= \sigma(W_{xz} x_t + b_z + W_{hz} h_{t-1}) \tag{2} \\
    R_t &= W_{hn} h_{t-1} + b_{hn} \tag{3} \\
    n_t &= \tanh(W_{xn} x_t + b_n + r_t R_t) \tag{4} \\
    h_t &= n_t + z_t (h_{t-1} - n_t) \tag{5}

r resets, z keeps, n is the candidate; rows of W_x, W_h and b in the order r, z, n. Products of vectors are elementwise.
With the reset after the product there is one recurrent GEMM a step, as in cuDNN, PyTorch and Keras; in the
paper r multiplies :math:`h_{t-1}` before it.

Backward, with :math:`d_v = \partial \ell / \partial v`, the gradients of pre-activations:

.. math::
    d_{n_t} &= d_{h_t} (1 - z_t)(1 - n_t^2), \quad d_{z_t} = d_{h_t} (h_{t-1} - n_t) z_t (1 - z_t) \tag{5', 4', 2'} \\
    d_{R_t} &= d_{n_t} r_t, \quad d_{r_t} = d_{n_t} R_t r_t (1 - r_t) \tag{4', 1'} \\
    d_{h_{t-1}} &= d_{h_t} z_t + W_{hn}^\top d_{R_t} + W_{hr}^\top d_{r_t} + W_{hz}^\top d_{z_t} \tag{5', 3', 1', 2'}

References
----------
Cho et al., *Learning phrase representations using RNN encoder-decoder for statistical machine translation* (2014),
equations 5 to 8. Chung et al., *Empirical evaluation of gated recurrent neural networks on sequence modeling* (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..activations import SIGMOID_SCALE, constant, sigmoid_of_scaled
from ..parameters import Weights
from ..workspace import Workspace
from .cell import Cell, Injection, Tape


@dataclass(frozen=True)
class GRUCell(Cell):
    """Gated recurrent unit, reset after the recurrent product.

    Parameters
    ----------
    hidden_size : int
        Number of units H.
    activation : str, default="tanh"
        Name of the tanh, see `Cell`.

    Examples
    --------
    >>> GRUCell(hidden_size=3).shapes()
    {'W_h': (9, 3), 'b_hn': (3,)}
    """

    n_gates = 3
    n_gates_apart = 1  # the input of n is added to r R, not to R
    n_tape_rows = 5
    gradient_rows = 4  # R r z n: the first three drive the recurrence, the last three the input

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {**super().shapes(), "b_hn": (self.hidden_size,)}

    def initialize(self, weights: Weights, rng: np.random.Generator) -> None:
        super().initialize(weights, rng)
        weights["b_hn"][:] = 0

    @property
    def scale(self) -> np.ndarray:
        return np.repeat([SIGMOID_SCALE, SIGMOID_SCALE, self.function.scale], self.hidden_size)[:, None]

    @property
    def input_rows(self) -> slice:
        return slice(self.hidden_size, None)

    def forward_weights(
        self, weights: Weights, joins_inputs: bool, workspace: Workspace
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        H = self.hidden_size
        W_xb, (W,) = super().forward_weights(weights, joins_inputs, workspace)
        b_hn = workspace.lend((H, 1))
        np.multiply(weights["b_hn"][:, None], constant(self.function.scale, b_hn.dtype), out=b_hn)
        if joins_inputs:  # rows n move out of the product, which makes R of h and one alone
            projected = workspace.lend((H, W_xb.shape[1]))
            projected[...] = W[2 * H :, H:]
            W[2 * H :, H:-1] = 0
            W[2 * H :, -1:] = b_hn
        else:  # rows n r z, as on the tape
            projected = workspace.lend(W_xb.shape)
            projected[:H], projected[H:] = W_xb[2 * H :], W_xb[: 2 * H]
        return projected, (W, b_hn)

    def backward_weights(self, weights: Weights, workspace: Workspace) -> np.ndarray:
        H = self.hidden_size
        W_h = workspace.lend(weights["W_h"].shape)  # rows in the order n, r, z: those that R, r and z came from
        W_h[:H] = weights["W_h"][2 * H :]
        W_h[H:] = weights["W_h"][: 2 * H]
        return W_h.T

    def tape(self, workspace: Workspace, n_steps: int, n: int, n_joined_inputs: int) -> Tape:
        H = self.hidden_size
        saved = workspace.lend((n_steps, 4 * H, n))  # n r z and r R, scaled
        columns = workspace.lend((n_steps + 1, H + n_joined_inputs, n))
        a, states = saved[:, : H if n_joined_inputs else 3 * H], columns[:, :H]
        return Tape(a, columns, states, saved, (states[0],), (states[-1],))

    def forward(self, recurrent: tuple[np.ndarray, ...], tape: Tape, workspace: Workspace) -> None:
        H, n_columns = tape.states.shape[1:]
        add, subtract, multiply = np.add, np.subtract, np.multiply
        sigmoid, tanh = sigmoid_of_scaled, self.function.of_scaled
        W, b_hn = recurrent
        mark = workspace.mark()
        u = workspace.lend((H, n_columns))
        states, saved = list(tape.states), tape.saved
        if W.shape[1] == H:  # without the inputs' one
            saved[:, 3 * H :] = b_hn
        steps = zip(
            self._pre_activations(W, tape, saved[:, H:], workspace),  # 3
            states[:-1],
            states[1:],
            list(saved[:, H : 3 * H]),
            list(saved[:, H : 2 * H]),
            list(saved[:, 2 * H : 3 * H]),
            list(saved[:, :H]),
            list(saved[:, 3 * H :]),
            strict=True,
        )
        for _rzR, h_prev, h, rz, r, z, n, rR in steps:
            sigmoid(rz, rz)  # 1, 2
            multiply(r, rR, rR)  # 4
            add(n, rR, n)
            tanh(n, n)
            subtract(h_prev, n, u)  # 5
            multiply(u, z, u)
            add(n, u, h)
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
        (d_h,) = d_state
        mark = workspace.mark()
        u = workspace.lend((H, n_columns))
        self._factors(tape, d_a, workspace)
        blocks = d_a.reshape(n_steps, 4, H, n_columns)
        steps = zip(
            reversed(list(blocks[:, :2])),
            reversed(list(blocks[:, 2:])),
            reversed(list(blocks[:, 3])),
            reversed(list(d_a[:, : 3 * H])),
            reversed(list(tape.saved[:, 2 * H : 3 * H])),
            reversed(injections),
            strict=True,
        )
        for d_Rr, d_zn, d_n, d_Rrz, z, injection in steps:
            if injection is not None:
                columns, d_output = injection
                add(columns, d_output, columns)
            multiply(d_zn, d_h, d_zn)  # 5', 4', 2'
            multiply(d_Rr, d_n, d_Rr)  # 4', 1'
            multiply(d_h, z, u)  # 5'
            product(d_Rrz, d_h)  # 3', 1', 2'
            add(d_h, u, d_h)
        workspace.release(mark)

    def add_gradients(self, gradients: Weights, d_a: np.ndarray, h_prev: np.ndarray) -> None:
        H = self.hidden_size
        d_W_h = d_a[: 3 * H] @ h_prev.T  # rows R r z
        gradients["W_h"][: 2 * H] += d_W_h[H:]
        gradients["W_h"][2 * H :] += d_W_h[:H]
        gradients["b_hn"] += d_a[:H].sum(axis=1)

    def _factors(self, tape: Tape, Q: np.ndarray, workspace: Workspace) -> None:
        """Fill Q (L, 4*H, n), rows R r z n, with what does not depend on the gradient: equations 1' to 5'."""
        H = self.hidden_size
        n, r, z, rR_scaled = (tape.saved[:, k * H : (k + 1) * H] for k in range(4))
        Q_r, Q_z, Q_n = (Q[:, k * H : (k + 1) * H] for k in range(1, 4))
        Q[:, :H] = r
        np.subtract(1, tape.saved[:, H : 3 * H], out=Q[:, H : 3 * H])  # 1 - r, 1 - z
        mark = workspace.mark()
        u = workspace.lend(n.shape)
        np.multiply(n, n, out=u)
        np.subtract(1, u, out=u)
        np.multiply(Q_z, u, out=Q_n)  # (1 - z)(1 - n^2)
        Q_r *= rR_scaled
        if self.function.scale != 1:
            Q_r *= 1 / self.function.scale
        np.subtract(tape.states[:-1], n, out=u)  # h - n would be rounded to the digits of h where z is small
        u *= z
        Q_z *= u
        workspace.release(mark)
