"""Recurrent layers on top of each other, each in one direction or both, with dropout between them.

The reverse direction of a layer is the same layer on the time-reversed sequences, each reversed in itself: it starts at
a sequence's last step, whatever the lengths in the batch, and needs no code of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints, Values
from ..cached import cached_property
from ..cells import Cell
from ..data.batch import Batcher, SequenceBatch
from ..data.segments import Cutting, rows_by_segment
from ..kernels import Cache, Kernel, OutputGradient
from ..limits import LIMITS, Limits
from ..parameters import Weights
from ..workspace import Workspace
from .inputs import DenseInput, Input
from .layer import PackedLayer, RecurrentLayer
from .state import State


@dataclass(frozen=True)
class StackCache:
    """What a forward pass leaves for the backward pass, by layer and direction.

    Attributes
    ----------
    inputs : list of list of ndarray of shape (N, ...)
        Input rows of each layer and direction.
    layers : list of list of list of Cache
        Caches of each layer, direction and segment.
    reversal : ndarray of shape (N,) or None
        See `SequenceBatch.reversal`; None in one direction.
    """

    inputs: list[list[Floats]]
    layers: list[list[list[Cache]]]
    reversal: Ints | None

    def outputs(self) -> list[list[Floats]]:
        """Give the top layer's outputs (L, H, n), by direction and segment; the reverse direction in reversed time."""
        return [[cache_.states[1:] for cache_ in caches] for caches in self.layers[-1]]


