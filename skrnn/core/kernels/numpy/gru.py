"""The loops over time of the gated recurrent unit.

Numbers behind lines are those of the equations in `skrnn.core.cells.gru`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ...parameters import Weights
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, OutputGradient
from .activations import SIGMOID_SCALE, constant, sigmoid_of_scaled
from .kernel import NumpyKernel


@dataclass(frozen=True)
class GRUKernel(NumpyKernel):
    """The loops of `skrnn.core.cells.gru.GRUCell`."""

    n_gates_apart = 1  # the input of n is added to r R, not to R
    n_cache_rows = 5
    n_scratch_rows = 5
    n_gradient_rows = 4  # R r z n: the first three drive the recurrence, the last three the input

    @property
    def scale(self) -> Floats | None:
        return np.repeat([SIGMOID_SCALE, SIGMOID_SCALE, self.activation.scale], self.cell.hidden_size)[:, None]

    @property
    def input_rows(self) -> slice:
        return slice(self.cell.hidden_size, None)

    def pack(self, weights: Weights, is_fused: bool, workspace: Workspace) -> tuple[Floats, tuple[Floats, ...]]:
        H = self.cell.hidden_size
        W_xb, (W,) = super().pack(weights, is_fused, workspace)
        b_hn = workspace.empty((H, 1))
        np.multiply(weights["b_hn"][:, None], constant(self.activation.scale, b_hn.dtype), out=b_hn)
        if is_fused:  # rows n move out of the product, which makes R of h and one alone
            projected = workspace.empty((H, W_xb.shape[1]))
            projected[...] = W[2 * H :, H:]
            W[2 * H :, H:-1] = 0
            W[2 * H :, -1:] = b_hn
        else:  # rows n r z, as in the cache
            projected = workspace.empty(W_xb.shape)
            projected[:H], projected[H:] = W_xb[2 * H :], W_xb[: 2 * H]
        return projected, (W, b_hn)

    def pack_backward(self, weights: Weights, workspace: Workspace) -> Floats:
        H = self.cell.hidden_size
        W_h = workspace.empty(weights["W_h"].shape)  # rows in the order n, r, z: those that R, r and z came from
        W_h[:H] = weights["W_h"][2 * H :]
        W_h[H:] = weights["W_h"][: 2 * H]
        return W_h.T

    def cache(self, n_steps: int, n: int, n_fused: int, workspace: Workspace) -> Cache:
        H = self.cell.hidden_size
        saved = workspace.empty((n_steps, 4 * H, n))  # n r z and r R, scaled
        columns = workspace.empty((n_steps + 1, H + n_fused, n))
        a, states = saved[:, : H if n_fused else 3 * H], columns[:, :H]
        return Cache(a, columns, states, saved, (states[0],), (states[-1],))

    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        H, n_columns = cache.states.shape[1:]
        add, subtract, multiply = np.add, np.subtract, np.multiply
        sigmoid, tanh = sigmoid_of_scaled, self.activation.of_scaled
        W, b_hn = packed
        mark = workspace.mark()
        u = workspace.empty((H, n_columns))
        states, saved = list(cache.states), cache.saved
        if W.shape[1] == H:  # without the inputs' one
            saved[:, 3 * H :] = b_hn
        steps = zip(
            self._pre_activations(W, cache, saved[:, H:], workspace),  # 3
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
        packed: Floats,
        cache: Cache,
        d_state: tuple[Floats, ...],
        d_output: OutputGradient,
        sums: GradientSums,
        first: int,
        workspace: Workspace,
    ) -> None:
        n_steps, H, n_columns = len(cache.saved), *cache.states.shape[1:]
        product, add, multiply = packed.dot, np.add, np.multiply
        (d_h,) = d_state
        mark = workspace.mark()
        u = workspace.empty((H, n_columns))
        Q = workspace.empty((n_steps, 4 * H, n_columns))
        self._factors(cache, Q, workspace)
        blocks = Q.reshape(n_steps, 4, H, n_columns)
        steps = zip(
            reversed(list(blocks[:, :2])),
            reversed(list(blocks[:, 2:])),
            reversed(list(blocks[:, 3])),
            reversed(list(Q[:, : 3 * H])),
            reversed(list(cache.saved[:, 2 * H : 3 * H])),
            self._columns_with_gradient(d_h, d_output),
            strict=True,
        )
        for d_Rr, d_zn, d_n, d_Rrz, z, extra in steps:
            if extra is not None:
                d_columns, d = extra
                add(d_columns, d, d_columns)
            multiply(d_zn, d_h, d_zn)  # 5', 4', 2'
            multiply(d_Rr, d_n, d_Rr)  # 4', 1'
            multiply(d_h, z, u)  # 5'
            product(d_Rrz, d_h)  # 3', 1', 2'
            add(d_h, u, d_h)
        self._flatten(Q, cache, sums, first)
        workspace.release(mark)

    def add_gradients(self, gradients: Weights, sums: GradientSums, first: int) -> None:
        H, (d_a, columns) = self.cell.hidden_size, (v[:, first:] for v in sums[:2])
        d_W_h = d_a[: 3 * H] @ columns[:H].T  # rows R r z
        gradients["W_h"][: 2 * H] += d_W_h[H:]
        gradients["W_h"][2 * H :] += d_W_h[:H]
        gradients["b_hn"] += d_a[:H].sum(axis=1)
        if len(columns) > H:
            d_W_x = d_a[H:] @ columns[H:].T
            gradients["W_x"] += d_W_x[:, :-1]
            gradients["b"] += d_W_x[:, -1]

    def _factors(self, cache: Cache, Q: Floats, workspace: Workspace) -> None:
        """Fill Q (L, 4*H, n), rows R r z n, with what does not depend on the gradient: equations 1' to 5'."""
        H = self.cell.hidden_size
        n, r, z, rR_scaled = (cache.saved[:, k * H : (k + 1) * H] for k in range(4))
        Q_r, Q_z, Q_n = (Q[:, k * H : (k + 1) * H] for k in range(1, 4))
        Q[:, :H] = r
        np.subtract(1, cache.saved[:, H : 3 * H], out=Q[:, H : 3 * H])  # 1 - r, 1 - z
        mark = workspace.mark()
        u = workspace.empty(n.shape)
        np.multiply(n, n, out=u)
        np.subtract(1, u, out=u)
        np.multiply(Q_z, u, out=Q_n)  # (1 - z)(1 - n^2)
        Q_r *= rR_scaled
        if self.activation.scale != 1:
            Q_r *= 1 / self.activation.scale
        np.subtract(cache.states[:-1], n, out=u)  # h - n would be rounded to the digits of h where z is small
        u *= z
        Q_z *= u
        workspace.release(mark)
