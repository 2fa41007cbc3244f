"""The laws that every cell obeys, alone, stacked, in both directions, and under each pooling."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from helpers import CELL_NAMES, central_differences, relative_error, spoil, with_limits
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import run_slowly

from skrnn.core.cells import CELLS
from skrnn.core.data.segments import Cutting
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.kernels import OutputGradient
from skrnn.core.model.bptt import Backpropagation
from skrnn.core.model.inputs import DenseInput, TokenInput
from skrnn.core.model.layer import RecurrentLayer
from skrnn.core.model.network import Network
from skrnn.core.model.windows import WindowRunner
from skrnn.core.workspace import Workspace

POOLING_NAMES = ["last", "mean", "max"]
RAGGED = [5, 1, 3, 3, 9, 2, 2]


SMALL_WINDOWS = {"inference_size": 1}
"""Windows of the square root of the steps, however few, where activations are computed twice."""


def make_network(cell, limits=None, **kwargs):
    return with_limits(Network.build(cell, n_inputs=3, hidden_size=4, n_classes=3, **kwargs), **limits or {})


def make_params(network, rng):
    """Parameters with no zeros: no gradient can be right by accident."""
    return network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)


def make_data(rng, lengths=RAGGED, n_features=3, dtype=np.float64):
    return PackedSequences.from_arrays([rng.standard_normal((n, n_features)) for n in lengths], dtype)


def make_batch(network, data, rng, masks=None):
    n = len(data)
    return network.batcher.batch(data, np.arange(n), rng.integers(0, 3, n), rng.random(n), masks)


def loss_and_gradient(network, params, batch):
    gradient = np.zeros_like(params)
    loss, _ = network.loss_gradient(params, batch, None, Workspace(params.dtype), gradient)
    return loss, gradient


def outputs_of(cell, W, x):
    """Outputs (T, H) of one sequence x (T, F)."""
    zero = [np.zeros(W["W_h"].shape[1])] * CELLS[cell](1).n_states
    return np.array([state[0] for state in run_slowly(cell, W, x, zero)])


def predict_slowly(network, cell, params, x, pooling, masks=None):
    """Log-probabilities (K,) of one sequence x (T, F); masks are one (D*H,) for each layer's outputs."""
    weights = network.layout.views(params)
    for layer in range(network.stack.n_layers):
        directions = [outputs_of(cell, weights[f"rnn.{layer}"], x)]
        if network.stack.bidirectional:
            directions.append(outputs_of(cell, weights[f"rnn.{layer}.reverse"], x[::-1])[::-1])
        x = np.concatenate(directions, axis=1)
        final = np.concatenate([d[-1] if k == 0 else d[0] for k, d in enumerate(directions)])
        if masks is not None:
            x, final = x * masks[layer], final * masks[layer]
    pooled = {"last": final, "mean": x.mean(axis=0), "max": x.max(axis=0)}[pooling]
    z = weights["head"]["W_y"] @ pooled + weights["head"]["b_y"]
    return z - np.log(np.exp(z).sum())


@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_law_1_forward_equals_the_equations_step_by_step(cell, n_layers, bidirectional, pooling, rng):
    network = make_network(cell, n_layers=n_layers, bidirectional=bidirectional, pooling=pooling)
    params, data = make_params(network, rng), make_data(rng)

    log_proba = network.predict(params, data, Workspace(np.float64))

    wanted = [predict_slowly(network, cell, params, x, pooling) for x in data.arrays()]
    np.testing.assert_allclose(log_proba, wanted, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELL_NAMES)
