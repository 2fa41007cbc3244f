"""What the compiled kernels have in common: weights as they are, and gradients that are summed up step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...arrays import Floats, Ints
from ...parameters import Weights
from ...workspace import Workspace
from ..kernel import Cache, GradientSums
from ..numpy.activations import RELU, TANH_BY_NUMPY, Activation
from ..numpy.kernel import NumpyKernel
from .loops import loop

LEAST = {np.dtype(np.float32): 1e-30, np.dtype(np.float64): 1e-290}
"""Size below which a gradient of a pre-activation is zero, by dtype. What vanishes further becomes too small to be
normalised, and a product with such numbers takes ten times as long."""

_BLOCK = 16
MIN_COLUMNS = 32
"""From how many sequences on the weight gradients of a step are a product of their own."""


@loop("22")
def _transpose(W: Floats, out: Floats) -> None:
    """Write W (m, n), transposed, into out (n, m), in blocks whose lines stay in the first cache."""
    m, n = W.shape
    for i in range(0, m, _BLOCK):
        for j in range(0, n, _BLOCK):
            for p in range(j, min(j + _BLOCK, n)):
                for q in range(i, min(i + _BLOCK, m)):
                    out[p, q] = W[q, p]


@loop("33")
def _write_inputs(x: Floats, columns: Floats) -> None:
    """Write inputs x (L, n, K) into the last rows of columns (L + 1, H + K, n)."""
    L, n, K = x.shape
    H = columns.shape[1] - K
    for t in range(L):
        for i in range(K):
            for j in range(n):
                columns[t, H + i, j] = x[t, j, i]


@loop("2iv")
def _take_rows(table: Floats, numbers: Ints, out: Floats) -> None:
    """As `Kernel.take_rows`."""
    L, R, n = out.shape
    for t in range(L):
        for i in range(R):
            for j in range(n):
                out[t, i, j] = table[numbers[t, j], i]


@dataclass(frozen=True)
class CompiledKernel(NumpyKernel):
    """A kernel whose loops are compiled; caches and packed weights are those of the NumPy kernel."""

    holds_lock = False
    n_scratch_rows = 1
    n_recurrent_rows: ClassVar[int]
    """Blocks of H rows of the gradients that drive the recurrence, the first ones."""

    @property
    def activation(self) -> Activation:
        """The cell's activation, of numbers that are not scaled."""
        return RELU if self.cell.activation == "relu" else TANH_BY_NUMPY

    @property
    def scale(self) -> Floats | None:
        return None

    def pack_backward(self, weights: Weights, workspace: Workspace) -> Floats:
        W = super().pack_backward(weights, workspace)
        contiguous = workspace.empty(W.shape)  # quicker to multiply with, by more than the copy takes
        _transpose.of(W.dtype)(np.ascontiguousarray(W.T), contiguous)
        return contiguous

    def write_inputs(self, cache: Cache, x: Floats) -> None:
        _write_inputs.of(x.dtype)(np.ascontiguousarray(x), cache.columns)

    def take_rows(self, table: Floats, numbers: Ints, out: Floats, workspace: Workspace) -> None:
        _take_rows.of(table.dtype)(table, np.ascontiguousarray(numbers, np.intp), out)

    def start_sums(self, capacity: int, n_fused: int, wants_d_a: bool, workspace: Workspace) -> GradientSums:
        H = self.cell.hidden_size
        d_a = workspace.empty((self.n_gradient_rows * H, capacity if wants_d_a else 0))
        d_W = workspace.empty((self.n_recurrent_rows * H, H + n_fused))
        d_W.fill(0)
        return GradientSums(d_a, d_a[:0], (d_W,))

    def add_gradients(self, gradients: Weights, sums: GradientSums, first: int) -> None:
        H, (d_W,) = self.cell.hidden_size, sums.d_W
        gradients["W_h"] += d_W[:, :H]
        if d_W.shape[1] > H:
            gradients["W_x"] += d_W[:, H:-1]
            gradients["b"] += d_W[:, -1]
        d_W.fill(0)

    def scratch(self, cache: Cache, d_W: Floats, workspace: Workspace) -> tuple[Floats, ...]:
        """Allocate what `backward` works with beside `d_W`: a step's d_a (rows, n), blocks of some steps, and d_W."""
        (L, _, n), (n_rows, m) = cache.saved.shape, d_W.shape
        n_steps = 0 if n >= MIN_COLUMNS else min(-(-2 * MIN_COLUMNS // n), L)
        shapes = ((self.n_gradient_rows * self.cell.hidden_size, n), (n_rows, n_steps * n), (m, n_steps * n))
        return *map(workspace.empty, shapes), d_W, workspace.empty(d_W.shape)