@dataclass(frozen=True)
class RecurrentStack:
    """Layers of one kind of cell, from the input upwards; hyper-parameters only.

    Parameters
    ----------
    cell : Cell
        The recurrence of every layer.
    input : Input
        What the steps are made of.
    n_layers : int, default=1
        Number of layers.
    bidirectional : bool, default=False
        Whether each layer also runs from each sequence's end to its beginning.
    dropout : float, default=0.0
        Probability with which an output of a layer is zero in training, for all steps of a sequence.
    limits : Limits, optional
        How much is worked on at a time.
    kernels : str, default="numpy"
        Name among `skrnn.core.kernels.KERNELS` of the set that computes.

    References
    ----------
    Schuster and Paliwal, *Bidirectional recurrent neural networks* (1997), section III.
    Gal and Ghahramani, *A theoretically grounded application of dropout in recurrent neural networks* (2016),
    section 4.

    Examples
    --------
    >>> from skrnn.core.cells import ElmanCell
    >>> from skrnn.core.model.inputs import DenseInput
    >>> list(RecurrentStack(ElmanCell(4), DenseInput(2), n_layers=2, bidirectional=True).shapes())
    ['rnn.0', 'rnn.0.reverse', 'rnn.1', 'rnn.1.reverse']
    """

    cell: Cell
    input: Input
    n_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    limits: Limits = LIMITS
    kernels: str = "numpy"

    @property
    def n_directions(self) -> int:
        """D, 2 if the layers also run from the end, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def n_outputs(self) -> int:
        """D*H, the number of outputs of a layer, all directions together."""
        return self.n_directions * self.cell.hidden_size

    @property
    def n_activations(self) -> int:
        """Numbers in the caches of all layers for each step of a sequence."""
        n_states_and_gates = self.kernel.n_cache_rows * self.cell.hidden_size
        return self.n_directions * sum(n_states_and_gates + layer.n_fused_inputs for layer, _ in self._layers)

    @property
    def inference_columns(self) -> int:
        """Sequences of a batch where no gradient is wanted."""
        least, largest = self.limits.inference_columns
        return min(max(least, self.limits.inference_units // self.cell.hidden_size), largest)

    def inference_size(self, n_more: int = 0) -> int:
        """Time steps of a window where no gradient is wanted; the caller keeps `n_more` numbers for each."""
        n_kept = self.n_layers * self.n_outputs if self.bidirectional else self.n_activations
        return max(1, min(self.limits.inference_size // (n_kept + n_more), self.limits.inference_steps))

    @property
    def batcher(self) -> Batcher:
        """How batches are made for these layers."""
        cell, kernel = self.cell, self.kernel
        # a border costs some 60 us of Python, a padded time step its arithmetic, which grows with H * H
        max_padding = 60 * (64 / cell.hidden_size) ** 1.5 * (2 if cell.n_gates == 1 else 1) if kernel.is_bounded else 0
        max_size = self.limits.segment_size // (kernel.n_scratch_rows * cell.hidden_size)
        return Batcher(Cutting(max_padding, max_size), self.dropout, self.n_layers, self.n_outputs)

    @property
    def kernel(self) -> Kernel:
        """What computes the steps of every layer."""
        return self._layers[0][0].kernel

    @cached_property
    def _layers(self) -> list[tuple[RecurrentLayer, list[str]]]:
        """Each layer, and the names of its directions."""
        inputs = [self.input] + [DenseInput(self.n_outputs)] * (self.n_layers - 1)
        names = [[f"rnn.{k}", f"rnn.{k}.reverse"][: self.n_directions] for k in range(self.n_layers)]
        layers = [RecurrentLayer(self.cell, input_, self.limits, self.kernels) for input_ in inputs]
        return list(zip(layers, names, strict=True))

    def shapes(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """Shapes of the parameters by part (``rnn.0``, ``rnn.0.reverse``, ``rnn.1``, ...) and name."""
        return {name: layer.shapes() for layer, names in self._layers for name in names}

    def initialize(self, weights: dict[str, Weights], rng: np.random.Generator) -> None:
        """Overwrite `weights`, views of the parameters by part and name, with the initial values of every layer."""
        for layer, names in self._layers:
            for name in names:
                self.cell.initialize(weights[name], rng, layer.input.is_one_hot)

    def forward(
        self,
        weights: dict[str, Weights],
        x: Values,
        batch: SequenceBatch,
        workspace: Workspace,
        state: State | None = None,
        checkpoints_only: bool = False,
    ) -> StackCache:
        """Run layer after layer over all segments of a batch, with the inputs x (N, ...) of its N time steps.

        `state` is that before the first step of each column, zero if None; unidirectional stacks only. The cache is
        allocated in the workspace; with `checkpoints_only` it has checkpoints, from which `backward` computes the rest.
        """
        cache = StackCache([], [], batch.reversal() if self.bidirectional else None)
        for k, (layer, names) in enumerate(self._layers):
            if k > 0:
                x = self._join(cache, batch, workspace)
            before = None if state is None else state.layers[k]
            cache.inputs.append([x] if cache.reversal is None else [x, x[cache.reversal]])
            cache.layers.append(
                [
                    layer.forward(weights[name], x_, batch.segments, workspace, before, checkpoints_only)
                    for name, x_ in zip(names, cache.inputs[-1], strict=True)
                ]
            )
        return cache

    def backward(
        self,
        weights: dict[str, Weights],
        gradients: dict[str, Weights],
        batch: SequenceBatch,
        cache: StackCache,
        d_outputs: list[list[OutputGradient]],
        workspace: Workspace,
        d_state: State | None = None,
        wants_d_x: bool = False,
    ) -> tuple[Floats | None, State]:
        """Mirror image of `forward`: add to `gradients`, from the gradients of the top layer's outputs.

        `d_outputs` is by direction and segment. `d_state` is the gradient with respect to the state after the last
        steps of the first columns, zero if None. Returns the gradients of the inputs (N, F), allocated in the
        workspace, where `wants_d_x` asks for them, and that of the state before the first step, of each layer's first
        direction.
        """
        d_first: list[tuple[Floats, ...]] = []
        for k in reversed(range(self.n_layers)):
            layer, names = self._layers[k]
            d_x = None
            d_layer = None if d_state is None else d_state.layers[k]
            for name, x, caches, d_output in zip(names, cache.inputs[k], cache.layers[k], d_outputs, strict=True):
                d_rows = workspace.empty((len(x), layer.input.n_inputs)) if k > 0 or wants_d_x else None
                d_before = layer.backward(
                    weights[name], gradients[name], x, batch.segments, caches, d_output, workspace, d_layer, d_rows
                )
                if name == names[0]:
                    d_x = d_rows
                    d_first.append(tuple(d_v.copy() for d_v in d_before))
                elif d_x is not None and d_rows is not None:
                    d_x += d_rows[cache.reversal]
            if k > 0 and d_x is not None:
                d_outputs = self._split(d_x, batch, k - 1, cache.reversal, workspace)
        return d_x, State(tuple(reversed(d_first)))

    def outputs(self, cache: StackCache, batch: SequenceBatch, workspace: Workspace) -> list[Floats]:
        """Give the top layer's outputs (L, D*H, n) of each segment, both directions, with dropout; in the workspace."""
        if self.bidirectional:
            rows = self._join(cache, batch, workspace)
            outputs = [workspace.empty((s.n_steps, self.n_outputs, s.n_columns)) for s in batch.segments]
            for h, x in zip(outputs, rows_by_segment(rows, batch.segments), strict=True):
                h[...] = x[:, :, :-1].transpose(0, 2, 1)
            return outputs
        (outputs,) = cache.outputs()
        if batch.masks is None:
            return outputs
        return [np.multiply(h, batch.masks[-1][: h.shape[2]].T, out=workspace.empty(h.shape)) for h in outputs]

    def split_outputs(
        self, d_outputs: list[Floats], cache: StackCache, batch: SequenceBatch, workspace: Workspace
    ) -> list[list[OutputGradient]]:
        """Mirror image of `outputs`: what `backward` takes, from the gradients (L, D*H, n) of what that gave.

        `d_outputs` are overwritten; what is returned is allocated in the workspace.
        """
        if self.bidirectional:
            d_rows = workspace.empty((batch.n_rows, self.n_outputs))
            for d_h, rows in zip(d_outputs, rows_by_segment(d_rows, batch.segments), strict=True):
                rows[...] = d_h.transpose(0, 2, 1)
            return self._split(d_rows, batch, self.n_layers - 1, cache.reversal, workspace)
        if batch.masks is not None:
            for d_h in d_outputs:
                d_h *= batch.masks[-1][: d_h.shape[2]].T
        return [[OutputGradient.of_all_columns(d_h) for d_h in d_outputs]]

    def pack(self, weights: dict[str, Weights], workspace: Workspace) -> list[PackedLayer]:
        """Allocate what `step` needs of the parameters, layer by layer; unidirectional stacks only."""
        return [layer.pack(weights[name], workspace) for layer, (name,) in self._layers]

    def step(
        self, packed: list[PackedLayer], x: Values, layers: tuple[tuple[Floats, ...], ...], workspace: Workspace
    ) -> tuple[tuple[Floats, ...], ...]:
        """Read one step x (n, ...) of every sequence, with none of what `forward` does for many.

        Takes and gives the state of every layer, arrays (H, n); the last layer's h is the output of the stack.
        """
        after: list[tuple[Floats, ...]] = []
        for k, (layer, _) in enumerate(self._layers):
            if k > 0:
                x = np.ones((len(x), self.n_outputs + 1), workspace.dtype)  # (n, H + 1)
                x[:, :-1] = after[-1][0].T
            after.append(layer.step(packed[k], x, layers[k], workspace))
        return tuple(after)

    def zero_state(self, n: int, dtype: np.dtype) -> State:
        """Make the state of every layer before anything was read, for `n` sequences; unidirectional stacks only."""
        return State.zeros(self.n_layers, self.cell.n_states, self.cell.hidden_size, n, dtype)

    def state_before(self, batch: SequenceBatch, after: State | None, dtype: np.dtype) -> State | None:
        """Make the state before the first steps of `batch`, from that after the batch before; None if none is carried.

        `after` is None before the first batch; the state is zero where a sequence begins.
        """
        if batch.follows is None:
            return None
        state = self.zero_state(len(batch.follows), dtype)
        if after is not None:
            continues = np.flatnonzero(batch.follows >= 0)
            state.put(continues, after.take(batch.follows[continues]))
        return state

    def write_state(self, cache: StackCache, batch: SequenceBatch, state: State) -> None:
        """Overwrite `state`, for the columns of the batch, with that after each column's last step."""
        for k, (caches,) in enumerate(cache.layers):
            for cache_, segment in zip(caches, batch.segments, strict=True):
                for _, last, n in segment.active_ranges:  # later ranges overwrite those that continue
                    for v, v_after in zip(state.layers[k], self.kernel.state_after(cache_, last), strict=True):
                        v[:, :n] = v_after[:, :n]

    def _join(self, cache: StackCache, batch: SequenceBatch, workspace: Workspace) -> Floats:
        """Outputs of the layers so far as input rows (N, D*H + 1) of the next: forward, reverse, one."""
        H = self.cell.hidden_size
        x = workspace.empty((batch.n_rows, self.n_outputs + 1))
        x[:, -1] = 1
        h = workspace.empty((batch.n_rows, H))
        for k, caches in enumerate(cache.layers[-1]):
            units = slice(k * H, (k + 1) * H)
            for cache_, segment, rows in zip(caches, batch.segments, rows_by_segment(h, batch.segments), strict=True):
                rows[...] = cache_.states[1:].transpose(0, 2, 1)
                if batch.masks is not None:
                    rows *= batch.masks[len(cache.layers) - 1][: segment.n_columns, units]
            x[:, units] = h if k == 0 else h[cache.reversal]
        return x

    def _split(
        self,
        d_x: Floats,
        batch: SequenceBatch,
        k: int,
        reversal: Ints | None,
        workspace: Workspace,
    ) -> list[list[OutputGradient]]:
        """Mirror image of `_join`: gradients of layer k's outputs by direction, from those of the inputs above them."""
        H = self.cell.hidden_size
        d_outputs: list[list[OutputGradient]] = []
        for direction in range(self.n_directions):
            units = slice(direction * H, (direction + 1) * H)
            d_h = d_x[:, units] if direction == 0 else d_x[reversal, units]
            d_outputs.append([])
            for segment, rows in zip(batch.segments, rows_by_segment(d_h, batch.segments), strict=True):
                d_columns = workspace.empty((segment.n_steps, H, segment.n_columns))
                d_columns[...] = rows.transpose(0, 2, 1)
                if batch.masks is not None:
                    d_columns *= batch.masks[k][: segment.n_columns, units].T
                d_outputs[-1].append(OutputGradient.of_all_columns(d_columns))
        return d_outputs
