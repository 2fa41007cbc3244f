"""The contract of the kernels: what computes the steps of a cell, on arrays only.

The layer owns the input side: it writes the inputs of all steps of a segment into the cache, as they are or as
``W_x x + b``, and turns the gradients of the pre-activations into those of ``W_x``, ``b`` and ``x``. A kernel runs over
the steps.

Conventions, beside those of `skrnn.core.cells.cell`: a segment has L steps of n columns, one column a sequence. A
step's state is (H, n), its gates are (G*H, n). K rows of inputs lie below each state where they are fused into the
product of a step, ``[W_h W_x b] [h; x; 1]``: F + 1, the inputs and a one. Else K is 0, and ``W_x x + b`` is projected
beforehand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from ..arrays import Floats, Ints
from ..cells import Cell
from ..parameters import Weights
from ..workspace import Workspace


class Cache(NamedTuple):
    """What `Kernel.forward` leaves for `Kernel.backward`, for one segment of L steps and n columns.

    Attributes
    ----------
    a : ndarray of shape (L, P*H, n)
        ``W_x x + b`` of the P gates that are projected beforehand, from the layer; `Kernel.forward` overwrites them.
    columns : ndarray of shape (L + 1, H + K, n)
        The state h before the first step and after each one, and below it the inputs of the next, from the layer.
    states : ndarray of shape (L + 1, H, n)
        The states in `columns`.
    saved : ndarray of shape (L, rows, n)
        Gate values, and whatever else a kernel reads on the way back.
    first, last : tuple of ndarray of shape (H, n)
        Views of the whole state (h; for the LSTM h and c) before the first and after the last step.

    Notes
    -----
    A checkpoint has the states, and of the rest only `first` and `last`: ``a`` and `saved` have no steps, `columns` no
    inputs. `Kernel.forward` from `first` computes the rest again.
    """

    a: Floats
    columns: Floats
    states: Floats
    saved: Floats
    first: tuple[Floats, ...]
    last: tuple[Floats, ...]

    @property
    def is_checkpoint(self) -> bool:
        """Whether only the states are there."""
        return len(self.saved) == 0


class OutputGradient(NamedTuple):
    """Gradient of the loss with respect to the outputs of a segment, from outside the recurrence.

    Attributes
    ----------
    values : ndarray of shape (L, H, n)
        Only read, and only in the columns of each step that have one; may be a view that repeats its steps.
    columns : ndarray of shape (L, 2), int
        For each step the first of those columns, and the one behind the last; equal where there are none.
    """

    values: Floats
    columns: Ints

    @classmethod
    def of_all_columns(cls, values: Floats) -> OutputGradient:
        """Make the gradient of outputs (L, H, n) all of which have one."""
        L, _, n = values.shape
        return cls(values, np.tile(np.array([0, n]), (L, 1)))


class GradientSums(NamedTuple):
    """What `Kernel.backward` leaves of some segments, until it becomes gradients of weights.

    Attributes
    ----------
    d_a : ndarray of shape (rows, N)
        Gradients of the pre-activations, one column for each time step. Without columns where nobody reads them.
    columns : ndarray of shape (H + K, N)
        What the products of the steps read, beside `d_a`; without columns for a kernel that sums up itself.
    d_W : tuple of ndarray
        What such a kernel has summed up.
    """

    d_a: Floats
    columns: Floats
    d_W: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Kernel(ABC):
    """Contract of a kernel: the steps of one cell.

    Parameters
    ----------
    cell : Cell
        What it computes.
    """

    cell: Cell

    n_cache_rows: ClassVar[int]
    """Blocks of H rows that a cache holds for each step, without inputs."""
    n_gradient_rows: ClassVar[int]
    """Blocks of H rows that `backward` writes for each step."""
    n_gates_apart: ClassVar[int] = 0
    """How many gates, the first in the cache, no recurrent product is added to: always projected beforehand."""
    n_scratch_rows: ClassVar[int]
    """Blocks of H rows that `backward` works with for each step."""
    holds_lock: ClassVar[bool] = True
    """Whether the loops hold the interpreter's lock between their calls."""

    @property
    @abstractmethod
    def is_bounded(self) -> bool:
        """Whether states stay finite on any input: only then may a segment run past the end of a sequence."""

    @property
    def input_rows(self) -> slice:
        """Which of the rows that `backward` writes are the gradients of ``a``, in the order of ``W_x``."""
        return slice(0, self.cell.n_gates * self.cell.hidden_size)

    @abstractmethod
    def fuses(self, n_inputs: int) -> bool:
        """Whether `n_inputs` dense inputs are fused into the product of a step."""

    @abstractmethod
    def pack(self, weights: Weights, is_fused: bool, workspace: Workspace) -> tuple[Floats, tuple[Floats, ...]]:
        """Allocate the weights once per batch: ``[W_x b]`` (P*H, F + 1) to project with, and what suits `forward`."""

    @abstractmethod
    def pack_backward(self, weights: Weights, workspace: Workspace) -> Floats:
        """Give the matrix (H, rows) from `backward`'s gradients of a step to ``d_h`` of the step before."""

    @abstractmethod
    def cache(self, n_steps: int, n: int, n_fused: int, workspace: Workspace) -> Cache:
        """Allocate the cache of a segment of L steps and n columns, with K rows of inputs and undefined content."""

    def write_inputs(self, cache: Cache, x: Floats) -> None:
        """Write inputs x (L, n, K) below the states."""
        cache.columns[:-1, self.cell.hidden_size :] = x.transpose(0, 2, 1)

    def take_rows(self, table: Floats, numbers: Ints, out: Floats, workspace: Workspace) -> None:
        """Write the rows of `table` (F, R or more) of these numbers (L, n) into out (L, R, n)."""
        (L, R, n), mark = out.shape, workspace.mark()
        rows = workspace.empty((L, n, table.shape[1]))
        table.take(numbers, axis=0, out=rows, mode="clip")
        out[...] = rows[:, :, :R].transpose(0, 2, 1)
        workspace.release(mark)

    @abstractmethod
    def forward(self, packed: tuple[Floats, ...], cache: Cache, workspace: Workspace) -> None:
        """Run over the steps: read ``a``, inputs and ``first`` of `cache`, fill ``states``, ``saved`` and ``last``."""

    @abstractmethod
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
        """Run back over the steps of a cache, which is only read.

        `d_state`, arrays (H, n), is overwritten: with respect to ``cache.last`` before, to ``cache.first`` after. What
        is there of `sums` is added to; of its columns L*n are overwritten, from column `first` on.
        """

    def step(
        self, packed: tuple[Floats, ...], a: Floats, x: Floats, state: tuple[Floats, ...], workspace: Workspace
    ) -> tuple[Floats, ...]:
        """Read one step of n sequences from `state`, arrays (H, n): the state after it, in arrays of its own.

        Of the inputs, those of gates that are projected beforehand are `a` (P*H, n), those that are fused x (n, K).
        """
        mark = workspace.mark()
        cache = self.cache(1, state[0].shape[1], x.shape[1], workspace)
        if x.shape[1]:
            self.write_inputs(cache, x[None])
        if cache.a.size:
            cache.a[0] = a
        for first, v in zip(cache.first, state, strict=True):
            first[...] = v
        self.forward(packed, cache, workspace)
        after = tuple(v.copy() for v in cache.last)
        workspace.release(mark)
        return after

    def n_projected_rows(self, n_fused: int) -> int:
        """Rows P*H of ``a``: of all gates, or with fused inputs of those that no recurrent product is added to."""
        return (self.n_gates_apart if n_fused else self.cell.n_gates) * self.cell.hidden_size

    def state_after(self, cache: Cache, step: int) -> tuple[Floats, ...]:
        """Give views of the state (H, n) after some steps, 0 to L, of a segment that `forward` has run over."""
        return (cache.states[step],)

    @abstractmethod
    def start_sums(self, capacity: int, n_fused: int, wants_d_a: bool, workspace: Workspace) -> GradientSums:
        """Allocate what `backward` adds to, with room for the gradients of `capacity` time steps where they are kept.

        They are where `wants_d_a` asks for them; K rows of inputs are fused.
        """

    @abstractmethod
    def add_gradients(self, gradients: Weights, sums: GradientSums, first: int) -> None:
        """Add to the gradients of the cell's parameters what `backward` left, in columns from `first` on.

        Afterwards `sums` begin anew. Those of ``W_x`` and ``b`` are among them where inputs are fused, else the layer
        adds them.
        """
