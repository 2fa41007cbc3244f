"""Recurrent layers on top of each other, each in one direction or both, with dropout between them.

The reverse direction of a layer is the same layer on the time-reversed sequences, each reversed in itself: it starts at
a sequence's last step, whatever the lengths in the batch, and needs no code of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .batches import SequenceBatch, rows_by_segment
from .cells import Cell, Tape
from .layers import OutputGradient, RecurrentLayer
from .parameters import Weights
from .workspace import Workspace

LayerStates = tuple[tuple[np.ndarray, ...], ...]
"""The state of every layer: h, and c for the LSTM, each (H, B)."""


@dataclass(frozen=True)
class StackTrail:
    """What a forward pass leaves for the backward pass, by layer and direction."""

    inputs: list[list[np.ndarray]]
    tapes: list[list[list[Tape]]]
    reversal: np.ndarray | None

    def outputs(self) -> list[list[np.ndarray]]:
        """Outputs (L, H, n) of the top layer, by direction and segment; the reverse direction's in reversed time."""
        return [[tape.states[1:] for tape in tapes] for tapes in self.tapes[-1]]


@dataclass(frozen=True)
class RecurrentStack:
    """Layers of one kind of cell, from the input upwards; hyper-parameters only.

    Parameters
    ----------
    cell : Cell
        The recurrence of every layer.
    n_inputs : int
        F, the number of inputs a step.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=False
        Whether each layer also runs from each sequence's end to its beginning.
    dropout : float, default=0.0
        Probability with which an output of a layer is zero in training, for all steps of a sequence.

    References
    ----------
    Schuster and Paliwal, *Bidirectional recurrent neural networks* (1997), section III.
    Gal and Ghahramani, *A theoretically grounded application of dropout in recurrent neural networks* (2016),
    section 4.

    Examples
    --------
    >>> from skrnn.core.cells import ElmanCell
    >>> list(RecurrentStack(ElmanCell(4), n_inputs=2, n_layers=2, bidirectional=True).shapes())
    ['rnn.0', 'rnn.0.reverse', 'rnn.1', 'rnn.1.reverse']
    """

    cell: Cell
    n_inputs: int
    n_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0

    @property
    def n_directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def n_outputs(self) -> int:
        """D*H, the number of outputs of a layer, all directions together."""
        return self.n_directions * self.cell.hidden_size

    @cached_property
    def _layers(self) -> list[tuple[RecurrentLayer, list[str]]]:
        """Each layer, and the names of its directions."""
        widths = [self.n_inputs] + [self.n_outputs] * (self.n_layers - 1)
        names = [[f"rnn.{k}", f"rnn.{k}.reverse"][: self.n_directions] for k in range(self.n_layers)]
        return [(RecurrentLayer(self.cell, width), parts) for width, parts in zip(widths, names, strict=True)]

    def shapes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Shapes of the parameters by part (``rnn.0``, ``rnn.0.reverse``, ``rnn.1``, ...) and name."""
        return {name: layer.shapes() for layer, names in self._layers for name in names}

    def initialize(self, weights: dict[str, Weights], rng: np.random.Generator) -> None:
        """Write the initial parameters of every layer."""
        for name in self.shapes():
            self.cell.initialize(weights[name], rng)

    def draw_masks(self, rng: np.random.Generator, n: int, dtype: np.dtype) -> tuple[np.ndarray, ...] | None:
        """Dropout masks of `n` sequences, one (n, n_outputs) for each layer, or None without dropout."""
        if not self.dropout:
            return None
        scale = dtype.type(1 / (1 - self.dropout))
        return tuple((rng.random((n, self.n_outputs)) >= self.dropout) * scale for _ in range(self.n_layers))

    def forward(
        self,
        weights: dict[str, Weights],
        x: np.ndarray,
        batch: SequenceBatch,
        workspace: Workspace,
        state: LayerStates | None = None,
    ) -> StackTrail:
        """Run layer after layer over all segments.

        Parameters
        ----------
        weights : dict of str to dict of str to ndarray
            The parameters by part and name.
        x : ndarray of shape (N, F + 1)
            Inputs of all column-steps of the batch, whose last column is 1.
        batch : SequenceBatch
            How the rows are cut; dropout masks.
        workspace : Workspace
            Lends what the trail holds, which stays lent.
        state : LayerStates, optional
            State before the first step; zero by default.

        Returns
        -------
        trail : StackTrail
            Inputs and tapes of every layer and direction.
        """
        trail = StackTrail([], [], batch.reversal() if self.bidirectional else None)
        for k, (layer, names) in enumerate(self._layers):
            if k > 0:
                x = self._join(trail, batch, workspace)
            trail.inputs.append([x] if trail.reversal is None else [x, x[trail.reversal]])
            trail.tapes.append(
                [
                    layer.forward(weights[name], x_, batch.segments, workspace, state[k] if state else None)
                    for name, x_ in zip(names, trail.inputs[-1], strict=True)
                ]
            )
        return trail

    def backward(
        self,
        weights: dict[str, Weights],
        gradients: dict[str, Weights],
        batch: SequenceBatch,
        trail: StackTrail,
        d_outputs: list[list[OutputGradient]],
        workspace: Workspace,
    ) -> None:
        """Mirror image of `forward`: add to `gradients`, from the gradients of the top layer's outputs."""
        for k in reversed(range(self.n_layers)):
            layer, names = self._layers[k]
            d_inputs: list[np.ndarray] = []
            for name, x, tapes, d_output in zip(names, trail.inputs[k], trail.tapes[k], d_outputs, strict=True):
                if k > 0:
                    d_inputs.append(workspace.lend((len(x), layer.n_inputs)))
                d_x = d_inputs[-1] if k > 0 else None
                layer.backward(weights[name], gradients[name], x, batch.segments, tapes, d_output, workspace, d_x)
            if k > 0:
                d_outputs = self._split(d_inputs, batch, k - 1, trail.reversal, workspace)

    def _join(self, trail: StackTrail, batch: SequenceBatch, workspace: Workspace) -> np.ndarray:
        """Outputs of the layers so far as input rows (N, D*H + 1) of the next: forward, reverse, one."""
        H = self.cell.hidden_size
        x = workspace.lend((batch.n_rows, self.n_outputs + 1))
        x[:, -1] = 1
        h = workspace.lend((batch.n_rows, H))
        for k, tapes in enumerate(trail.tapes[-1]):
            units = slice(k * H, (k + 1) * H)
            for tape, segment, rows in zip(tapes, batch.segments, rows_by_segment(h, batch.segments), strict=True):
                rows[...] = tape.states[1:].transpose(0, 2, 1)
                if batch.masks is not None:
                    rows *= batch.masks[len(trail.tapes) - 1][: segment.n_columns, units]
            x[:, units] = h if k == 0 else h[trail.reversal]
        return x

    def _split(
        self,
        d_inputs: Sequence[np.ndarray],
        batch: SequenceBatch,
        k: int,
        reversal: np.ndarray | None,
        workspace: Workspace,
    ) -> list[list[OutputGradient]]:
        """Mirror image of `_join`: gradients of layer k's outputs by direction, from those of the inputs above them."""
        H = self.cell.hidden_size
        d_x = d_inputs[0]
        if reversal is not None:
            d_x += d_inputs[1][reversal]
        d_outputs: list[list[OutputGradient]] = []
        for direction in range(self.n_directions):
            units = slice(direction * H, (direction + 1) * H)
            d_h = d_x[:, units] if direction == 0 else d_x[reversal, units]
            d_outputs.append([])
            for segment, rows in zip(batch.segments, rows_by_segment(d_h, batch.segments), strict=True):
                d_columns = workspace.lend((segment.n_steps, H, segment.n_columns))
                d_columns[...] = rows.transpose(0, 2, 1)
                if batch.masks is not None:
                    d_columns *= batch.masks[k][: segment.n_columns, units].T
                d_outputs[-1].append([(segment.n_columns, d_h_t) for d_h_t in d_columns])
        return d_outputs
