"""How a network runs over a batch: window after window of steps, with the state carried from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..data.batch import SequenceBatch
from ..data.sequences import Sequences
from ..parameters import Weights
from ..workspace import Workspace
from .readouts import Readout
from .stack import RecurrentStack, StackCache
from .state import State


@dataclass(frozen=True)
class WindowState:
    """Where a network stands between two windows of a batch.

    Attributes
    ----------
    layers : State or None
        Of the first n of B sequences: those that continue. None for zero.
    accumulated : ndarray of shape (rows, B)
        What the readout has accumulated.
    n_steps : int
        How many steps have been read.
    """

    layers: State | None
    accumulated: Floats
    n_steps: int


@dataclass(frozen=True)
class WindowRunner:
    """Runs a stack and a readout over windows.

    Attributes
    ----------
    stack : RecurrentStack
        The layers.
    readout : Readout
        What accumulates their outputs.
    n_raw : int
        Raw predictions of a column.
    """

    stack: RecurrentStack
    readout: Readout
    n_raw: int

    def initial(self, n: int, dtype: np.dtype, layers: State | None = None) -> WindowState:
        """Make the state before the first step of `n` sequences."""
        return WindowState(layers, self.readout.initial(self.stack.n_outputs, n, dtype), 0)

    def run(
        self,
        weights: dict[str, Weights],
        window: SequenceBatch,
        workspace: Workspace,
        before: WindowState,
        checkpoints_only: bool = False,
    ) -> tuple[StackCache, WindowState]:
        """Run over a window: the cache, allocated in the workspace, and the state after it; `before` stays as it is."""
        x = self.stack.input.read(weights, window, workspace)
        cache = self.stack.forward(weights, x, window, workspace, before.layers, checkpoints_only)
        accumulated = before.accumulated.copy()
        self.readout.accumulate(self.stack, cache, window, accumulated)
        layers = None
        if not self.stack.bidirectional:
            layers = State(tuple(tuple(v.copy() for v in caches[-1].last) for (caches,) in cache.layers))
        return cache, WindowState(layers, accumulated, before.n_steps + int(window.lengths[0]))

    def run_all(
        self,
        weights: dict[str, Weights],
        batch: SequenceBatch,
        workspace: Workspace,
        before: WindowState,
        layers: State | None = None,
    ) -> WindowState:
        """Run over all windows of a batch without keeping their caches: the state after the last one.

        `layers`, by column, are overwritten with the state after each sequence's own last step.
        """
        mark = workspace.mark()
        for window in self.inference_windows(batch):
            cache, before = self.run(weights, window, workspace, before, self.stack.bidirectional)
            if layers is not None:
                self.stack.write_state(cache, window, layers)
            workspace.release(mark)
        return before

    def inference_batches(self, data: Sequences) -> Iterator[SequenceBatch]:
        """Cut data into batches to read where no gradient is wanted: of like lengths, the longest first."""
        by_length = np.argsort(-data.lengths, kind="stable")[: np.count_nonzero(data.lengths)]
        while len(by_length):
            n = min(self.stack.inference_columns, len(by_length))
            if self.stack.bidirectional:  # whose sequences are read as a whole
                n = int(np.clip(self._inference_size // data.lengths[by_length[0]], 1, n))
            yield self.stack.batcher.batch(data, by_length[:n])
            by_length = by_length[n:]

    def inference_windows(self, batch: SequenceBatch, size: int | None = None) -> Iterator[SequenceBatch]:
        """Cut a batch into windows of bounded size; a bidirectional stack, which begins at the end, has one.

        `size` is the number of their time steps, if that which suits the readout does not.
        """
        n_steps = max(1, (size or self._inference_size) // len(batch.indices))
        return batch.windows(int(batch.lengths[0]) if self.stack.bidirectional else n_steps)

    @property
    def _inference_size(self) -> int:
        """Time steps of a window where no gradient is wanted."""
        return self.readout.inference_size(self.stack, self.n_raw)
