"""The loops over time of the Elman cell.

Numbers behind lines are those of the equations in `skrnn.core.cells.elman`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, OutputGradient
from .kernel import NumpyKernel


@dataclass(frozen=True)
class ElmanKernel(NumpyKernel):
    """The loops of `skrnn.core.cells.elman.ElmanCell`."""

    n_cache_rows = 1
    n_gradient_rows = 1
    n_scratch_rows = 2

    @property
    def scale(self) -> Floats | None:
        return np.full((self.cell.hidden_size, 1), self.activation.scale)

    def cache(self, n_steps: int, n: int, n_fused: int, workspace: Workspace) -> Cache:
        H = self.cell.hidden_size
        columns = workspace.empty((n_steps + 1, H + n_fused, n))
        states = columns[:, :H]
        # the pre-activations become the states in place, and nothing else is needed on the way back
        a = states[1:, : 0 if n_fused else H]
        return Cache(a, columns, states, states[1:], (states[0],), (states[-1],))

    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        (W,), f = packed, self.activation.of_scaled
        mark = workspace.mark()
        for h in self._pre_activations(W, cache, cache.states[1:], workspace):  # 1
            f(h, h)  # 2
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
        product, multiply, add = packed.dot, np.multiply, np.add
        (d_h,), mark = d_state, workspace.mark()
        Q = self.activation.derivative(cache.states[1:], workspace.empty(cache.states[1:].shape))
        for d_a_t, extra in zip(reversed(list(Q)), self._columns_with_gradient(d_h, d_output), strict=True):
            if extra is not None:
                d_columns, d = extra
                add(d_columns, d, d_columns)
            multiply(d_a_t, d_h, d_a_t)  # 2'
            product(d_a_t, d_h)  # 1'
        self._flatten(Q, cache, sums, first)
        workspace.release(mark)
