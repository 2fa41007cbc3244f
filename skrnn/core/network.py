"""The order of parts: recurrent layers, pooling, head. One function is the contract: `Network.loss_gradient`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .batches import PackedSequences, SequenceBatch
from .cells import CELLS
from .heads import SoftmaxHead
from .inputs import DenseInput
from .losses import log_softmax
from .parameters import ParameterLayout, Weights
from .pooling import POOLINGS, Pooling
from .stack import LayerStates, RecurrentStack, StackTrail
from .workspace import Workspace

_PREDICTION_WIDTH = 256  # sequences a batch
_PREDICTION_SIZE = 2**17  # column-steps a batch


@dataclass(frozen=True)
class NetworkState:
    """Where a network stands in the middle of its sequences.

    Attributes
    ----------
    layers : tuple of tuple of ndarray of shape (H, B)
        The state of each layer.
    accumulated : ndarray of shape (H, B)
        What the pooling has taken in.
    n_steps : int
        How many steps have been seen.
    """

    layers: LayerStates
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

    Examples
    --------
    >>> network = Network.build("gru", n_inputs=3, hidden_size=4, n_classes=2)
    >>> network.layout.size
    110
    """

    stack: RecurrentStack
    pooling: Pooling
    head: SoftmaxHead

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
    ) -> Network:
        """Put a network together from the words of the estimators' parameters."""
        stack = RecurrentStack(CELLS[cell](hidden_size), DenseInput(n_inputs), n_layers, bidirectional, dropout)
        return cls(stack, POOLINGS[pooling], SoftmaxHead(stack.n_outputs, n_classes))

    @cached_property
    def layout(self) -> ParameterLayout:
        """Names and places of the parameters: those of the stack, then ``head``."""
        return ParameterLayout({**self.stack.shapes(), "head": self.head.shapes()})

    def initialize(self, rng: np.random.Generator, dtype: np.dtype | type = np.float64) -> np.ndarray:
        """Draw the initial parameters (layout.size,); the draws depend on the shapes only."""
        params = np.zeros(self.layout.size)
        weights = self.layout.views(params)
        self.stack.initialize(weights, rng)
        self.head.initialize(weights["head"], rng)
        return params.astype(dtype, copy=False)

    def loss_gradient(self, params: np.ndarray, batch: SequenceBatch, workspace: Workspace, out: np.ndarray) -> float:
        """Loss of a batch, and its gradient.

        Parameters
        ----------
        params : ndarray of shape (layout.size,)
            The parameters.
        batch : SequenceBatch
            With targets and weights.
        workspace : Workspace
            Of the dtype of `params`; everything lent is given back.
        out : ndarray of shape (layout.size,)
            The gradient is added to it.

        Returns
        -------
        loss : float
            Sum over the batch of weight times cross-entropy, nats.
        """
        assert batch.targets is not None and batch.weights is not None
        mark = workspace.mark()
        weights, gradients = self.layout.views(params), self.layout.views(out)
        trail, accumulated, pooled = self._forward(weights, batch, workspace)
        loss, d_pooled = self.head.loss_gradient(
            weights["head"], gradients["head"], pooled, batch.targets, batch.weights, workspace
        )
        if batch.masks is not None:
            d_pooled *= batch.masks[-1].T
        parts = zip(trail.outputs(), self._by_direction(accumulated), self._by_direction(d_pooled), strict=True)
        d_outputs = [self.pooling.backward(h, batch.segments, batch.lengths, *part) for h, *part in parts]
        self.stack.backward(weights, gradients, batch, trail, d_outputs, workspace)
        workspace.release(mark)
        return loss

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
            n = int(np.clip(_PREDICTION_SIZE // data.lengths[by_length[0]], 1, _PREDICTION_WIDTH))
            indices, by_length = by_length[:n], by_length[n:]
            mark = workspace.mark()
            *_, pooled = self._forward(weights, self.stack.batch(data, indices), workspace)
            log_proba[indices] = log_softmax(self.head.logits(weights["head"], pooled)).T
            workspace.release(mark)
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
        if state is not None:
            batch = replace(batch, state=state.layers)
        trail, accumulated, pooled = self._forward(weights, batch, workspace, state)
        log_proba = log_softmax(self.head.logits(weights["head"], pooled)).T
        layers = tuple(tuple(v.copy() for v in tapes[-1].last) for (tapes,) in trail.tapes)
        n_steps = int(batch.lengths[0]) + (state.n_steps if state else 0)
        state = NetworkState(layers, accumulated.copy(), n_steps)
        workspace.release(mark)
        return log_proba, state

    def _forward(
        self, weights: dict[str, Weights], batch: SequenceBatch, workspace: Workspace, state: NetworkState | None = None
    ) -> tuple[StackTrail, np.ndarray, np.ndarray]:
        """Trail of the layers; what the pooling accumulated, and what it makes of that under dropout, both (D*H, B)."""
        x = batch.gather(workspace.lend((batch.n_rows, self.stack.input.n_inputs + 1)))
        trail = self.stack.forward(weights, x, batch, workspace)
        accumulated, pooled = workspace.lend((2, self.stack.n_outputs, len(batch.indices)))
        accumulated[...] = state.accumulated if state else self.pooling.initial
        for h, part in zip(trail.outputs(), self._by_direction(accumulated), strict=True):
            self.pooling.forward(h, batch.segments, part)
        pooled[...] = accumulated
        self.pooling.finish(pooled, batch.lengths + (state.n_steps if state else 0))
        if batch.masks is not None:
            pooled *= batch.masks[-1].T
        return trail, accumulated, pooled

    def _by_direction(self, pooled: np.ndarray) -> list[np.ndarray]:
        """Views (H, B) of `pooled` (D*H, B)."""
        return np.split(pooled, self.stack.n_directions)
