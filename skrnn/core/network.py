"""The order of parts: recurrent layers, pooling, head. One function is the contract: `Network.loss_gradient`.

A batch is run in windows of steps, with the state carried from one to the next. Usually there is one window. Where the
activations of all steps would take too much memory there are at most about the square root of T of them: only the state
at each border is kept, and on the way back the activations of a window are computed again (Chen et al., 2016). There
are fewer where the cache holds more steps, since each window costs time in Python. A bidirectional stack, whose reverse
direction begins at the end, has one window; there the outputs of the layers are kept instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from .batches import PackedSequences, SequenceBatch
from .cached import cached_property
from .cells import CELLS
from .heads import SoftmaxHead
from .inputs import DenseInput
from .losses import log_softmax
from .parameters import ParameterLayout, Weights
from .pooling import POOLINGS, Pooling
from .stack import RecurrentStack, StackTrail
from .state import State
from .workspace import Workspace

_MAX_ACTIVATIONS = 2**30  # bytes that a batch may take before its activations are computed twice


@dataclass(frozen=True)
class NetworkState:
    """Where a network stands in the middle of its sequences.

    Attributes
    ----------
    layers : State or None
        Of the first n of B sequences: those that go on. None for zero.
    accumulated : ndarray of shape (D*H, B)
        What the pooling has taken in.
    n_steps : int
        How many steps have been seen.
    """

    layers: State | None
    accumulated: np.ndarray
    n_steps: int


@dataclass(frozen=True)
class Network:
    """A stack of recurrent layers, a pooling of the steps and a softmax; hyper-parameters only.

    Parameters
    ----------
    stack : RecurrentStack
        The layers.
    pooling : Pooling
        Of the top layer's outputs, each direction apart: ``last`` takes the final state of each direction.
    head : SoftmaxHead
        Its inputs are the pooled outputs of all directions.
    recompute : bool or "auto", default="auto"
        Whether `loss_gradient` computes activations a second time on the way back instead of holding those of all
        steps; "auto" does where they would take more than a gibibyte. What stays is the state after each of at most
        about sqrt(T) windows; of a bidirectional stack the outputs of every layer.
    bptt_steps : int or None, default=None
        Over how many steps from the end of a sequence `loss_gradient` goes back; all by default. The steps before make
        the state, and their share of the pooling, and count as constants. Unidirectional stacks only.

    References
    ----------
    Chen, Xu, Zhang and Guestrin, *Training deep nets with sublinear memory cost* (2016), section 4.

    Examples
    --------
    >>> network = Network.build("gru", n_inputs=3, hidden_size=4, n_classes=2)
    >>> network.layout.size
    110
    """

    stack: RecurrentStack
    pooling: Pooling
    head: SoftmaxHead
    recompute: bool | str = "auto"
    bptt_steps: int | None = None

    @classmethod
    def build(
        cls,
        cell: str,
        n_inputs: int,
        hidden_size: int,
        n_classes: int,
        *,
        n_layers: int = 1,
        bidirectional: bool = False,
        pooling: str = "last",
        dropout: float = 0.0,
        recompute: bool | str = "auto",
        bptt_steps: int | None = None,
    ) -> Network:
        """Put a network together from the words of the estimators' parameters.

        Parameters
        ----------
        cell : {"gru", "lstm", "tanh", "relu"}
            Kind of cell.
        n_inputs : int
            Features per step.
        hidden_size : int
            Units of each layer and direction.
        n_classes : int
            K.
        n_layers : int, default=1
            Number of layers.
        bidirectional : bool, default=False
            Whether each layer also reads from the end.
        pooling : {"last", "mean", "max"}, default="last"
            What of the top layer's outputs is classified.
        dropout : float, default=0.0
            Probability with which an output is dropped.
        recompute, bptt_steps : bool or "auto", int or None, default="auto", None
            See the class.

        Returns
        -------
        network : Network
            Without parameters.
        """
        stack = RecurrentStack(CELLS[cell](hidden_size), DenseInput(n_inputs), n_layers, bidirectional, dropout)
        return cls(stack, POOLINGS[pooling], SoftmaxHead(stack.n_outputs, n_classes), recompute, bptt_steps)

    @cached_property
    def layout(self) -> ParameterLayout:
        """Names and places of the parameters: those of the stack, then ``head``."""
        return ParameterLayout({**self.stack.shapes(), "head": self.head.shapes()})

    def initialize(self, rng: np.random.Generator, dtype: np.dtype | type = np.float64) -> np.ndarray:
        """Draw the initial parameters (layout.size,); the draws depend on the shapes only.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of the draws.
        dtype : dtype, default=np.float64
            Of the vector.

        Returns
        -------
        params : ndarray of shape (layout.size,)
            The parameters.
        """
        params = np.zeros(self.layout.size)
        weights = self.layout.views(params)
        self.stack.initialize(weights, rng)
        self.head.initialize(weights["head"], rng)
        return params.astype(dtype, copy=False)

    def loss_gradient(
        self, params: np.ndarray, batch: SequenceBatch, state: State | None, workspace: Workspace, out: np.ndarray
    ) -> tuple[float, State | None]:
        """Loss of a batch, and its gradient.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        batch : SequenceBatch
            With targets and weights.
        state : State or None
            None: sequences are whole, they begin at zero and nothing goes on.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.
        out : ndarray of shape (layout.size,)
            The gradient is added to it.

        Returns
        -------
        loss : float
            Sum over the batch of weight times cross-entropy, nats.
        state : None
            What came in.
        """
        assert batch.targets is not None and batch.weights is not None
        mark = workspace.mark()
        weights, gradients = self.layout.views(params), self.layout.views(out)
        rest, first = self._skip(weights, batch, workspace)
        recomputes = self._recomputes(rest, workspace.dtype)
        n_steps = int(rest.lengths[0])
        if recomputes:
            n_steps = max(ceil(sqrt(n_steps)), self.stack.reading_size() // len(rest.indices))
        windows = self.stack.windows(rest, n_steps)
        outputs_only = recomputes and self.stack.bidirectional
        pooled = workspace.lend((self.stack.n_outputs, len(batch.indices)))
        before_window = workspace.mark()
        readings = [first]
        for window in windows:
            workspace.release(before_window)
            trail, reading = self._read(weights, window, workspace, readings[-1], outputs_only)
            readings.append(reading)
        accumulated = readings.pop().accumulated
        pooled[...] = accumulated
        self._finish(pooled, batch)
        loss = self.head.loss_gradient(weights["head"], gradients["head"], pooled, batch.targets, batch.weights)
        self._finish(d_pooled := pooled, batch)  # a factor of each entry: the same on the way back
        d_state = None
        for window, before in zip(reversed(windows), reversed(readings), strict=True):
            if window is not windows[-1]:
                workspace.release(before_window)
                trail, _ = self._read(weights, window, workspace, before)
            n, ends = len(window.indices), rest.lengths - before.n_steps
            parts = (self._by_direction(v[:, :n]) for v in (before.accumulated, accumulated, d_pooled))
            d_outputs = [
                self.pooling.backward(h, window.segments, ends, *part)
                for h, *part in zip(trail.outputs(), *parts, strict=True)
            ]
            _, d_state = self.stack.backward(weights, gradients, window, trail, d_outputs, workspace, d_state)
        workspace.release(mark)
        return loss, state

    def predict_log_proba(self, params: np.ndarray, data: PackedSequences, workspace: Workspace) -> np.ndarray:
        """Log-probabilities of the classes.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        data : PackedSequences
            n sequences; predicted in batches of like lengths.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.

        Returns
        -------
        log_proba : ndarray of shape (n, K)
            In the order of `data`, nats.
        """
        weights = self.layout.views(params)
        log_proba = np.empty((len(data), self.head.n_classes), params.dtype)
        by_length = np.argsort(-data.lengths, kind="stable")
        while len(by_length):
            n = min(self.stack.reading_width, len(by_length))
            if self.stack.bidirectional:  # whose sequences are read as a whole
                n = int(np.clip(self.stack.reading_size() // data.lengths[by_length[0]], 1, n))
            indices, by_length = by_length[:n], by_length[n:]
            batch = self.stack.batch(data, indices)
            pooled = self._read_in_windows(weights, batch, workspace, self._begin(n, params.dtype)).accumulated
            self._finish(pooled, batch)
            log_proba[indices] = log_softmax(self.head.logits(weights["head"], pooled)).T
        return log_proba

    def advance(
        self, params: np.ndarray, batch: SequenceBatch, workspace: Workspace, state: NetworkState | None = None
    ) -> tuple[np.ndarray, NetworkState]:
        """Go on with sequences that arrive piece by piece.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        batch : SequenceBatch
            The next steps of every sequence, as many for each.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.
        state : NetworkState, optional
            What the call before returned; nothing seen yet by default.

        Returns
        -------
        log_proba : ndarray of shape (B, K)
            Log-probabilities of the classes, from all steps so far.
        state : NetworkState
            Where the network stands now.

        Raises
        ------
        ValueError
            If the network is bidirectional: its reverse direction begins at the end.
        """
        if self.stack.bidirectional:
            raise ValueError("A bidirectional network cannot advance: its reverse direction begins at the last step.")
        mark = workspace.mark()
        weights = self.layout.views(params)
        _, state = self._read(weights, batch, workspace, state or self._begin(len(batch.indices), params.dtype))
        workspace.release(mark)
        pooled = state.accumulated.copy()
        self.pooling.finish(pooled, np.full(len(batch.indices), state.n_steps))
        return log_softmax(self.head.logits(weights["head"], pooled)).T, state

    def _begin(self, n: int, dtype: np.dtype) -> NetworkState:
        """State before the first step of `n` sequences."""
        return NetworkState(None, np.full((self.stack.n_outputs, n), self.pooling.initial, dtype), 0)

    def _skip(
        self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace
    ) -> tuple[SequenceBatch, NetworkState]:
        """The steps of `batch` over which the gradient goes back, and the state before them."""
        state, lengths = self._begin(len(batch.indices), workspace.dtype), batch.lengths
        if self.bptt_steps is None or self.bptt_steps >= lengths[0]:
            return batch, state
        n_skipped = np.maximum(lengths - self.bptt_steps, 0)
        n = int(np.count_nonzero(n_skipped))  # the first ones: longest first
        layers = self.stack.zero_state(len(lengths), workspace.dtype)
        offsets = batch.data.offsets[batch.indices]
        masks = None if batch.masks is None else tuple(mask[:n] for mask in batch.masks)
        skipped = self.stack.batch(batch.data.pieces(offsets[:n], n_skipped[:n]), np.arange(n), masks=masks)
        state = self._read_in_windows(weights, skipped, workspace, state, layers)
        rest = batch.data.pieces(offsets + n_skipped, lengths - n_skipped)
        return (
            self.stack.batch(rest, np.arange(len(lengths)), batch.targets, batch.weights, batch.masks),
            NetworkState(layers, state.accumulated, 0),
        )

    def _read_in_windows(
        self,
        weights: dict[str, Weights],
        batch: SequenceBatch,
        workspace: Workspace,
        state: NetworkState,
        layers: State | None = None,
    ) -> NetworkState:
        """State after all steps of `batch`; `layers`, by column, overwritten with that after each one's end."""
        mark = workspace.mark()
        for window in self.stack.windows(batch, max(1, self.stack.reading_size() // len(batch.indices))):
            trail, state = self._read(weights, window, workspace, state, self.stack.bidirectional)
            if layers is not None:
                self.stack.write_state(trail, window, layers)
            workspace.release(mark)
        return state

    def _read(
        self,
        weights: dict[str, Weights],
        window: SequenceBatch,
        workspace: Workspace,
        state: NetworkState,
        outputs_only: bool = False,
    ) -> tuple[StackTrail, NetworkState]:
        """Run over a window from `state`, which stays as it is: the trail, in lent memory, and the state after it."""
        x = window.gather(workspace.lend((window.n_rows, self.stack.input.n_inputs + 1)))
        trail = self.stack.forward(weights, x, window, workspace, state.layers, outputs_only)
        accumulated = state.accumulated.copy()
        parts = self._by_direction(accumulated[:, : len(window.indices)])
        for h, part in zip(trail.outputs(), parts, strict=True):
            self.pooling.forward(h, window.segments, part)
        layers = None
        if not self.stack.bidirectional:
            layers = State(tuple(tuple(v.copy() for v in tapes[-1].last) for (tapes,) in trail.tapes))
        return trail, NetworkState(layers, accumulated, state.n_steps + int(window.lengths[0]))

    def _finish(self, pooled: np.ndarray, batch: SequenceBatch) -> None:
        """Turn what the pooling took in (D*H, B) into what the head reads, in place, dropout included."""
        self.pooling.finish(pooled, batch.lengths)
        if batch.masks is not None:
            pooled *= batch.masks[-1].T

    def _by_direction(self, pooled: np.ndarray) -> np.ndarray:
        """View (D, H, n) of `pooled` (D*H, n)."""
        return pooled.reshape(self.stack.n_directions, -1, pooled.shape[1])

    def _recomputes(self, batch: SequenceBatch, dtype: np.dtype) -> bool:
        """Whether activations of `batch` are computed again on the way back."""
        if self.recompute == "auto":
            return batch.n_rows * self.stack.n_activations * dtype.itemsize > _MAX_ACTIVATIONS
        return bool(self.recompute)
