"""The compiled loops over time of the gated recurrent unit.

Numbers behind lines are those of the equations in `skrnn.core.cells.gru`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Ints
from ...parameters import Weights
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, OutputGradient
from ..numpy.gru import GRUKernel
from .functions import tanh
from .kernel import LEAST, CompiledKernel
from .loops import loop
from .parts import add_output_gradient, add_product, add_to, flush, multiply, put, sigmoid_of


@loop("22332")
def _forward(W: Floats, b_hn: Floats, columns: Floats, saved: Floats, u: Floats) -> None:
    """From the weights (3*H, H + K) and scratch u (3*H, n); blocks of N numbers of a step: n r z and r R."""
    H, N = len(b_hn), len(b_hn) * u.shape[1]
    is_fused = W.shape[1] > H
    for t in range(len(saved)):
        s, h_prev, h = saved[t].reshape(-1), columns[t, :H].reshape(-1), columns[t + 1, :H].reshape(-1)
        if is_fused:
            np.dot(W, columns[t], saved[t, H:])
        else:
            np.dot(W, columns[t], u)
            R = saved[t, 3 * H :]
            for i in range(H):  # 3
                R[i] = b_hn[i, 0]
            add_to(s[N:], u.reshape(-1))
        sigmoid_of(s[N : 3 * N])  # 1, 2
        for k in range(N):  # 4
            s[3 * N + k] *= s[N + k]
        for k in range(N):
            s[k] = tanh(s[k] + s[3 * N + k])
        for k in range(N):  # 5
            h[k] = s[k] + s[2 * N + k] * (h_prev[k] - s[k])


@loop("2332vi22222222222nx")
def _backward(
    W: Floats,
    columns: Floats,
    saved: Floats,
    d_h: Floats,
    d_output: Floats,
    d_columns: Ints,
    d_a: Floats,
    d_block: Floats,
    block: Floats,
    d_W: Floats,
    u: Floats,
    n_block: Floats,
    x_block: Floats,
    d_W_n: Floats,
    u_n: Floats,
    d_h_z: Floats,
    d_a_all: Floats,
    first: int,
    least: float,
) -> None:
    """From the weights (H, 3*H), transposed, and scratch d_a (4*H, n), rows R r z n, and d_h_z (H, n).

    What the products of the inputs of n need is apart: rows n of the gradients, with the inputs alone.
    """
    H, n = d_h.shape
    N, n_filled, one = d_h.size, 0, W.dtype.type(1)
    d, d_h_, d_h_z_ = d_a.reshape(-1), d_h.reshape(-1), d_h_z.reshape(-1)
    for t in range(len(saved) - 1, -1, -1):
        add_output_gradient(d_h, d_output, d_columns, t)
        s, h_prev = saved[t].reshape(-1), columns[t, :H].reshape(-1)
        for k in range(N):  # 5'
            d[3 * N + k] = d_h_[k] * (one - s[2 * N + k]) * (one - s[k] * s[k])
        for k in range(N):  # 5', 2': h - n would be rounded to the digits of h where z is small
            d[2 * N + k] = d_h_[k] * (h_prev[k] - s[k]) * s[2 * N + k] * (one - s[2 * N + k])
        for k in range(N):
            d_h_z_[k] = d_h_[k] * s[2 * N + k]
        for k in range(N):  # 4'
            d[k] = d[3 * N + k] * s[N + k]
        for k in range(N):  # 4', 1'; s has r R
            d[N + k] = d[3 * N + k] * s[3 * N + k] * (one - s[N + k])
        flush(d_h_z_, least)
        flush(d, least)
        np.dot(W, d_a[: 3 * H], d_h)  # 3', 1', 2'
        add_to(d_h_, d_h_z_)
        if d_W_n.size:
            add_product(d_a[3 * H :], columns[t, H:], t == 0, n_block, x_block, n_filled, d_W_n, u_n)
        n_filled = add_product(d_a[: 3 * H], columns[t], t == 0, d_block, block, n_filled, d_W, u)
        if d_a_all.shape[1]:
            put(d_a, d_a_all, first + t * n)


@loop("222222")
def _step(W: Floats, b_hn: Floats, a: Floats, x: Floats, h: Floats, h_next: Floats) -> None:
    """One step of n sequences from h (H, n): as `_forward`, with scratch of its own; rows of a are those of n, r, z."""
    H, n = h.shape
    gates = multiply(W, h, x)  # r z R
    if x.shape[1] == 0:
        add_to(gates[: 2 * H].reshape(-1), a[H:].reshape(-1))
        for i in range(H):  # 3
            for j in range(n):
                gates[2 * H + i, j] += b_hn[i, 0]
    sigmoid_of(gates[: 2 * H].reshape(-1))  # 1, 2
    for i in range(H):
        for j in range(n):
            candidate = tanh(a[i, j] + gates[i, j] * gates[2 * H + i, j])  # 4
            h_next[i, j] = candidate + gates[H + i, j] * (h[i, j] - candidate)  # 5


@dataclass(frozen=True)
class CompiledGRUKernel(CompiledKernel, GRUKernel):
    """The compiled loops of `skrnn.core.cells.gru.GRUCell`."""

    n_recurrent_rows = 3

    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        (W, b_hn), mark = packed, workspace.mark()
        u = workspace.empty((len(W), cache.states.shape[2]))
        _forward.of(W.dtype)(W, b_hn, cache.columns, cache.saved, u)
        workspace.release(mark)

    def step(
        self, packed: tuple[Floats, ...], a: Floats, x: Floats, state: tuple[Floats, ...], workspace: Workspace
    ) -> tuple[Floats, ...]:
        (W, b_hn), h = packed, np.ascontiguousarray(state[0])
        h_next = np.empty_like(h)
        _step.of(W.dtype)(W, b_hn, a, x, h, h_next)
        return (h_next,)

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
        (d_h,), (d_W, d_W_n), mark = d_state, sums.d_W, workspace.mark()
        d_step, *of_both = self.scratch(cache, d_W, workspace)
        _, *of_n = self.scratch(cache, d_W_n, workspace)
        scratch = d_step, *of_both, *of_n, workspace.empty(d_h.shape)
        _backward.of(d_h.dtype)(
            packed, cache.columns, cache.saved, d_h, *d_output, *scratch, sums.d_a, first, LEAST[d_h.dtype]
        )
        workspace.release(mark)

    def start_sums(self, capacity: int, n_fused: int, wants_d_a: bool, workspace: Workspace) -> GradientSums:
        sums = super().start_sums(capacity, n_fused, wants_d_a, workspace)
        d_W_n = workspace.empty((self.cell.hidden_size, n_fused))
        d_W_n.fill(0)
        return sums._replace(d_W=(*sums.d_W, d_W_n))

    def add_gradients(self, gradients: Weights, sums: GradientSums, first: int) -> None:
        H, (d_W, d_W_n) = self.cell.hidden_size, sums.d_W  # rows R r z, and n
        gradients["W_h"][: 2 * H] += d_W[H:, :H]
        gradients["W_h"][2 * H :] += d_W[:H, :H]
        if d_W_n.size:
            gradients["W_x"][: 2 * H] += d_W[H:, H:-1]
            gradients["b"][: 2 * H] += d_W[H:, -1]
            gradients["W_x"][2 * H :] += d_W_n[:, :-1]
            gradients["b"][2 * H :] += d_W_n[:, -1]
            gradients["b_hn"] += d_W[:H, -1]
        else:
            gradients["b_hn"] += sums.d_a[:H, first:].sum(axis=1)
        d_W.fill(0)
        d_W_n.fill(0)
