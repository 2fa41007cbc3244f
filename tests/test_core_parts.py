"""Small parts of the core: activations, losses, parameters, workspace, optimizers, schedules, heads."""

import numpy as np
import pytest

from skrnn.core.cells import CELLS
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.kernels.numpy import activations
from skrnn.core.kernels.numpy.activations import RELU, SIGMOID_SCALE, TANH_BY_EXP, TANH_BY_NUMPY, sigmoid_of_scaled
from skrnn.core.model.inputs import DenseInput
from skrnn.core.model.layer import RecurrentLayer
from skrnn.core.model.losses import log_softmax, softmax_cross_entropy
from skrnn.core.model.network import Network
from skrnn.core.model.stack import RecurrentStack
from skrnn.core.model.state import State
from skrnn.core.parameters import ParameterLayout, glorot_uniform, orthogonal
from skrnn.core.training.optimizers import SGD, Adam, RMSprop, clip_by_global_norm
from skrnn.core.training.schedules import learning_rate_at
from skrnn.core.workspace import Workspace


def test_sigmoid_is_right_and_survives_overflow():
    a = np.array([-1e4, -2.0, 0.0, 3.0, 1e4])
    with np.errstate(over="ignore"):
        gates = sigmoid_of_scaled(SIGMOID_SCALE * a, np.empty(5))

    np.testing.assert_allclose(gates[1:-1], 1 / (1 + np.exp(-a[1:-1])), rtol=1e-15)
    np.testing.assert_array_equal(gates[[0, -1]], [0, 1])


@pytest.mark.parametrize("tanh", [TANH_BY_EXP, TANH_BY_NUMPY])
def test_each_way_to_tanh(tanh):
    a = np.array([-20.0, -1.0, 0.0, 1e-9, 3.0])
    np.testing.assert_allclose(tanh.of_scaled(tanh.scale * a, np.empty(5)), np.tanh(a), atol=1e-15)
    np.testing.assert_allclose(tanh.of_unscaled(a, np.empty(5)), np.tanh(a), atol=1e-15)


@pytest.mark.parametrize(("current", "is_fast"), [("AVX512_SKX", True), ("X86_V4", True), ("X86_V3", False)])
def test_tanh_is_numpys_where_it_has_avx_512(current, is_fast, monkeypatch):
    introspect = pytest.importorskip("numpy.lib.introspect")
    monkeypatch.setattr(introspect, "opt_func_info", lambda *signature: {"tanh": {"ff": {"current": current}}})
    assert activations._numpy_has_fast_tanh() == is_fast


@pytest.mark.parametrize("activation", [TANH_BY_EXP, TANH_BY_NUMPY, RELU])
def test_derivatives_from_the_output(activation):
    a = np.array([-1.5, -0.1, 0.3, 2.0])
    h = activation.of_scaled(activation.scale * a, np.empty(4))

    above, below = (activation.of_scaled(activation.scale * (a + step), np.empty(4)) for step in (1e-6, -1e-6))

    np.testing.assert_allclose(activation.derivative(h, np.empty(4)), (above - below) / 2e-6, atol=1e-9)


def test_log_softmax_survives_huge_logits():
    log_proba = log_softmax(np.array([[1e308, -1e308], [0.0, 1e308]]) / 2)

    assert np.isfinite(log_proba[[0, 1], [0, 1]]).all()
    np.testing.assert_array_equal(log_proba[[0, 1], [0, 1]], [0, 0])


def test_cross_entropy_and_its_gradient(rng):
    z, targets, weights = rng.standard_normal((4, 3)), np.array([0, 3, 3]), np.array([1.0, 0.5, 2.0])

    def loss(z):
        p = np.exp(z) / np.exp(z).sum(axis=0)
        return -(weights * np.log(p[targets, range(3)])).sum()

    d_z = z.copy()
    got = softmax_cross_entropy(d_z, targets, weights)

    assert got == pytest.approx(loss(z), rel=1e-14)
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = 1e-6
        assert d_z[index] == pytest.approx((loss(z + step) - loss(z - step)) / 2e-6, abs=1e-8)


def test_a_confident_wrong_prediction_costs_much():
    """The notebook's loss was finite and small for a wrong class, because it forgot the target."""
    loss = softmax_cross_entropy(np.array([[50.0], [0.0]]), np.array([1]), np.array([1.0]))

    assert loss == pytest.approx(50)


def test_layout_puts_matrices_first_and_hands_out_views():
    layout = ParameterLayout({"a": {"b": (2,), "W": (2, 3)}, "c": {"V": (1, 2)}})
    vector = np.arange(10.0)

    views = layout.views(vector)
    views["a"]["W"][1, 2] = 77

    assert layout.size == 10
    assert layout.n_penalized == 8
    assert views["a"]["b"].tolist() == [8, 9]
    assert vector[5] == 77


