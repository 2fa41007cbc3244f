"""Gradients of raw predictions with respect to what a network reads, and the states that it has at every step."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import CELL_NAMES, central_differences, relative_error, with_limits
from numpy.testing import assert_allclose, assert_array_equal

from skrnn.core.cells import CELLS
from skrnn.core.data.sequences import PackedSequences, SequencesInPlace, TokenSequences
from skrnn.core.model.inputs import DenseInput, Embedding, MixedInput, TokenInput
from skrnn.core.model.losses import LOSSES, SquaredError, WeightedSum
from skrnn.core.model.network import Network
from skrnn.core.model.pooling import POOLINGS
from skrnn.core.model.readouts import EveryStep
from skrnn.core.model.stack import RecurrentStack
from skrnn.core.model.vectors import on_vectors, read_vectors
from skrnn.core.workspace import Workspace

F, H, K = 2, 4, 3
LENGTHS = np.array([3, 1, 4])
FEATURES = DenseInput(F)
OPTIONS = [{"gradient_steps": 1}, {"recompute": True}, {"inference_columns": (1, 1)}]
READOUTS = {**POOLINGS, "every step": EveryStep()}
STACKS = {"plain": {}, "deep": {"n_layers": 2}, "both ways": {"bidirectional": True}}
STACKS["deep, both ways"] = {**STACKS["deep"], **STACKS["both ways"]}

each_readout = pytest.mark.parametrize("readout", READOUTS.values(), ids=READOUTS)
each_stack = pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)


def make_network(readout, input_=FEATURES, cell="gru", **stack):
    return Network(RecurrentStack(CELLS[cell](H), input_, **stack), readout, SquaredError(K))


def make_params(network, rng):
    """Parameters with no zeros: no gradient can be right by accident."""
    return network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)


def make_rows(rng, lengths=LENGTHS):
    return PackedSequences.from_arrays([rng.standard_normal((n, F)) for n in lengths], np.float64)


def raw_of(network, params, data):
    return network.predict_raw(params, data, Workspace(params.dtype))


def gradient_of(network, params, data, d_raw):
    return network.raw_gradient(params, data, d_raw, Workspace(params.dtype))


@each_readout
@each_stack
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_gradient_equals_central_differences(readout, stack, cell, rng):
    network = make_network(readout, cell=cell, **stack)
    params, data = make_params(network, rng), make_rows(rng)
    d_raw = rng.standard_normal(raw_of(network, params, data).shape)

    got = gradient_of(network, params, data, d_raw)

    wanted = central_differences(lambda: float((d_raw * raw_of(network, params, data)).sum()), data.steps)[:, :-1]
    assert [d_x.shape for d_x in got] == [(n, F) for n in LENGTHS]
    assert relative_error(np.concatenate(got), wanted) < 1e-6


@each_readout
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradient_is_that_over_all_steps_however_it_is_computed(readout, options, rng):
    """Truncated backpropagation is for training; batches and windows are for memory."""
    network = make_network(readout, n_layers=2)
    params, data = make_params(network, rng), make_rows(rng, [9, 2, 9, 5])
    d_raw = rng.standard_normal(raw_of(network, params, data).shape)
    is_limit = "inference_columns" in options
    other = with_limits(network, inference_size=1, **options) if is_limit else replace(network, **options)

    got = gradient_of(other, params, data, d_raw)

    wanted = gradient_of(network, params, data, d_raw)
    assert_allclose(np.concatenate(got), np.concatenate(wanted), rtol=1e-10, atol=1e-12)


@each_readout
def test_gradients_of_sequences_in_any_order_and_in_place(readout, rng):
    network = make_network(readout)
    params, X = make_params(network, rng), rng.standard_normal((4, 5, F))
    d_raw = rng.standard_normal((20 if readout.is_per_step else 4, K))
    order = np.array([2, 0, 3])
    d_chosen = d_raw.reshape(4, -1, K)[order].reshape(-1, K)

    whole = gradient_of(network, params, SequencesInPlace.from_rectangle(X), d_raw)
    chosen = gradient_of(network, params, PackedSequences.from_rectangle(X).take(order), d_chosen)

    assert_allclose(chosen, np.array(whole)[order], rtol=1e-10, atol=1e-12)


INPUTS = {
    "one-hot": TokenInput(5),
    "vectors": Embedding(5, F),
    "categories": MixedInput(1, ((4, 3), (3, 0))),
    "features": FEATURES,
}


def make_sequences(input_, rng):
    if isinstance(input_, MixedInput):
        rows = [np.column_stack([rng.normal(size=n), rng.integers(0, (4, 3), (n, 2))]) for n in LENGTHS]
        return PackedSequences.from_arrays(rows, np.float64)
    if isinstance(input_, DenseInput):
        return make_rows(rng)
    ids = rng.integers(0, 5, LENGTHS.sum())
    return TokenSequences(ids, LENGTHS, np.cumsum(LENGTHS) - LENGTHS)


@each_readout
@pytest.mark.parametrize("input_", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("takes", ["all tokens", "those that come"])
def test_a_network_on_vectors_predicts_the_same_and_has_the_same_gradient(readout, input_, bidirectional, takes, rng):
    network = make_network(readout, input_, bidirectional=bidirectional, n_layers=2)
    params, data = make_params(network, rng), make_sequences(input_, rng)
    steps = np.concatenate(data.arrays())
    tokens = np.unique(steps) if input_.is_one_hot and takes == "those that come" else None

    given, copied = on_vectors(network, params, tokens)
    vectors = read_vectors(network, params, steps, tokens)

    rows = PackedSequences.from_arrays(np.split(vectors, np.cumsum(LENGTHS)[:-1]), np.float64)
    raw = raw_of(network, params, data)
    assert_allclose(raw_of(given, copied, rows), raw, rtol=1e-12, atol=1e-13)
    d_raw = rng.standard_normal(raw.shape)
    got, wanted = (np.concatenate(gradient_of(*of, d_raw)) for of in ((given, copied, rows), (network, params, data)))
    assert_allclose(got, wanted if tokens is None else wanted[:, tokens], rtol=1e-10, atol=1e-12)


def test_a_tied_network_on_vectors_keeps_its_head(rng):
    network = Network.build_for_tokens("gru", 6, 3, 5, embedding_size=3, tie_weights=True)
    params, ids = make_params(network, rng), rng.integers(0, 6, 8)
    data = TokenSequences(ids, np.array([8]), np.array([0]))

    given, copied = on_vectors(network, params)

    rows = PackedSequences.from_arrays([read_vectors(network, params, ids)], np.float64)
    assert_allclose(raw_of(given, copied, rows), raw_of(network, params, data), rtol=1e-12)


@each_stack
@pytest.mark.parametrize("layer", [0, -1])
@pytest.mark.parametrize("readout", [POOLINGS["last"], EveryStep()], ids=["pooled", "every step"])
def test_hidden_states_are_what_the_head_and_the_next_layer_see(stack, layer, readout, rng):
    network = make_network(readout, **stack)
    params, data = make_params(network, rng), make_rows(rng, [5, 2, 7, 2])
    of_last = replace(network, readout=EveryStep())

    states = with_limits(network, inference_size=1).hidden_states(params, data, Workspace(np.float64), layer)

    assert states.shape == (data.n_steps, network.stack.n_outputs)
    if layer == -1:
        head = network.views(params)["head"]
        assert_allclose(states @ head["W_y"].T + head["b_y"], raw_of(of_last, params, data), rtol=1e-10, atol=1e-12)
    elif network.stack.n_layers == 2:
        above = replace(of_last, stack=replace(network.stack, n_layers=1, input=DenseInput(network.stack.n_outputs)))
        views, copied = network.views(params), np.empty(above.layout.size)
        for part, arrays in above.views(copied).items():
            for name, array in arrays.items():
                array[...] = views[part.replace("rnn.0", "rnn.1")][name]
        rows = PackedSequences.from_arrays(np.split(states, np.cumsum(data.lengths)[:-1]), np.float64)
        assert_allclose(raw_of(above, copied, rows), raw_of(of_last, params, data), rtol=1e-10, atol=1e-12)


def test_hidden_states_of_a_layer_that_is_not_there(rng):
    network = make_network(POOLINGS["last"], n_layers=2)

    with pytest.raises(IndexError):
        network.hidden_states(make_params(network, rng), make_rows(rng), Workspace(np.float64), 2)


@pytest.mark.parametrize("name", LOSSES)
def test_slope_is_the_derivative_of_the_numbers_that_are_predicted(name, rng):
    loss = LOSSES[name](4 if name == "gaussian" else 2, center=(1.0, -2.0), scale=(2.0, 0.5))
    raw = rng.standard_normal((3, loss.n_raw, 5))

    above, below = (loss.inverse_link(raw + step)[:, :2] for step in (1e-6, -1e-6))

    assert_allclose(loss.slope(raw), (above - below) / 2e-6, rtol=1e-7)


def test_slope_of_counts_is_flat_where_they_are_held():
    assert_array_equal(LOSSES["poisson"](1).slope(np.array([[1000.0, 0.0]])), [[0, 1]])


def test_the_bias_of_a_weighted_sum_says_nothing():
    loss = WeightedSum(2)

    assert_array_equal(loss.initial_bias(np.ones((3, 2)), np.ones(3)), [0, 0])
    assert_array_equal(loss.inverse_link(np.ones((2, 1))), [[1], [1]])
