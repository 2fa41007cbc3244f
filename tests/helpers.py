"""What several test files do: interrupt a training, spoil memory, set other limits."""

from dataclasses import replace

import numpy as np

from skrnn.core.training.optimizers import Adam


def interrupt_update(monkeypatch, number):
    """Make the update of this number, counted from 1, raise KeyboardInterrupt."""
    update, calls = Adam.update, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == number:
            raise KeyboardInterrupt
        update(*args)

    monkeypatch.setattr(Adam, "update", interrupted)


def spoil(workspace):
    """Fill what the workspace holds with NaN."""
    mark = workspace.mark()
    workspace.empty((workspace.size,)).fill(np.nan)
    workspace.release(mark)


def with_limits(network, **limits):
    """Return the network with other sizes of the parts that it works in."""
    stack = replace(network.stack, limits=replace(network.stack.limits, **limits))
    return replace(network, stack=stack)
