"""The compiled loops over time of long short-term memory.

Numbers behind lines are those of the equations in `skrnn.core.cells.lstm`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Ints
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, OutputGradient
from ..numpy.lstm import LSTMKernel
from .functions import tanh
from .kernel import LEAST, CompiledKernel
from .loops import loop
from .parts import add_output_gradient, add_product, add_to, flush, multiply, put, sigmoid_of, tanh_of


@loop("23322")
def _forward(W: Floats, columns: Floats, saved: Floats, c_last: Floats, u: Floats) -> None:
    """From the weights (4*H, H + K) and scratch u (4*H, n); blocks of N numbers of a step: c_prev g f i o tanh(c)."""
    L, H, N = len(saved), len(c_last), c_last.size
    is_fused = W.shape[1] > H
    for t in range(L):
        s, h = saved[t].reshape(-1), columns[t + 1, :H].reshape(-1)
        c = saved[t + 1, :H].reshape(-1) if t + 1 < L else c_last.reshape(-1)
        if is_fused:
            np.dot(W, columns[t], saved[t, H : 5 * H])
        else:
            np.dot(W, columns[t], u)
            add_to(s[N : 5 * N], u.reshape(-1))
        tanh_of(s[N : 2 * N])  # 1
        sigmoid_of(s[2 * N : 5 * N])  # 2, 3, 4
        for k in range(N):  # 5
            c[k] = s[2 * N + k] * s[k] + s[3 * N + k] * s[N + k]
        for k in range(N):
            s[5 * N + k] = tanh(c[k])
        for k in range(N):  # 6
            h[k] = s[4 * N + k] * s[5 * N + k]


@loop("23322vi222222nx")
def _backward(
    W: Floats,
    columns: Floats,
    saved: Floats,
    d_h: Floats,
    d_c: Floats,
    d_output: Floats,
    d_columns: Ints,
    d_a: Floats,
    d_block: Floats,
    block: Floats,
    d_W: Floats,
    u: Floats,
    d_a_all: Floats,
    first: int,
    least: float,
) -> None:
    """From the weights (H, 4*H), transposed, and scratch d_a (4*H, n), rows g f i o."""
    N, n, n_filled, one = d_h.size, d_h.shape[1], 0, W.dtype.type(1)
    d, d_h_, d_c_ = d_a.reshape(-1), d_h.reshape(-1), d_c.reshape(-1)
    for t in range(len(saved) - 1, -1, -1):
        add_output_gradient(d_h, d_output, d_columns, t)
        s = saved[t].reshape(-1)
        for k in range(N):  # 6', 4'
            d_c_[k] += d_h_[k] * s[4 * N + k] * (one - s[5 * N + k] * s[5 * N + k])
        for k in range(N):
            d[3 * N + k] = d_h_[k] * s[5 * N + k] * s[4 * N + k] * (one - s[4 * N + k])
        for k in range(N):  # 5', 1', 2', 3'
            d[k] = d_c_[k] * s[3 * N + k] * (one - s[N + k] * s[N + k])
        for k in range(N):
            d[N + k] = d_c_[k] * s[k] * s[2 * N + k] * (one - s[2 * N + k])
        for k in range(N):
            d[2 * N + k] = d_c_[k] * s[N + k] * s[3 * N + k] * (one - s[3 * N + k])
        for k in range(N):  # 5'
            d_c_[k] *= s[2 * N + k]
        flush(d_c_, least)
        flush(d, least)
        np.dot(W, d_a, d_h)  # 1' to 4'
        n_filled = add_product(d_a, columns[t], t == 0, d_block, block, n_filled, d_W, u)
        if d_a_all.shape[1]:
            put(d_a, d_a_all, first + t * n)


@loop("2222222")
def _step(W: Floats, a: Floats, x: Floats, h: Floats, c: Floats, h_next: Floats, c_next: Floats) -> None:
    """One step of n sequences from h and c (H, n): as `_forward`, with scratch of its own."""
    H, n = h.shape
    gates = multiply(W, h, x)
    if a.size:
        add_to(gates.reshape(-1), a.reshape(-1))
    tanh_of(gates[:H].reshape(-1))  # 1
    sigmoid_of(gates[H:].reshape(-1))  # 2, 3, 4
    for i in range(H):
        for j in range(n):
            c_next[i, j] = gates[H + i, j] * c[i, j] + gates[2 * H + i, j] * gates[i, j]  # 5
            h_next[i, j] = gates[3 * H + i, j] * tanh(c_next[i, j])  # 6


@dataclass(frozen=True)
class CompiledLSTMKernel(CompiledKernel, LSTMKernel):
    """The compiled loops of `skrnn.core.cells.lstm.LSTMCell`."""

    n_recurrent_rows = 4

    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        (W,), mark = packed, workspace.mark()
        u = workspace.empty((len(W), cache.states.shape[2]))
        _forward.of(W.dtype)(W, cache.columns, cache.saved, cache.last[1], u)
        workspace.release(mark)

    def step(
        self, packed: tuple[Floats, ...], a: Floats, x: Floats, state: tuple[Floats, ...], workspace: Workspace
    ) -> tuple[Floats, ...]:
        (W,), (h, c) = packed, map(np.ascontiguousarray, state)
        h_next, c_next = np.empty_like(h), np.empty_like(c)
        _step.of(W.dtype)(W, a, x, h, c, h_next, c_next)
        return h_next, c_next

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
        (d_h, d_c), (d_W,), mark = d_state, sums.d_W, workspace.mark()
        scratch = self.scratch(cache, d_W, workspace)
        _backward.of(d_h.dtype)(
            packed, cache.columns, cache.saved, d_h, d_c, *d_output, *scratch, sums.d_a, first, LEAST[d_h.dtype]
        )
        workspace.release(mark)
