"""The loops over time of long short-term memory.

Numbers behind lines are those of the equations in `skrnn.core.cells.lstm`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, OutputGradient
from .activations import SIGMOID_SCALE, sigmoid_of_scaled
from .kernel import NumpyKernel


@dataclass(frozen=True)
class LSTMKernel(NumpyKernel):
    """The loops of `skrnn.core.cells.lstm.LSTMCell`."""

    n_cache_rows = 7
    n_gradient_rows = 4
    n_scratch_rows = 5

    @property
    def scale(self) -> Floats | None:
        return np.repeat([self.activation.scale, *[SIGMOID_SCALE] * 3], self.cell.hidden_size)[:, None]

    def cache(self, n_steps: int, n: int, n_fused: int, workspace: Workspace) -> Cache:
        H = self.cell.hidden_size
        saved = workspace.empty((n_steps, 6 * H, n))  # c_prev g f i o tanh(c)
        columns = workspace.empty((n_steps + 1, H + n_fused, n))
        c_last = workspace.empty((H, n))
        a, states = saved[:, H : H if n_fused else 5 * H], columns[:, :H]
        return Cache(a, columns, states, saved, (states[0], saved[0, :H]), (states[-1], c_last))

    def state_after(self, cache: Cache, step: int) -> tuple[Floats, ...]:
        c = cache.saved[step, : self.cell.hidden_size] if step < len(cache.saved) else cache.last[1]
        return cache.states[step], c

    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        H, n_columns = cache.states.shape[1:]
        add, multiply = np.add, np.multiply
        (W,) = packed
        sigmoid, tanh, tanh_of_c = sigmoid_of_scaled, self.activation.of_scaled, self.activation.of_unscaled
        mark = workspace.mark()
        u = workspace.empty((2 * H, n_columns))
        u_f, u_i = u[:H], u[H:]
        saved = cache.saved
        steps = zip(
            self._pre_activations(W, cache, saved[:, H : 5 * H], workspace),
            list(cache.states[1:]),
            list(saved[:, H : 2 * H]),
            list(saved[:, : 2 * H]),
            list(saved[:, 2 * H : 5 * H]),
            list(saved[:, 2 * H : 4 * H]),
            list(saved[:, 4 * H : 5 * H]),
            list(saved[:, 5 * H :]),
            [*saved[1:, :H], cache.last[1]],
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
        d_h, d_c = d_state
        mark = workspace.mark()
        P = workspace.empty((n_steps, H, n_columns))
        u = workspace.empty((H, n_columns))
        Q = workspace.empty((n_steps, 4 * H, n_columns))
        self._factors(cache, Q, P)
        steps = zip(
            reversed(list(Q)),
            reversed(list(Q[:, : 3 * H].reshape(n_steps, 3, H, n_columns))),
            reversed(list(Q[:, 3 * H :])),
            reversed(list(P)),
            reversed(list(cache.saved[:, 2 * H : 3 * H])),
            self._columns_with_gradient(d_h, d_output),
            strict=True,
        )
        for d_gfio, d_gfi, d_o, P_t, f, extra in steps:
            if extra is not None:
                d_columns, d = extra
                add(d_columns, d, d_columns)
            multiply(d_h, P_t, u)  # 6'
            add(d_c, u, d_c)
            multiply(d_o, d_h, d_o)  # 6', 4'
            multiply(d_gfi, d_c, d_gfi)  # 5', 1', 2', 3'
            multiply(d_c, f, d_c)  # 5'
            product(d_gfio, d_h)  # 1' to 4'
        self._flatten(Q, cache, sums, first)
        workspace.release(mark)

    def _factors(self, cache: Cache, Q: Floats, P: Floats) -> None:
        """Fill Q (L, 4*H, n), rows g f i o, and P (L, H, n) with what does not depend on the gradient."""
        H, h = self.cell.hidden_size, cache.states[1:]
        c_prev, g, f, i, o, tanh_c = (cache.saved[:, k * H : (k + 1) * H] for k in range(6))
        Q_g, Q_f, Q_i, Q_o = (Q[:, k * H : (k + 1) * H] for k in range(4))
        np.subtract(1, cache.saved[:, 2 * H : 5 * H], out=Q[:, H:])
        Q_o *= h  # o (1 - o) tanh(c)
        Q_f *= f
        Q_f *= c_prev
        i_g = np.multiply(i, g, out=P)
        Q_i *= i_g
        np.multiply(i_g, g, out=Q_g)
        np.subtract(i, Q_g, out=Q_g)  # i (1 - g^2)
        np.multiply(h, tanh_c, out=P)
        np.subtract(o, P, out=P)  # o (1 - tanh(c)^2)