def test_law_1_dropout_drops_outputs_of_every_layer_for_all_steps(cell, bidirectional, pooling, rng):
    network = make_network(cell, n_layers=2, bidirectional=bidirectional, pooling=pooling, dropout=0.4)
    params, data = make_params(network, rng), make_data(rng)
    masks = network.batcher.draw_masks(rng, len(data), params.dtype)
    batch = make_batch(network, data, rng, masks)
    assert not np.array_equal(*masks)

    loss, _ = loss_and_gradient(network, params, batch)

    arrays = data.arrays()
    wanted = -sum(
        weight
        * predict_slowly(network, cell, params, arrays[i], pooling, [mask[i] for mask in masks])[batch.targets[i]]
        for i, weight in zip(batch.indices, batch.weights, strict=True)
    )
    assert loss == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_law_2_layer_gradients_equal_central_differences(cell, rng):
    """Every parameter, the inputs, and the initial state, from a gradient on every output."""
    layer = RecurrentLayer(CELLS[cell](4), DenseInput(3))
    data = make_data(rng)
    network = make_network(cell)
    batch = network.batcher.batch(data, np.arange(len(data)))
    weights = {name: 0.5 * rng.standard_normal(shape) for name, shape in layer.shapes().items()}
    gradients = {name: np.zeros(shape) for name, shape in layer.shapes().items()}
    x = batch.gather(np.empty((batch.n_rows, 4)))
    state = tuple(0.5 * rng.standard_normal((4, len(data))) for _ in range(layer.cell.n_states))
    d_outputs, alive = [], []
    for segment in batch.segments:
        steps = segment.start + np.arange(segment.n_steps)
        alive.append(steps[:, None, None] < batch.lengths[: segment.n_columns])  # padding has no gradient
        d_outputs.append(rng.standard_normal((segment.n_steps, 4, segment.n_columns)) * alive[-1])

    def loss():
        caches = layer.forward(weights, x, batch.segments, Workspace(np.float64), state)
        return sum((cache.states[1:] * d).sum() for cache, d in zip(caches, d_outputs, strict=True))

    workspace = Workspace(np.float64)
    caches = layer.forward(weights, x, batch.segments, workspace, state)
    d_x = np.empty((batch.n_rows, 3))
    output_gradients = [OutputGradient.of_all_columns(d) for d in d_outputs]
    d_state = layer.backward(weights, gradients, x, batch.segments, caches, output_gradients, workspace, d_x=d_x)

    for name, array in weights.items():
        assert relative_error(gradients[name], central_differences(loss, array)) < 1e-6, name
    assert relative_error(d_x, central_differences(loss, x)[:, :-1]) < 1e-6
    for d_v, v in zip(d_state, state, strict=True):
        assert relative_error(d_v, central_differences(loss, v)) < 1e-6


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    "kwargs",
    [
        {"pooling": "last"},
        {"pooling": "mean", "dropout": 0.4},
        {"pooling": "max", "n_layers": 2},
        {"pooling": "last", "bidirectional": True, "n_layers": 2, "dropout": 0.4},
        {"pooling": "max", "bidirectional": True},
        {"pooling": "mean", "n_layers": 3},
    ],
    ids=str,
)
def test_law_2_network_gradient_equals_central_differences(cell, kwargs, rng):
    network = make_network(cell, **kwargs)
    params, data = make_params(network, rng), make_data(rng)
    masks = network.batcher.draw_masks(rng, len(data), params.dtype)
    batch = make_batch(network, data, rng, masks)

    _, gradient = loss_and_gradient(network, params, batch)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], params)
    assert relative_error(gradient, wanted) < 1e-6
    assert (gradient != 0).mean() > 0.5


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_law_3_directional_derivative_at_realistic_size(cell, bidirectional, rng):
    network = Network.build(cell, 12, 64, 9, n_layers=2, bidirectional=bidirectional, pooling="mean")
    params, data = network.initialize(rng), make_data(rng, rng.integers(7, 60, size=32), n_features=12)
    if cell == "relu":
        params *= 0.5  # from the identity upwards, sixty steps of relu explode
    batch = make_batch(network, data, rng)
    direction = rng.standard_normal(params.shape)
    direction /= np.linalg.norm(direction)

    _, gradient = loss_and_gradient(network, params, batch)

    above, below = (loss_and_gradient(network, params + step * direction, batch)[0] for step in (1e-6, -1e-6))
    assert gradient @ direction == pytest.approx((above - below) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_law_4_a_single_step_has_a_gradient(cell, pooling, rng):
    network = make_network(cell, pooling=pooling)
    params = make_params(network, rng)
    batch = make_batch(network, make_data(rng, [1]), rng)

    _, gradient = loss_and_gradient(network, params, batch)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], params)
    assert relative_error(gradient, wanted) < 1e-6
    parts = network.layout.views(gradient)
    assert np.abs(parts["rnn.0"]["W_x"]).max() > 0
    assert np.abs(parts["rnn.0"]["W_h"]).max() == 0  # there was no state before


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_law_4_the_first_step_of_a_long_sequence_counts(cell, rng):
    network = make_network(cell)
    params, data = make_params(network, rng), make_data(rng, [12])
    batch = make_batch(network, data, rng)
    data.steps[1:, 0] = 0  # the first feature shows in the first step alone

    _, gradient = loss_and_gradient(network, params, batch)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], params)
    first_feature = [network.layout.views(g)["rnn.0"]["W_x"][:, 0] for g in (gradient, wanted)]
    assert relative_error(*first_feature) < 1e-6
    assert np.abs(first_feature[0]).max() > 0


