"""Numbers and categories in one row: vectors of the categories, their gradients, and what is unknown."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn.core.cells import CELLS
from skrnn.core.data.batch import Batcher
from skrnn.core.data.sequences import PackedSequences, SequencesInPlace
from skrnn.core.model.inputs import MixedInput
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace
from skrnn.inspection import check_gradient

rng = np.random.default_rng(0)
CATEGORIES = [(4, 3), (3, 0)]
ARRAYS = [np.column_stack([rng.normal(size=(n, 2)), rng.integers(0, (4, 3), (n, 2))]) for n in (5, 2, 4, 1)]
TARGETS = np.array([0, 1, 1, 0])


def network(cell="gru", **options):
    return Network.build(cell, 4, 3, 2, categories=CATEGORIES, **options)


def batch_of(arrays=ARRAYS):
    sequences = PackedSequences.from_arrays(arrays, np.float64)
    return Batcher().batch(sequences, np.arange(len(arrays)), TARGETS, rng.uniform(0.5, 1, len(arrays)))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "n_layers": 2}, {"pooling": "mean"}])
@pytest.mark.parametrize("recompute", [False, True])
def test_gradients(cell, options, recompute):
    net, batch = network(cell, recompute=recompute, **options), batch_of()

    def loss_gradient(params):
        gradient = np.zeros_like(params)
        loss, _ = net.loss_gradient(params, batch, None, Workspace(np.float64), gradient)
        return loss, gradient

    params = rng.normal(0, 0.5, net.layout.size)
    assert check_gradient(loss_gradient, params, layout=net.layout).passed
    assert net.layout.shapes["embedding"] == {"E_0": (4, 3)}
    assert net.layout.n_penalized == net.layout.size - sum(
        array.size for part in net.views(params).values() for name, array in part.items() if name[0] in "bE"
    )


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}])
def test_categories_are_rows_of_numbers(options):
    """One-hot columns, and vectors that are looked up beforehand, give the same predictions."""
    mixed, dense = network(**options), Network.build("gru", 7, 3, 2, **options)
    params = mixed.initialize(np.random.default_rng(1))
    weights, of_dense = mixed.views(params), np.empty(dense.layout.size)
    for part, arrays in dense.views(of_dense).items():
        for name, array in arrays.items():
            array[...] = weights[part][name]
    E = weights["embedding"]["E_0"]
    codes = [array[:, 2:].astype(int) for array in ARRAYS]
    rows = [
        np.hstack([array[:, :2], E[code[:, 0]], np.eye(3)[:, :2][code[:, 1]]])
        for array, code in zip(ARRAYS, codes, strict=True)
    ]

    predicted = mixed.predict(params, PackedSequences.from_arrays(ARRAYS, np.float64), Workspace(np.float64))
    wanted = dense.predict(of_dense, PackedSequences.from_arrays(rows, np.float64), Workspace(np.float64))
    assert_allclose(predicted, wanted, rtol=1e-12)


def test_rows_are_read_in_their_place_and_step_by_step():
    net = network(pooling="mean")
    params = net.initialize(np.random.default_rng(1))
    X = np.stack([ARRAYS[0], ARRAYS[0][::-1]])
    workspace = Workspace(np.float64)
    wanted = net.predict(params, PackedSequences.from_rectangle(X), workspace)

    assert_array_equal(net.predict(params, SequencesInPlace.from_rectangle(X), workspace), wanted)
    packed, state = net.pack(params, workspace), net.start(2, np.dtype(np.float64))
    for t in range(5):
        predicted, state = net.step(packed, X[:, t], state, workspace)
    assert_allclose(predicted, wanted, rtol=1e-12)


def test_what_no_step_shows_is_silenced():
    net = network()
    params = net.initialize(np.random.default_rng(1))
    arrays = [array.copy() for array in ARRAYS]
    for array in arrays:
        array[:, 2] = np.arange(len(array)) % 2
    net.silence_unseen(params, PackedSequences.from_arrays(arrays, np.float64))
    E = net.views(params)["embedding"]["E_0"]

    assert E[:2].all()
    assert not E[2:].any()


def test_numbers_may_be_missing():
    assert MixedInput(0, ((3, 2),)).n_inputs == 2
    assert MixedInput(1, ((3, 0),)).n_inputs == 3
    assert MixedInput(1, ((3, 0),)).shapes() == {}