def test_initialisation(rng):
    W, Q = glorot_uniform((30, 20), rng), orthogonal(20, rng)

    assert np.abs(W).max() <= np.sqrt(6 / 50)
    assert W.std() == pytest.approx(np.sqrt(6 / 50 / 3), rel=0.1)
    np.testing.assert_allclose(Q @ Q.T, np.eye(20), atol=1e-12)


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


def test_workspace_lends_apart_and_takes_back():
    workspace = Workspace(np.float32)
    mark = workspace.mark()
    first, second = workspace.empty((3, 5)), workspace.empty((7,))
    first.fill(1)
    second.fill(2)

    assert first.flags.c_contiguous
    assert first.dtype == np.float32
    assert (first == 1).all()
    assert not np.shares_memory(first, second)

    workspace.release(mark)
    assert np.shares_memory(workspace.empty((3, 5)), workspace._arenas[0])


def test_workspace_grows_once_and_then_allocates_nothing():
    workspace = Workspace(np.float64)

    def borrow():
        mark = workspace.mark()
        workspace.empty((100,))
        for _ in range(5):
            inner = workspace.mark()
            workspace.empty((1000,))
            workspace.release(inner)
        workspace.release(mark)

    borrow()
    size = workspace.size
    arena = workspace._arenas[0]
    borrow()

    assert workspace.size == size < 2500
    assert workspace._arenas == [arena]


def test_loans_survive_the_growth_of_the_workspace():
    workspace = Workspace(np.float64)
    workspace.empty((4,))
    inner = workspace.mark()
    first = workspace.empty((10,))
    first.fill(5)
    second = workspace.empty((1000,))
    second.fill(6)

    assert (first == 5).all()
    workspace.release(inner)
    third = workspace.empty((1000,))
    third.fill(7)
    assert not np.shares_memory(first, third)


@pytest.mark.parametrize("optimizer", [SGD(), SGD(nesterov=False), SGD(momentum=0), RMSprop(), Adam()], ids=str)
def test_optimizers_descend_a_badly_scaled_bowl(optimizer):
    scales, params = np.array([1.0, 30.0]), np.array([2.0, -1.0])
    state = optimizer.init(params)

    for _ in range(800):
        optimizer.update(params, scales * params, state, learning_rate=0.01)

    assert state.n_updates == 800
    assert np.abs(params).max() < 0.02


def test_optimizers_keep_float32():
    params = np.ones(3, np.float32)
    for optimizer in (SGD(), RMSprop(), Adam()):
        state = optimizer.init(params)
        optimizer.update(params, np.ones(3, np.float32), state, learning_rate=0.1)
        assert params.dtype == np.float32
        assert all(moment.dtype == np.float32 for moment in state.moments.values())


def test_clipping_shortens_long_gradients_only():
    long, short = np.array([3.0, 4.0]), np.array([0.3, 0.4])

    assert clip_by_global_norm(long, 1.0) == 5
    assert clip_by_global_norm(short, 1.0) == 0.5
    np.testing.assert_allclose(long, [0.6, 0.8])
    np.testing.assert_array_equal(short, [0.3, 0.4])
    assert clip_by_global_norm(np.array([3.0, 4.0]), None) == 5


def test_clipping_survives_squares_that_overflow():
    gradient = np.array([3e30, 4e30], np.float32)

    with np.errstate(over="ignore"):
        assert clip_by_global_norm(gradient, 1.0) == pytest.approx(5e30)

    np.testing.assert_allclose(gradient, [0.6, 0.8], rtol=1e-6)
    with np.errstate(invalid="ignore"):
        assert np.isinf(clip_by_global_norm(np.array([np.inf, 1.0]), None))
        assert np.isnan(clip_by_global_norm(np.array([np.nan, 1.0]), None))


def test_schedules():
    rates = {
        name: [learning_rate_at(name, 0.1, epoch, max_iter=10, n_plateaus=epoch // 5) for epoch in (0, 5, 10, 15)]
        for name in ("constant", "adaptive", "cosine")
    }

    assert rates["constant"] == [0.1] * 4
    np.testing.assert_allclose(rates["adaptive"], [0.1, 0.02, 0.004, 0.0008])
    np.testing.assert_allclose(rates["cosine"][:2], [0.1, 0.05])
    assert 0 < rates["cosine"][2] == rates["cosine"][3] < 0.003


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


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_a_cell_holds_plain_values(cell):
    """So what a file holds of it does not depend on the CPU that wrote it."""
    assert {type(value) for value in vars(CELLS[cell](3)).values()} == {int, str}
