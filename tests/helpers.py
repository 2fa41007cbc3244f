"""What several test files do: small data sets, comparisons, an interrupted training, spoiled memory, other limits."""

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrnn._kernels import numba_obstacle
from skrnn.core.cells import CELLS
from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import Minibatches
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.training.optimizers import Adam

CELL_NAMES = sorted(CELLS)
KERNELS_HERE = ["numpy"] if numba_obstacle() else ["numpy", "numba"]
"""Names of the sets of kernels that can be used here."""


def object_array(items):
    """Return a one-dimensional array of objects, whatever their shapes."""
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


def raises(error, message):
    """Expect an error that contains this text."""
    return pytest.raises(error, match=re.escape(message))


def assert_sequences_equal(actual, expected):
    """Compare sequences, their shapes and dtypes."""
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected):
        assert_array_equal(a, b, strict=True)


def make_set(rng, n=20, weights=None):
    """Return sequences whose class is the sign of their first step."""
    arrays = [rng.standard_normal((length, 2)) for length in rng.integers(1, 7, n)]
    targets = np.array([int(x[0, 0] > 0) for x in arrays])
    return Dataset(PackedSequences.from_arrays(arrays, np.float64), targets, np.ones(n) if weights is None else weights)


def batches(data, network, batch_size, rng):
    """Return random batches of a data set for a network."""
    return Minibatches().batches(data, network.batcher, batch_size, rng, np.dtype(float))


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


def central_differences(function, x, step=1e-5):
    """Gradient of function() with respect to the array x, which it reads."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + step
        above = function()
        x[index] = value - step
        below = function()
        x[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def relative_error(got, wanted):
    return np.abs(got - wanted).max() / np.abs(wanted).max()
