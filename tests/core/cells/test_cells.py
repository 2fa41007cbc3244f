"""Cells: what they begin with, and that they are plain data."""

import numpy as np
import pytest

from skrnn.core.cells import CELLS
from skrnn.core.model.inputs import DenseInput
from skrnn.core.model.layer import RecurrentLayer
from skrnn.core.model.network import Network


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_cells_begin_as_their_papers_say(cell, rng):
    network = Network.build(cell, n_inputs=3, hidden_size=5, n_classes=2, n_layers=2, bidirectional=True)
    weights = network.layout.views(network.initialize(rng))

    for part in ("rnn.0", "rnn.0.reverse", "rnn.1", "rnn.1.reverse"):
        for block in np.split(weights[part]["W_h"], len(weights[part]["W_h"]) // 5):
            np.testing.assert_allclose(block @ block.T, np.eye(5), atol=1e-12)
        b = weights[part]["b"]
        assert b.tolist() == ([0] * 5 + [1] * 5 + [0] * 10 if cell == "lstm" else [0] * len(b))
    if cell == "relu":
        np.testing.assert_array_equal(weights["rnn.0"]["W_h"], np.eye(5))
    if cell == "gru":
        assert not weights["rnn.0"]["b_hn"].any()
    assert not np.array_equal(weights["rnn.0"]["W_x"], weights["rnn.0.reverse"]["W_x"])


def test_layer_shapes():
    layer = RecurrentLayer(CELLS["gru"](4), DenseInput(3))

    assert layer.shapes() == {"W_x": (12, 3), "W_h": (12, 4), "b_hn": (4,), "b": (12,)}


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_cell_holds_plain_values(cell):
    """So what a file holds of it does not depend on the CPU that wrote it."""
    assert {type(value) for value in vars(CELLS[cell](3)).values()} == {int, str}
