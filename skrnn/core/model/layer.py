"""A recurrent layer: the products with the input, for every cell alike, around a kernel's loops over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ..arrays import Floats, Values
from ..cached import cached_property
from ..cells import Cell
from ..data.segments import Segment, rows_by_segment
from ..kernels import Cache, Kernel, OutputGradient, kernel_of
from ..limits import LIMITS, Limits
from ..parameters import Weights
from ..workspace import ROW_PADDING, Workspace
from .inputs import Input

PackedLayer = tuple[Floats, tuple[Floats, ...]]
"""A layer's weights in the forms that suit its input and its kernel."""


@dataclass(frozen=True)
class RecurrentLayer:
    """One direction of one layer: the inputs of all steps at once, then the kernel.

    Inputs and their gradients are rows ``(N, ...)``, one row for each time step of the batch, segment after segment;
    inside a segment the kernel works on columns ``(rows, n)``, one column a sequence.

    Parameters
    ----------
    cell : Cell
        The recurrence.
    input : Input
        What the steps are made of.
    limits : Limits, optional
        Time steps whose weight gradients are one product.
    kernels : str, default="numpy"
        Name among `skrnn.core.kernels.KERNELS` of the set that computes.

    Examples
    --------
    >>> from skrnn.core.cells import ElmanCell
    >>> from skrnn.core.model.inputs import DenseInput
    >>> RecurrentLayer(ElmanCell(hidden_size=4), DenseInput(2)).shapes()
    {'W_x': (4, 2), 'W_h': (4, 4), 'b': (4,)}
    """

    cell: Cell
    input: Input
    limits: Limits = LIMITS
    kernels: str = "numpy"

    @cached_property
    def kernel(self) -> Kernel:
        """What computes the steps."""
        return kernel_of(self.cell, self.kernels)

    @cached_property
    def n_fused_inputs(self) -> int:
        """K, the number of rows of inputs below each state: F + 1, or 0 where ``W_x x + b`` is projected beforehand."""
        F = self.input.n_inputs
        return F + 1 if self.input.is_dense and self.kernel.fuses(F) else 0

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the layer's parameters, by name."""
        n_rows = self.cell.n_gates * self.cell.hidden_size
        return {"W_x": (n_rows, self.input.n_inputs), **self.cell.shapes(), "b": (n_rows,)}

    def pack(self, weights: Weights, workspace: Workspace) -> PackedLayer:
        """Allocate the forms of the parameters that `forward` and `step` run on."""
        W_xb, packed = self.kernel.pack(weights, self.n_fused_inputs > 0, workspace)
        return self.input.pack(W_xb, workspace), packed

    def step(
        self, packed: PackedLayer, x: Values, state: tuple[Floats, ...], workspace: Workspace
    ) -> tuple[Floats, ...]:
        """Read one step x (n, ...) of every sequence from `state`, arrays (H, n): the state after it."""
        input_weights, recurrent_weights = packed
        mark, K = workspace.mark(), self.n_fused_inputs
        a = workspace.empty((1, self.kernel.n_projected_rows(K), len(x)))
        if a.size:
            self.input.project(input_weights, x[None], a, self.kernel, workspace)
        after = self.kernel.step(recurrent_weights, a[0], x if K else a[0, :, :0], state, workspace)
        workspace.release(mark)
        return after

    def forward(
        self,
        weights: Weights,
        x: Values,
        segments: Sequence[Segment],
        workspace: Workspace,
        state: tuple[Floats, ...] | None = None,
        checkpoints_only: bool = False,
    ) -> list[Cache]:
        """Run over all segments with the inputs x (N, ...), from `state`, arrays (H, B), zero if None.

        Returns the cache of each segment, allocated in the workspace: or its checkpoint, from which `backward` computes
        the rest again.
        """
        packed = self.pack(weights, workspace)
        run = self._checkpoint if checkpoints_only else self._run
        caches = []
        for rows in rows_by_segment(x, segments):
            caches.append(run(packed, rows, state, workspace))
            state = caches[-1].last
        return caches

    def backward(
        self,
        weights: Weights,
        gradients: Weights,
        x: Values,
        segments: Sequence[Segment],
        caches: Sequence[Cache],
        d_outputs: Sequence[OutputGradient],
        workspace: Workspace,
        d_state: tuple[Floats, ...] | None = None,
        d_x: Floats | None = None,
    ) -> tuple[Floats, ...]:
        """Run back over all segments, mirror image of `forward`: add to `gradients`, overwrite d_x (N, F), if given.

        `d_state`, arrays (H, m), is the gradient with respect to the state after the last step, of the first m columns;
        zero if None. Returns that with respect to the state before the first step, of the first segment's columns.
        """
        kernel, H = self.kernel, self.cell.hidden_size
        packed_backward = kernel.pack_backward(weights, workspace)
        packed = self.pack(weights, workspace) if caches[0].is_checkpoint else None
        sums = _WeightGradients(self, weights, gradients, x, d_x, segments, workspace)
        if d_state is None:
            d_state = tuple(np.empty((H, 0)) for _ in self.cell.states)
        every_rows = rows_by_segment(x, segments)
        for cache, rows, d_output in zip(reversed(caches), reversed(every_rows), reversed(d_outputs), strict=True):
            L, n = rows.shape[:2]
            d_state = tuple(_widen(d_v, n, workspace) for d_v in d_state)
            first, mark = sums.make_room(L * n), workspace.mark()
            if packed:
                cache = self._run(packed, rows, cache.first, workspace)
            kernel.backward(packed_backward, cache, d_state, d_output, sums.sums, first, workspace)
            workspace.release(mark)
        sums.add()
        return d_state

    def _run(self, packed: PackedLayer, x: Values, state: tuple[Floats, ...] | None, workspace: Workspace) -> Cache:
        """Allocate the cache of a segment with the inputs x (L, n, ...), and run over it from `state`, zero if None."""
        input_weights, recurrent_weights = packed
        (L, n), K = x.shape[:2], self.n_fused_inputs
        cache = self.kernel.cache(L, n, K, workspace)
        if K:
            self.kernel.write_inputs(cache, x)
        if cache.a.size:
            self.input.project(input_weights, x, cache.a, self.kernel, workspace)
        for k, first in enumerate(cache.first):
            first[...] = 0 if state is None else state[k][:, : first.shape[1]]
        self.kernel.forward(recurrent_weights, cache, workspace)
        return cache

    def _checkpoint(
        self, packed: PackedLayer, x: Values, state: tuple[Floats, ...] | None, workspace: Workspace
    ) -> Cache:
        """As `_run`, but of the cache only a checkpoint stays allocated."""
        (L, n), H, n_states = x.shape[:2], self.cell.hidden_size, self.cell.n_states
        states = workspace.empty((L + 1, H, n))
        first, last = (tuple(workspace.empty((n_states, H, n))) for _ in range(2))
        mark = workspace.mark()
        cache = self._run(packed, x, state, workspace)
        states[...] = cache.states
        for v, v_kept in zip(chain(cache.first, cache.last), chain(first, last), strict=True):
            v_kept[...] = v
        workspace.release(mark)
        return Cache(states[:0], states, states, states[:0], first, last)


