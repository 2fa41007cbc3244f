"""Compiled kernels beside NumPy's: the same states, losses and gradients, whatever the shape of a batch."""

import numpy as np
import pytest
from helpers import CELL_NAMES, KERNELS_HERE, make_set

from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace

pytestmark = pytest.mark.skipif("numba" not in KERNELS_HERE, reason="numba is not installed")

DTYPES = {np.float64: 1e-11, np.float32: 2e-4}


def make_batch(network, rng, lengths, F, dtype):
    data = PackedSequences.from_arrays([rng.standard_normal((n, F)) for n in lengths], dtype)
    targets = rng.integers(0, 3, len(lengths))
    return network.batcher.batch(data, np.arange(len(lengths)), targets, np.ones(len(lengths), dtype))


def loss_gradient(network, params, batch):
    gradient = np.zeros_like(params)
    loss, _ = network.loss_gradient(params, batch, None, Workspace(params.dtype), gradient)
    return loss, gradient


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    ("n_inputs", "hidden_size", "lengths"),
    [
        (1, 5, [1]),
        (3, 8, [7, 7, 7]),
        (3, 17, [9, 4, 4, 1, 2]),
        (30, 8, [5, 6, 2]),  # inputs that are not fused
        (2, 9, [12] * 40 + [3] * 33),  # products of a step by themselves, then in blocks
        (2, 4, [150]),
    ],
    ids=str,
)
def test_losses_and_gradients_equal_those_of_numpy(cell, n_inputs, hidden_size, lengths, dtype, rng):
    network = Network.build(cell, n_inputs, hidden_size, 3)
    params = network.initialize(rng, dtype)
    batch = make_batch(network, rng, lengths, n_inputs, dtype)

    loss, gradient = loss_gradient(network.using("numba"), params, batch)

    loss_wanted, wanted = loss_gradient(network, params, batch)
    assert loss == pytest.approx(loss_wanted, rel=DTYPES[dtype])
    np.testing.assert_allclose(gradient, wanted, rtol=0, atol=DTYPES[dtype] * np.abs(wanted).max())


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_the_same_bits_at_every_run(cell, rng):
    network = Network.build(cell, 2, 6, 3, n_layers=2, bidirectional=True).using("numba")
    params, batch = network.initialize(rng), make_batch(network, rng, [9, 5, 5, 2], 2, np.float64)

    (loss, gradient), again = (loss_gradient(network, params, batch) for _ in range(2))

    assert loss == again[0]
    np.testing.assert_array_equal(gradient, again[1])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_what_is_not_finite_comes_through(cell, bad, rng):
    """A weight that is NaN or infinite gives a loss or a gradient that is not finite, as with NumPy's kernels."""
    network = Network.build(cell, 2, 4, 3)
    batch = make_batch(network, rng, [6, 3], 2, np.float64)
    for name in ("W_x", "W_h", "b"):
        params = network.initialize(rng)
        network.views(params)["rnn.0"][name][:] = bad
        with np.errstate(all="ignore"):
            found = [loss_gradient(n, params, batch) for n in (network, network.using("numba"))]
        is_finite = [np.isfinite(loss) and np.isfinite(gradient).all() for loss, gradient in found]
        assert is_finite[0] == is_finite[1], name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_gradients_that_vanish_are_zero_and_never_denormal(cell, dtype, rng):
    network = Network.build(cell, 1, 8, 3).using("numba")
    params = network.initialize(rng, dtype)
    views = network.views(params)["rnn.0"]
    views["W_h"] *= 1e-3  # what comes from a step before falls by as much
    batch = make_batch(network, rng, [400] * 3, 1, dtype)

    _, gradient = loss_gradient(network, params, batch)

    sizes = np.abs(gradient[gradient != 0])
    assert sizes.min() > np.finfo(dtype).tiny


def test_using_gives_the_same_network_for_a_name():
    network = Network.build("gru", 2, 4, 3)

    assert network.using("numpy") is network
    assert network.using("numba") is network.using("numba")
    assert network.using("numba").using("numpy").kernels == "numpy"
    assert network.using("numba").stack.kernel != network.stack.kernel


def test_predictions_equal_those_of_numpy(rng):
    for cell in CELL_NAMES:
        network = Network.build(cell, 2, 7, 3, pooling="mean")
        params, data = network.initialize(rng), make_set(rng).sequences

        predicted = [n.predict(params, data, Workspace(np.float64)) for n in (network, network.using("numba"))]

        np.testing.assert_allclose(*predicted, rtol=1e-11)
