"""The compiled loops over time of the Elman cell.

Numbers behind lines are those of the equations in `skrnn.core.cells.elman`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats, Ints
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, OutputGradient
from ..numpy.elman import ElmanKernel
from .kernel import LEAST, CompiledKernel
from .loops import loop
from .parts import add_output_gradient, add_product, add_to, flush, multiply, put, relu_of, tanh_of


@loop("232n")
def _forward(W: Floats, columns: Floats, u: Floats, is_tanh: int) -> None:
    """From the weights (H, H + K), columns (L + 1, H + K, n) and scratch (H, n)."""
    H = len(W)
    is_fused = W.shape[1] > H
    for t in range(len(columns) - 1):
        h = columns[t + 1, :H].reshape(-1)
        if is_fused:  # 1
            np.dot(W, columns[t], columns[t + 1, :H])
        else:
            np.dot(W, columns[t], u)
            add_to(h, u.reshape(-1))
        if is_tanh:  # 2
            tanh_of(h)
        else:
            relu_of(h)


@loop("232vi222222nxn")
def _backward(
    W: Floats,
    columns: Floats,
    d_h: Floats,
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
    is_tanh: int,
) -> None:
    """From the weights (H, H), transposed, and scratch d_a (H, n)."""
    H, n = d_h.shape
    one, zero = W.dtype.type(1), W.dtype.type(0)
    d, d_state, n_filled = d_a.reshape(-1), d_h.reshape(-1), 0
    for t in range(len(columns) - 2, -1, -1):
        add_output_gradient(d_h, d_output, d_columns, t)
        h = columns[t + 1, :H].reshape(-1)
        if is_tanh:  # 2'
            for k in range(d.size):
                d[k] = d_state[k] * (one - h[k] * h[k])
        else:
            for k in range(d.size):
                d[k] = d_state[k] if h[k] > zero else zero
        flush(d, least)
        np.dot(W, d_a, d_h)  # 1'
        n_filled = add_product(d_a, columns[t], t == 0, d_block, block, n_filled, d_W, u)
        if d_a_all.shape[1]:
            put(d_a, d_a_all, first + t * n)


@loop("22222n")
def _step(W: Floats, a: Floats, x: Floats, h: Floats, h_next: Floats, is_tanh: int) -> None:
    """One step of n sequences from h (H, n): as `_forward`, with scratch of its own."""
    h_next[:] = multiply(W, h, x)  # 1
    if a.size:
        add_to(h_next.reshape(-1), a.reshape(-1))
    if is_tanh:  # 2
        tanh_of(h_next.reshape(-1))
    else:
        relu_of(h_next.reshape(-1))


@dataclass(frozen=True)
class CompiledElmanKernel(CompiledKernel, ElmanKernel):
    """The compiled loops of `skrnn.core.cells.elman.ElmanCell`."""

    n_recurrent_rows = 1

    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        (W,), mark = packed, workspace.mark()
        u = workspace.empty(cache.states.shape[1:])
        _forward.of(W.dtype)(W, cache.columns, u, self.is_bounded)
        workspace.release(mark)

    def step(
        self, packed: tuple[Floats, ...], a: Floats, x: Floats, state: tuple[Floats, ...], workspace: Workspace
    ) -> tuple[Floats, ...]:
        (W,), h = packed, np.ascontiguousarray(state[0])
        h_next = np.empty_like(h)
        _step.of(W.dtype)(W, a, x, h, h_next, self.is_bounded)
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
        (d_h,), (d_W,), mark = d_state, sums.d_W, workspace.mark()
        scratch = self.scratch(cache, d_W, workspace)
        least = LEAST[d_h.dtype]
        _backward.of(d_h.dtype)(
            packed, cache.columns, d_h, *d_output, *scratch, sums.d_a, first, least, self.is_bounded
        )
        workspace.release(mark)
