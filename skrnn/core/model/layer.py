"""A recurrent layer: the products with the input, for every cell alike, around the cell's loop over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cells import Cell, Tape
from ..data.segments import Segment, lay_side_by_side, rows_by_segment
from ..parameters import Weights
from ..workspace import ROW_PADDING, Workspace
from .inputs import Input

_GRADIENT_COLUMNS = 4096  # column-steps whose weight gradients are one product

PreparedLayer = tuple[np.ndarray, tuple[np.ndarray, ...]]
"""A layer's weights in the forms that suit its input and its cell."""

OutputGradient = Sequence[tuple[slice, np.ndarray] | None]
"""For each step of a segment: which of its columns have a gradient, and that (H, columns); or None."""


@dataclass(frozen=True)
class RecurrentLayer:
    """One direction of one layer: the inputs of all steps at once, then the cell.

    Inputs and their gradients are rows ``(N, ...)``, one row for each column-step of the batch, segment after segment;
    inside a segment the cell works on columns ``(rows, n)``, one column a sequence.

    Parameters
    ----------
    cell : Cell
        The recurrence.
    input : Input
        What the steps are made of.

    Examples
    --------
    >>> from skrnn.core.cells import ElmanCell
    >>> from skrnn.core.model.inputs import DenseInput
    >>> RecurrentLayer(ElmanCell(hidden_size=4), DenseInput(2)).shapes()
    {'W_x': (4, 2), 'W_h': (4, 4), 'b': (4,)}
    """

    cell: Cell
    input: Input

    @property
    def n_joined_inputs(self) -> int:
        """K, the number of rows of inputs beneath each state: F + 1, or 0 where ``W_x x + b`` is projected beforehand.

        A product with both saves a pass that adds two. But a number costs more in it than in a product of all steps,
        and with a gate apart it has F columns of zeros.
        """
        F, cell = self.input.n_inputs, self.cell
        is_small = 2 * F * (1 + cell.n_gates_apart) < cell.hidden_size
        return F + 1 if self.input.is_dense and is_small else 0

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the layer's parameters, by name.

        Returns
        -------
        shapes : dict of str to tuple of int
            By name.
        """
        n_rows = self.cell.n_gates * self.cell.hidden_size
        return {"W_x": (n_rows, self.input.n_inputs), **self.cell.shapes(), "b": (n_rows,)}

    def prepare(self, weights: Weights, workspace: Workspace) -> PreparedLayer:
        """Lend the forms of the layer's parameters that `forward` and `step` run on.

        Parameters
        ----------
        weights : dict of str to ndarray
            The layer's parameters.
        workspace : Workspace
            Lends them; they stay lent.

        Returns
        -------
        input_weights : ndarray
            What the input projects with.
        recurrent : tuple of ndarray
            What the cell's loop takes.
        """
        W_xb, recurrent = self.cell.forward_weights(weights, self.n_joined_inputs > 0, workspace)
        return self.input.prepare(W_xb, workspace), recurrent

    def step(
        self, prepared: PreparedLayer, x: np.ndarray, state: tuple[np.ndarray, ...], workspace: Workspace
    ) -> tuple[np.ndarray, ...]:
        """Read one step of every sequence.

        Parameters
        ----------
        prepared : PreparedLayer
            What `prepare` gave.
        x : ndarray of shape (n, ...)
            Inputs, in the form that `input` takes.
        state : tuple of ndarray of shape (H, n)
            State before the step.
        workspace : Workspace
            Lends scratch, which is given back.

        Returns
        -------
        state : tuple of ndarray of shape (H, n)
            State after it.
        """
        mark = workspace.mark()
        tape = self._run(prepared, x[None], state, workspace)
        after = tuple(v.copy() for v in tape.last)
        workspace.release(mark)
        return after

    def forward(
        self,
        weights: Weights,
        x: np.ndarray,
        segments: Sequence[Segment],
        workspace: Workspace,
        state: tuple[np.ndarray, ...] | None = None,
        outputs_only: bool = False,
    ) -> list[Tape]:
        """Run over all segments.

        Parameters
        ----------
        weights : dict of str to ndarray
            The layer's parameters.
        x : ndarray of shape (N, ...)
            Inputs, in the form that `input` takes.
        segments : sequence of Segment
            How the N rows are cut.
        workspace : Workspace
            Lends the tapes, which stay lent.
        state : tuple of ndarray of shape (H, B), optional
            State before the first step; zero by default.
        outputs_only : bool, default=False
            Whether the tapes are outlines, from which `backward` computes the rest again.

        Returns
        -------
        tapes : list of Tape
            One for each segment.
        """
        prepared = self.prepare(weights, workspace)
        run = self._outline if outputs_only else self._run
        tapes = []
        for rows in rows_by_segment(x, segments):
            tapes.append(run(prepared, rows, state, workspace))
            state = tapes[-1].last
        return tapes

    def backward(
        self,
        weights: Weights,
        gradients: Weights,
        x: np.ndarray,
        segments: Sequence[Segment],
        tapes: Sequence[Tape],
        d_outputs: Sequence[OutputGradient],
        workspace: Workspace,
        d_state: tuple[np.ndarray, ...] | None = None,
        d_x: np.ndarray | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Run back over all segments, mirror image of `forward`.

        Parameters
        ----------
        weights : dict of str to ndarray
            The layer's parameters.
        gradients : dict of str to ndarray
            Views of the gradient vector; added to.
        x, segments, tapes : ndarray, sequence of Segment, sequence of Tape
            As `forward` had and gave them.
        d_outputs : sequence of OutputGradient
            For each segment the gradient with respect to its outputs h.
        workspace : Workspace
            Lends scratch, which is given back by the caller.
        d_state : tuple of ndarray of shape (H, m), optional
            Gradient with respect to the state after the last step, of the first m columns; zero by default.
        d_x : ndarray of shape (N, F), optional
            Overwritten with the gradient with respect to the inputs.

        Returns
        -------
        d_state : tuple of ndarray of shape (H, n)
            Gradient with respect to the state before the first step; of the first segment's columns.
        """
        cell, H, n_rows = self.cell, self.cell.hidden_size, len(x)
        recurrent = cell.backward_weights(weights, workspace)
        prepared = self.prepare(weights, workspace) if tapes[0].is_outline else None
        # filled from the right, until a product of gradients takes it all
        capacity = max(min(n_rows, _GRADIENT_COLUMNS), max(s.n_steps * s.n_columns for s in segments)) + ROW_PADDING
        d_a_columns = workspace.lend((cell.gradient_rows * H, capacity))
        h_prev_columns = workspace.lend((H, capacity))
        used, row = slice(capacity, capacity), n_rows

        def add_gradients() -> None:
            d_a_input, x_rows = d_a_columns[cell.input_rows, used], slice(row, row + used.stop - used.start)
            self.input.add_gradients(gradients, d_a_input, x[x_rows])
            cell.add_gradients(gradients, d_a_columns[:, used], h_prev_columns[:, used])
            if d_x is not None:
                np.matmul(d_a_input.T, weights["W_x"], out=d_x[x_rows])

        if d_state is None:
            d_state = tuple(np.empty((H, 0)) for _ in range(cell.n_states))
        every_rows = rows_by_segment(x, segments)
        for tape, rows, d_output in zip(reversed(tapes), reversed(every_rows), reversed(d_outputs), strict=True):
            L, n = rows.shape[:2]
            d_state = tuple(_widen(d_v, n, workspace) for d_v in d_state)
            injections = [None if d is None else (d_state[0][:, d[0]], d[1]) for d in d_output]
            if used.start < L * n:
                add_gradients()
                used = slice(capacity, capacity)
            mark = workspace.mark()
            if prepared:
                tape = self._run(prepared, rows, tape.first, workspace)
            d_a = workspace.lend((L, cell.gradient_rows * H, n))
            cell.backward(recurrent, tape, d_state, injections, d_a, workspace)
            columns = slice(used.start - L * n, used.start)
            lay_side_by_side(d_a, d_a_columns[:, columns])
            lay_side_by_side(tape.states[:-1], h_prev_columns[:, columns])
            workspace.release(mark)
            used, row = slice(columns.start, capacity), row - L * n
        add_gradients()
        return d_state

    def _run(
        self, prepared: PreparedLayer, x: np.ndarray, state: tuple[np.ndarray, ...] | None, workspace: Workspace
    ) -> Tape:
        """Lend the tape of a segment with the inputs x (L, n, ...), and run over it from `state`, zero if None."""
        input_weights, recurrent = prepared
        (L, n), K = x.shape[:2], self.n_joined_inputs
        tape = self.cell.tape(workspace, L, n, K)
        if K:
            tape.columns[:-1, self.cell.hidden_size :] = x.transpose(0, 2, 1)
        if tape.a.size:
            self.input.project(input_weights, x, tape.a, workspace)
        for k, first in enumerate(tape.first):
            first[...] = 0 if state is None else state[k][:, : first.shape[1]]
        self.cell.forward(recurrent, tape, workspace)
        return tape

    def _outline(
        self, prepared: PreparedLayer, x: np.ndarray, state: tuple[np.ndarray, ...] | None, workspace: Workspace
    ) -> Tape:
        """As `_run`, but of the tape only an outline stays lent."""
        (L, n), H, n_states = x.shape[:2], self.cell.hidden_size, self.cell.n_states
        kept = workspace.lend((L + 1, H, n))
        first, last = (tuple(workspace.lend((n_states, H, n))) for _ in range(2))
        mark = workspace.mark()
        tape = self._run(prepared, x, state, workspace)
        kept[...] = tape.states
        for v, v_kept in zip(tape.first + tape.last, first + last, strict=True):
            v_kept[...] = v
        workspace.release(mark)
        return Tape(kept[:0], kept, kept, kept[:0], first, last)


def _widen(d_v: np.ndarray, n: int, workspace: Workspace) -> np.ndarray:
    """The gradient d_v (H, m) of the columns that go on, as one of n columns: nothing comes back to the others."""
    wide = workspace.lend((d_v.shape[0], n))
    m = d_v.shape[1]
    wide[:, :m] = d_v
    wide[:, m:] = 0
    return wide