class _WeightGradients:
    """What `Kernel.backward` leaves of many steps, the last one at the right, until one product adds it up."""

    def __init__(
        self,
        layer: RecurrentLayer,
        weights: Weights,
        gradients: Weights,
        x: Values,
        d_x: Floats | None,
        segments: Sequence[Segment],
        workspace: Workspace,
    ) -> None:
        self.layer, self.weights, self.gradients, self.x, self.d_x = layer, weights, gradients, x, d_x
        largest = max(s.n_steps * s.n_columns for s in segments)
        self.capacity = max(min(len(x), layer.limits.gradient_steps), largest) + ROW_PADDING
        n_fused = layer.n_fused_inputs
        self.wants_d_a = n_fused == 0 or d_x is not None
        self.sums = layer.kernel.start_sums(self.capacity, n_fused, self.wants_d_a, workspace)
        self.first = self.capacity  # of the columns that are used
        self.row = len(x)  # of x, to the first of them

    def make_room(self, n: int) -> int:
        """Give the first of n more columns, before those that are used."""
        if self.first < n:
            self.add()
            self.first = self.capacity
        self.first, self.row = self.first - n, self.row - n
        return self.first

    def add(self) -> None:
        """Add the gradients of what is there."""
        kernel = self.layer.kernel
        kernel.add_gradients(self.gradients, self.sums, self.first)
        if not self.wants_d_a:
            return
        d_a_input = self.sums.d_a[kernel.input_rows, self.first :]
        rows = slice(self.row, self.row + d_a_input.shape[1])
        if not self.layer.n_fused_inputs:
            self.layer.input.add_gradients(self.gradients, d_a_input, self.x[rows])
        if self.d_x is not None:
            np.matmul(d_a_input.T, self.weights["W_x"], out=self.d_x[rows])


def _widen(d_v: Floats, n: int, workspace: Workspace) -> Floats:
    """The gradient d_v (H, m) of the columns that continue, as one of n columns: nothing comes back to the others."""
    wide = workspace.empty((d_v.shape[0], n))
    m = d_v.shape[1]
    wide[:, :m] = d_v
    wide[:, m:] = 0
    return wide
