"""What the NumPy kernels have in common: scaled weights, and the product of a step.

Calls of NumPy on small arrays are what a step costs, so the factors that its activations need are multiplied into the
weights once per batch, views of all steps are made before the loop, and a loop is a `zip` of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ...data.segments import flatten_time
from ...parameters import Weights
from ...workspace import Workspace
from ..kernel import Cache, GradientSums, Kernel, OutputGradient
from .activations import ACTIVATIONS, Activation


@dataclass(frozen=True)
class NumpyKernel(Kernel, ABC):
    """A kernel in NumPy."""

    @property
    def activation(self) -> Activation:
        """The cell's activation."""
        return ACTIVATIONS[self.cell.activation]

    @property
    def is_bounded(self) -> bool:
        return self.activation.is_bounded

    @property
    @abstractmethod
    def scale(self) -> Floats | None:
        """Factor (G*H, 1) of each row of the weights, such that activations need no more than an exp; None for 1."""

    def fuses(self, n_inputs: int) -> bool:
        """Whether inputs are few: one product saves a pass that adds two.

        But a number costs more in it than in a product of all steps, and with a gate apart it has columns of zeros.
        """
        return 2 * n_inputs * (1 + self.n_gates_apart) < self.cell.hidden_size

    def pack(self, weights: Weights, is_fused: bool, workspace: Workspace) -> tuple[Floats, tuple[Floats, ...]]:
        scale = None if self.scale is None else self.scale.astype(workspace.dtype)
        W_h, W_x, b = weights["W_h"], weights["W_x"], weights["b"][:, None]
        if is_fused:
            return workspace.empty((0, W_x.shape[1] + 1)), (_join_columns([W_h, W_x, b], scale, workspace),)
        return _join_columns([W_x, b], scale, workspace), (_join_columns([W_h], scale, workspace),)

    def pack_backward(self, weights: Weights, workspace: Workspace) -> Floats:
        return weights["W_h"].T

    @staticmethod
    def _pre_activations(W: Floats, cache: Cache, a: Floats, workspace: Workspace) -> Iterator[Floats]:
        """Each step's `a` (rows, n), computed when the loop over time asks for it: after the step before.

        It is the product of `W` and the step's column, or, where that has no inputs, the product is added to it.
        """
        product, add = W.dot, np.add  # a call of dot costs 0.9 us less than one of np.matmul
        if cache.columns.shape[1] > cache.states.shape[1]:
            return map(product, list(cache.columns[:-1]), list(a))
        v = workspace.empty(a.shape[1:])

        def add_product(h_prev: Floats, a_t: Floats) -> Floats:
            return add(a_t, product(h_prev, v), a_t)

        return map(add_product, list(cache.columns[:-1]), list(a))

    def start_sums(self, capacity: int, n_fused: int, wants_d_a: bool, workspace: Workspace) -> GradientSums:
        H = self.cell.hidden_size
        d_a = workspace.empty((self.n_gradient_rows * H, capacity))
        return GradientSums(d_a, workspace.empty((H + n_fused, capacity)))

    def add_gradients(self, gradients: Weights, sums: GradientSums, first: int) -> None:
        H, (d_a, columns) = self.cell.hidden_size, (v[:, first:] for v in sums[:2])
        d_W = d_a @ columns.T
        gradients["W_h"] += d_W[:, :H]
        if len(columns) > H:
            gradients["W_x"] += d_W[:, H:-1]
            gradients["b"] += d_W[:, -1]

    @staticmethod
    def _flatten(d_steps: Floats, cache: Cache, sums: GradientSums, first: int) -> None:
        """Write d_steps (L, rows, n) and the cache's columns where `backward` has to leave them."""
        where = slice(first, first + len(d_steps) * d_steps.shape[2])
        flatten_time(d_steps, sums.d_a[:, where])
        flatten_time(cache.columns[:-1], sums.columns[:, where])

    @staticmethod
    def _columns_with_gradient(d_h: Floats, d_output: OutputGradient) -> list[tuple[Floats, Floats] | None]:
        """For each step, the last one first, a view of `d_h` (H, n) and what is to be added to it, or None."""
        n = d_h.shape[1]
        return [
            None if first == last else (d_h, d) if last - first == n else (d_h[:, first:last], d[:, first:last])
            for (first, last), d in zip(d_output.columns[::-1].tolist(), d_output.values[::-1], strict=True)
        ]


def _join_columns(blocks: list[Floats], scale: Floats | None, workspace: Workspace) -> Floats:
    """Join matrices of as many rows, times the factor (rows, 1) of each row, if any; allocated in the workspace."""
    joined = workspace.empty((len(blocks[0]), sum(block.shape[1] for block in blocks)))
    np.concatenate(blocks, axis=1, out=joined)
    return joined if scale is None else np.multiply(joined, scale, out=joined)
