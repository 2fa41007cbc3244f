"""Backpropagation through time: the loss of a batch and its gradient, in windows where memory asks for it.

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

from ..arrays import Floats
from ..data.batch import SequenceBatch
from ..parameters import Weights
from ..workspace import Workspace
from .head import Objective
from .inputs import Input
from .readouts import Accumulation
from .state import State
from .windows import WindowRunner, WindowState


@dataclass(frozen=True)
class Backpropagation:
    """Backpropagation through the windows of a batch.

    Attributes
    ----------
    runner : WindowRunner
        The stack and the readout.
    recompute : bool or "auto"
        Whether activations are computed a second time on the way back instead of being held.
    gradient_steps : int or None
        Over how many steps from the end of a sequence the gradient goes back; None for all.
    """

    runner: WindowRunner
    recompute: bool | str = "auto"
    gradient_steps: int | None = None

    def loss_gradient(
        self,
        weights: dict[str, Weights],
        gradients: dict[str, Weights],
        batch: SequenceBatch,
        state: State | None,
        objective: Objective,
        d_rows: Floats | None = None,
    ) -> tuple[float, State | None]:
        """Add to `gradients`: the loss, and the state after the last step of each column, if one came in.

        `d_rows`, beside the rows of the data, is added the gradients of the inputs, if given.
        """
        stack, readout, workspace = self.runner.stack, self.runner.readout, objective.workspace
        mark = workspace.mark()
        first = self.runner.initial(len(batch.indices), workspace.dtype, state)
        rest, first = self._burn_in(weights, batch, first, workspace)
        n_steps, checkpoints_only = self._window_steps(rest, workspace.dtype, objective.loss.couples_steps)
        states, after = [first], None if state is None else state.copy()
        before_window = workspace.mark()
        for window in rest.windows(n_steps):
            workspace.release(before_window)
            cache, state_now = self.runner.run(weights, window, workspace, states[-1], checkpoints_only)
            states.append(state_now)
            if after is not None:
                stack.write_state(cache, window, after)
        accumulated = states.pop().accumulated
        loss, d_accumulated = readout.whole_loss_gradient(accumulated, batch, objective)
        d_state: State | None = None
        for before in reversed(states):
            if before is not states[-1]:
                workspace.release(before_window)
                window = rest.window(before.n_steps, n_steps)
                cache, _ = self.runner.run(weights, window, workspace, before)
            accumulation = Accumulation(before.accumulated, accumulated, d_accumulated, rest.lengths - before.n_steps)
            window_loss, d_outputs = readout.window_loss_gradient(stack, cache, window, accumulation, objective)
            loss += window_loss
            wants_d_x = stack.input.is_learned or d_rows is not None
            d_x, d_state = stack.backward(weights, gradients, window, cache, d_outputs, workspace, d_state, wants_d_x)
            if d_x is not None:
                _add_input_gradients(stack.input, gradients, d_x, window, d_rows)
        workspace.release(mark)
        return loss, after

    def _burn_in(
        self, weights: dict[str, Weights], batch: SequenceBatch, before: WindowState, workspace: Workspace
    ) -> tuple[SequenceBatch, WindowState]:
        """Run over the steps without a gradient: what is left of `batch`, and the state before that."""
        lengths = batch.lengths
        if self.gradient_steps is None or self.gradient_steps >= lengths[0]:
            return batch, before
        n_steps = np.maximum(lengths - self.gradient_steps, 0)
        n = int(np.count_nonzero(n_steps))  # the first ones: longest first
        layers = self.runner.stack.zero_state(len(lengths), workspace.dtype)
        offsets = batch.data.offsets[batch.indices]
        after = self.runner.run_all(weights, batch.steps(offsets[:n], n_steps[:n]), workspace, before, layers)
        return batch.steps(offsets + n_steps, lengths - n_steps), WindowState(layers, after.accumulated, 0)

    def _window_steps(self, batch: SequenceBatch, dtype: np.dtype, is_coupled: bool) -> tuple[int, bool]:
        """Steps of a window, whose activations are held at a time, and whether only checkpoints are.

        One window, where steps have a loss together or one direction begins at the end.
        """
        n_steps, stack, recomputes = int(batch.lengths[0]), self.runner.stack, self._recomputes(batch, dtype)
        if stack.bidirectional or is_coupled or not recomputes:
            return n_steps, recomputes
        return max(ceil(sqrt(n_steps)), stack.inference_size() // len(batch.indices)), False

    def _recomputes(self, batch: SequenceBatch, dtype: np.dtype) -> bool:
        """Whether activations of `batch` are computed again on the way back."""
        stack = self.runner.stack
        if self.recompute == "auto":
            return batch.n_rows * stack.n_activations * dtype.itemsize > stack.limits.activation_bytes
        return bool(self.recompute)


def _add_input_gradients(
    input_: Input, gradients: dict[str, Weights], d_x: Floats, window: SequenceBatch, d_rows: Floats | None
) -> None:
    """Add d_x (N, F) to the gradients of the input's own parameters, and to `d_rows`, if given."""
    input_.add_own_gradients(gradients, d_x, window)
    if d_rows is not None:
        np.add.at(d_rows, window.rows, d_x)  # padding, which repeats a row, adds zero