@pytest.mark.parametrize("cell", CELL_NAMES)
@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9),
    max_padding=st.sampled_from([0, 3, 12, np.inf]),
    max_size=st.sampled_from([1, 5, 30, np.inf]),
    bidirectional=st.booleans(),
    pooling=st.sampled_from(POOLING_NAMES),
)
def test_law_5_ragged_is_the_sum_of_its_parts(cell, lengths, max_padding, max_size, bidirectional, pooling):
    rng = np.random.default_rng(1)
    network = make_network(cell, bidirectional=bidirectional, pooling=pooling, n_layers=2)
    params, data = make_params(network, rng), make_data(rng, lengths)
    batch = make_batch(network, data, rng)
    batch = replace(batch, cutting=Cutting(max_padding, max_size))

    loss, gradient = loss_and_gradient(network, params, batch)

    parts = [loss_and_gradient(network, params, batch.take(np.array([k]))) for k in range(len(lengths))]
    assert loss == pytest.approx(sum(part[0] for part in parts), rel=1e-12)
    np.testing.assert_allclose(gradient, sum(part[1] for part in parts), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_law_5_windows_are_the_whole(cell, pooling, dropout, rng):
    whole, cut = (
        make_network(cell, SMALL_WINDOWS, pooling=pooling, n_layers=2, dropout=dropout, recompute=recompute)
        for recompute in (False, True)
    )
    params, data = make_params(whole, rng), make_data(rng, [23, 9, 10, 1, 23, 17, 5])
    batch = make_batch(whole, data, rng, whole.batcher.draw_masks(rng, len(data), params.dtype))
    assert [len(window.indices) for window in batch.windows(5)] == [7, 5, 3, 3, 2]

    loss, gradient = loss_and_gradient(whole, params, batch)
    loss_cut, gradient_cut = loss_and_gradient(cut, params, batch)

    assert loss_cut == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(gradient_cut, gradient, rtol=1e-11, atol=1e-13)


def test_activations_are_computed_twice_where_they_are_many(rng):
    network = make_network("gru")
    batch = make_batch(network, make_data(rng, [100]), rng)
    size = batch.n_rows * network.stack.n_activations * 8

    for activation_bytes, recomputes in ((size, False), (size - 1, True)):
        stack = with_limits(network, activation_bytes=activation_bytes).stack
        runner = WindowRunner(stack, network.readout, network.loss.n_raw)
        assert Backpropagation(runner)._recomputes(batch, np.dtype(float)) == recomputes


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_law_5_outputs_are_enough_in_both_directions(cell, pooling, dropout, rng):
    several_segments = {"segment_size": 100}
    whole, checkpointed = (
        make_network(
            cell,
            several_segments,
            pooling=pooling,
            n_layers=2,
            dropout=dropout,
            bidirectional=True,
            recompute=recompute,
        )
        for recompute in (False, True)
    )
    params, data = make_params(whole, rng), make_data(rng, [23, 9, 10, 1, 23, 17, 5])
    batch = make_batch(whole, data, rng, whole.batcher.draw_masks(rng, len(data), params.dtype))
    assert len(batch.segments) > 3

    loss, gradient = loss_and_gradient(whole, params, batch)
    loss_checkpointed, gradient_checkpointed = loss_and_gradient(checkpointed, params, batch)

    assert loss_checkpointed == loss
    np.testing.assert_array_equal(gradient_checkpointed, gradient)


def test_law_5_one_product_of_gradients_or_several(rng):
    for cell, bidirectional in itertools.product(CELL_NAMES, (False, True)):
        network = make_network(cell, {"segment_size": 300}, n_layers=2, bidirectional=bidirectional)
        params, data = make_params(network, rng), make_data(rng, [23, 9, 10, 1, 23, 17, 5])
        batch = make_batch(network, data, rng)
        _, at_once = loss_and_gradient(network, params, batch)
        _, by_and_by = loss_and_gradient(with_limits(network, gradient_steps=20), params, batch)

        np.testing.assert_allclose(by_and_by, at_once, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
@pytest.mark.parametrize("recompute", [False, True])
def test_truncation_takes_what_came_before_as_constants(cell, pooling, recompute, rng, monkeypatch):
    """The same loss; the gradient is that of the last steps, from the state and the pooling of those before them."""
    several_windows = {"inference_steps": 15}  # before the last steps
    whole, cut = (
        make_network(
            cell,
            several_windows,
            pooling=pooling,
            n_layers=2,
            dropout=0.3,
            recompute=recompute,
            gradient_steps=gradient_steps,
        )
        for gradient_steps in (None, 4)
    )
    params, data = make_params(whole, rng), make_data(rng, [13, 4, 10, 1, 13, 5, 3])
    batch = make_batch(whole, data, rng, whole.batcher.draw_masks(rng, len(data), params.dtype))
    loss, gradient = loss_and_gradient(cut, params, batch)

    assert loss == pytest.approx(loss_and_gradient(whole, params, batch)[0], rel=1e-12)
    runner = WindowRunner(cut.stack, cut.readout, cut.loss.n_raw)
    first, bptt = runner.initial(len(data), params.dtype), Backpropagation(runner, gradient_steps=4)
    before = bptt._burn_in(cut.layout.views(params), batch, first, Workspace(params.dtype))
    assert before[0].lengths.tolist() == [4, 4, 4, 4, 4, 3, 1]
    monkeypatch.setattr(Backpropagation, "_burn_in", lambda *args: before)
    wanted = central_differences(lambda: loss_and_gradient(cut, params, batch)[0], params)
    assert relative_error(gradient, wanted) < 1e-6


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_truncation_beyond_the_longest_is_none(cell, rng):
    whole, cut = (make_network(cell, gradient_steps=gradient_steps) for gradient_steps in (None, max(RAGGED)))
    params, batch = make_params(whole, rng), make_batch(whole, make_data(rng), rng)

    np.testing.assert_array_equal(loss_and_gradient(cut, params, batch)[1], loss_and_gradient(whole, params, batch)[1])


def test_memory_of_the_last_steps(rng):
    sizes = []
    for n_steps in (2000, 6000):
        network = Network.build("gru", n_inputs=1, hidden_size=8, n_classes=3, gradient_steps=50)
        network = with_limits(network, inference_size=2**18)
        params, workspace = network.initialize(rng), Workspace(np.float64)
        batch = make_batch(network, make_data(rng, [n_steps] * 20, n_features=1), rng)
        network.loss_gradient(params, batch, None, workspace, np.zeros_like(params))
        sizes.append(workspace.size)

    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_the_first_of_equal_maxima_has_the_gradient_in_windows_too(pooling, rng):
    """A constant output, so that every window holds the same maximum."""
    whole, cut = (
        make_network("tanh", SMALL_WINDOWS, pooling=pooling, recompute=recompute) for recompute in (False, True)
    )
    params, data = np.zeros(whole.layout.size), make_data(rng, [16, 16])
    whole.layout.views(params)["head"]["W_y"][:] = rng.standard_normal((3, 4))
    batch = make_batch(whole, data, rng)

    np.testing.assert_allclose(
        loss_and_gradient(cut, params, batch)[1], loss_and_gradient(whole, params, batch)[1], atol=1e-14
    )


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("n_steps", [20, 2000])
def test_memory_of_a_window_not_of_a_sequence(cell, n_steps, rng):
    network = Network.build(cell, n_inputs=1, hidden_size=8, n_classes=3, recompute=True)
    network = with_limits(network, **SMALL_WINDOWS)
    params, workspace = network.initialize(rng), Workspace(np.float64)
    batch = make_batch(network, make_data(rng, [n_steps] * 3, n_features=1), rng)

    network.loss_gradient(params, batch, None, workspace, np.zeros_like(params))

    held = int(np.ceil(np.sqrt(n_steps))) * 3 * network.stack.n_activations
    scratch = int(np.ceil(np.sqrt(n_steps))) * 3 * 8 * (2 * network.stack.kernel.n_gradient_rows + 2)
    assert workspace.size < 3 * (held + scratch) + 10_000


def test_memory_of_the_outputs_in_both_directions(rng):
    """Of an LSTM's cache of seven rows one stays, beside the inputs of both directions."""
    sizes = {}
    for recompute in (False, True):
        network = Network.build(
            "lstm", n_inputs=1, hidden_size=32, n_classes=3, bidirectional=True, recompute=recompute
        )
        params, workspace = network.initialize(rng), Workspace(np.float64)
        batch = make_batch(network, make_data(rng, [2000] * 48, n_features=1), rng)
        network.loss_gradient(params, batch, None, workspace, np.zeros_like(params))
        sizes[recompute] = workspace.size

    assert sizes[True] < sizes[False] / 2.5


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_prediction_in_windows(cell, pooling, rng):
    network = make_network(cell, pooling=pooling, n_layers=2)
    params, data = make_params(network, rng), make_data(rng, [40, 3, 17, 40, 1, 9])
    whole = network.predict(params, data, Workspace(np.float64))

    network = with_limits(network, inference_steps=42)  # seven steps of six sequences
    in_windows = network.predict(params, data, Workspace(np.float64))

    np.testing.assert_allclose(in_windows, whole, atol=1e-13)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_each_way_to_tanh_gives_the_same(cell, rng):
    network = make_network(cell, n_layers=2)
    params, batch = make_params(network, rng), make_batch(network, make_data(rng), rng)
    by_exp, by_numpy = (
        loss_and_gradient(
            replace(network, stack=replace(network.stack, cell=replace(network.stack.cell, activation=tanh))),
            params,
            batch,
        )
        for tanh in ("tanh_by_exp", "tanh_by_numpy")
    )

    assert by_exp[0] == pytest.approx(by_numpy[0], rel=1e-12)
    np.testing.assert_allclose(by_exp[1], by_numpy[1], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    "kwargs", [{}, {"n_layers": 2, "bidirectional": True}, {"n_layers": 2, "recompute": True}], ids=str
)
def test_fused_inputs_give_the_same_as_inputs_projected_before(cell, kwargs, rng, monkeypatch):
    network, data = make_network(cell, **kwargs), make_data(rng)
    params, batch = make_params(network, rng), make_batch(network, data, rng)
    results = []
    for n_fused in (lambda layer: 0, lambda layer: layer.input.n_inputs + 1):
        monkeypatch.setattr(RecurrentLayer, "n_fused_inputs", property(n_fused))
        log_proba = network.predict(params, data, Workspace(np.float64))
        results.append((*loss_and_gradient(network, params, batch), log_proba))

    for projected, fused in zip(*results, strict=True):
        np.testing.assert_allclose(fused, projected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(
    ("cell", "n_inputs", "n_fused"),
    [("tanh", 7, 8), ("tanh", 8, 0), ("lstm", 7, 8), ("gru", 3, 4), ("gru", 4, 0)],
)
def test_few_inputs_are_fused(cell, n_inputs, n_fused):
    assert RecurrentLayer(CELLS[cell](16), DenseInput(n_inputs)).n_fused_inputs == n_fused
    assert RecurrentLayer(CELLS[cell](16), TokenInput(n_inputs)).n_fused_inputs == 0


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_memory_of_prediction_is_bounded(cell, rng):
    network = make_network(cell, {"inference_size": 2**14})
    params = make_params(network, rng)
    sizes = []
    for length in (400, 800):
        workspace = Workspace(np.float64)
        network.predict(params, make_data(rng, [length] * 70), workspace)
        sizes.append(workspace.size)

    assert sizes[0] == sizes[1] < 4 * 2**14


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_law_6_buffers_hold_no_memory(cell, bidirectional, rng):
    network = make_network(cell, bidirectional=bidirectional, n_layers=2, pooling="max", dropout=0.2)
    params = make_params(network, rng)
    batches = [
        make_batch(network, data, rng, network.batcher.draw_masks(rng, len(data), params.dtype))
        for data in (make_data(rng), make_data(rng, [20, 3, 3, 3, 1]))
    ]
    workspace = Workspace(np.float64)

    def run(batch):
        gradient = np.zeros_like(params)
        return network.loss_gradient(params, batch, None, workspace, gradient)[0], gradient

    first = run(batches[0])
    run(batches[1])
    spoil(workspace)
    again = run(batches[0])

    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_units_are_finite(cell, dtype, rng):
    """Pre-activations far beyond the range of exp."""
    network = make_network(cell)
    params, data = make_params(network, rng).astype(dtype), make_data(rng, dtype=dtype)
    data.steps[:, :-1] *= 1e6

    with np.errstate(over="ignore"):
        log_proba = network.predict(params, data, Workspace(dtype))
        _, gradient = loss_and_gradient(network, params, make_batch(network, data, rng))

    assert np.isfinite(log_proba).all()
    assert np.isfinite(gradient).all()
    with np.errstate(over="ignore"):
        wanted = [predict_slowly(network, cell, params.astype(float), x.astype(float), "last") for x in data.arrays()]
    np.testing.assert_allclose(log_proba, wanted, atol=1e-4 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_law_7_order_is_irrelevant(cell, rng):
    network = make_network(cell, bidirectional=True)
    params, data = make_params(network, rng), make_data(rng)
    permutation = rng.permutation(len(data))

    log_proba = network.predict(params, data, Workspace(np.float64))
    permuted = network.predict(params, data.take(permutation), Workspace(np.float64))

    np.testing.assert_allclose(permuted, log_proba[permutation], atol=1e-9)


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_law_9_steps_compose(cell, pooling, rng):
    network = make_network(cell, n_layers=2, pooling=pooling)
    params, data = make_params(network, rng), make_data(rng, [6, 6, 6])
    X, workspace = np.stack(data.arrays()), Workspace(np.float64)
    packed, state = network.pack(params, workspace), network.start(3, params.dtype)

    for t in range(6):
        log_proba, state = network.step(packed, X[:, t], state, workspace)

    np.testing.assert_allclose(log_proba, network.predict(params, data, workspace), atol=1e-12)


def test_a_bidirectional_network_cannot_advance(rng):
    network = make_network("gru", bidirectional=True)

    with pytest.raises(ValueError, match="bidirectional network cannot advance"):
        network.pack(make_params(network, rng), Workspace(np.float64))


@pytest.mark.parametrize("bias", [-15.0, -10.0, 0.0, 5.0])
@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_of_gates_that_hardly_open_keep_their_digits(bias, recompute, rng):
    """What the GRU keeps of a state is a small difference of two outputs where its update gate is nearly closed."""
    network = make_network("gru", SMALL_WINDOWS, recompute=recompute)
    params = make_params(network, rng)
    network.layout.views(params)["rnn.0"]["b"][4:8] = bias  # rows r, z, n
    data, targets = make_data(rng), rng.integers(0, 3, len(RAGGED))
    gradients = []
    for dtype in (np.float32, np.float64):
        single = PackedSequences(data.steps.astype("f4").astype(dtype), data.lengths)
        batch = network.batcher.batch(single, np.arange(len(data)), targets, np.ones(len(data), dtype))
        _, gradient = loss_and_gradient(network, params.astype("f4").astype(dtype), batch)
        gradients.append(network.layout.views(gradient)["rnn.0"])

    for name in ("W_x", "W_h", "b"):
        assert relative_error(gradients[0][name][4:8], gradients[1][name][4:8]) < 2e-5


@pytest.mark.parametrize("cell", CELL_NAMES)
def test_law_10_dtype_is_kept(cell, rng):
    network = make_network(cell, n_layers=2, bidirectional=True, pooling="mean", dropout=0.2)
    params = network.initialize(rng, np.float32)
    data = make_data(rng, dtype=np.float32)
    masks = network.batcher.draw_masks(rng, len(data), params.dtype)
    batch = network.batcher.batch(
        data, np.arange(len(data)), rng.integers(0, 3, len(data)), np.ones(len(data), "f4"), masks
    )
    workspace = Workspace(np.float32)
    gradient = np.zeros_like(params)
    weights = network.layout.views(params)

    network.loss_gradient(params, batch, None, workspace, gradient)
    cache = network.stack.forward(weights, batch.gather(np.empty((batch.n_rows, 4), "f4")), batch, workspace)

    assert params.dtype == gradient.dtype == np.float32
    assert network.predict(params, data, workspace).dtype == np.float32
    assert {array.dtype for arrays in cache.inputs for array in arrays} == {np.dtype("f4")}
    assert {segment.saved.dtype for layer in cache.layers for direction in layer for segment in direction} == {
        np.dtype("f4")
    }
    double, _ = network.loss_gradient(
        params.astype(float),
        network.batcher.batch(
            PackedSequences(data.steps.astype(float), data.lengths),
            np.arange(len(data)),
            batch.targets,
            np.ones(len(data)),
            tuple(mask[np.argsort(batch.indices)].astype(float) for mask in batch.masks),
        ),
        None,
        Workspace(np.float64),
        wanted := np.zeros(network.layout.size),
    )
    assert np.isfinite(double)
    assert relative_error(gradient, wanted) < 1e-4
