"""The state between batches: taken, put back, and passed to the columns that follow."""

import numpy as np

from skrnn.core.cells import CELLS
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.inputs import DenseInput
from skrnn.core.model.stack import RecurrentStack
from skrnn.core.model.state import State


def test_state_of_some_sequences_is_a_copy_and_goes_back(rng):
    state = State(tuple((rng.standard_normal((2, 4)), rng.standard_normal((2, 4))) for _ in range(2)))
    before = state.copy()

    some = state.take([3, 1])
    for layer in some.layers:
        for v in layer:
            v += 1

    np.testing.assert_array_equal(state.layers, before.layers)
    state.put([3, 1], some)
    difference = np.array(state.layers) - np.array(before.layers)
    assert len(state) == 4
    np.testing.assert_allclose(difference[..., [1, 3]], 1)
    np.testing.assert_array_equal(difference[..., [0, 2]], 0)


def test_state_before_a_batch_follows_the_columns_before_it(rng):
    stack = RecurrentStack(CELLS["lstm"](2), DenseInput(1), n_layers=2)
    after = State(tuple((rng.standard_normal((2, 3)), rng.standard_normal((2, 3))) for _ in range(2)))
    data = PackedSequences.from_arrays([np.ones((n, 1)) for n in (1, 3, 2)], np.float64)
    follows = np.array([2, -1, 0])
    batch = stack.batcher.batch(data, np.arange(3), follows=follows)  # columns: the second, the third, the first

    before = stack.state_before(batch, after, np.dtype(float))

    got, wanted = np.array(before.layers), np.array(after.layers)
    np.testing.assert_array_equal(got[..., 0], 0)
    np.testing.assert_array_equal(got[..., 1:], wanted[..., [0, 2]])
    assert not np.any(stack.state_before(batch, None, np.dtype(float)).layers)
    assert stack.state_before(stack.batcher.batch(data, np.arange(3)), after, np.dtype(float)) is None
