"""What several test files do: interrupt a training, spoil memory that must not be read."""

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
    """Fill what the workspace has to lend with NaN."""
    mark = workspace.mark()
    workspace.lend((workspace.size,)).fill(np.nan)
    workspace.release(mark)
