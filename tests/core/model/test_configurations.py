"""What no estimator needs yet is a configuration of the parts that are there: regressors, and labels for every step."""

import numpy as np
import pytest
from helpers import CELL_NAMES, central_differences, relative_error
from numpy.testing import assert_allclose
from scipy.special import xlogy

from skrnn.core.cells import CELLS
from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import Minibatches, TruncatedBPTT
from skrnn.core.data.sequences import NextTokenSequences, PackedSequences
from skrnn.core.limits import Limits
from skrnn.core.model.inputs import DenseInput, Embedding, TokenInput
from skrnn.core.model.losses import AbsoluteError, CrossEntropy, Gaussian, Huber, Poisson, Quantile, SquaredError
from skrnn.core.model.network import Network
from skrnn.core.model.pooling import POOLINGS
from skrnn.core.model.readouts import EveryStep
from skrnn.core.model.stack import RecurrentStack
from skrnn.core.training.loop import TrainingPlan, TrainingState, train
from skrnn.core.training.monitor import TrainingMonitor
from skrnn.core.training.optimizers import Adam
from skrnn.core.workspace import Workspace

F, H, K = 2, 5, 3
RAGGED = [5, 1, 3, 3, 9, 2, 2]
READOUTS = {**POOLINGS, "every step": EveryStep()}
LOSSES = {
    "classes": CrossEntropy(K),
    "number": SquaredError(1),
    "numbers": SquaredError(K, center=(1.0, 0.0, -2.0), scale=(2.0, 1.0, 0.5)),
    "absolute": AbsoluteError(K),
    "huber": Huber(K, delta=0.5),
    "counts": Poisson(K, scale=(2.0, 1.0, 0.5)),
    "quantile": Quantile(1, quantile=0.2),
    "gaussian": Gaussian(2 * K, center=(1.0, 0.0, -2.0), scale=(2.0, 1.0, 0.5)),
}
INPUTS = {"features": DenseInput(F), "tokens": TokenInput(4), "vectors": Embedding(4, F)}
STACKS = {
    "plain": {},
    "stacked": {"n_layers": 2, "dropout": 0.3},
    "bidirectional": {"bidirectional": True},
    "all": {"bidirectional": True, "n_layers": 2, "dropout": 0.3},
}

each_readout = pytest.mark.parametrize("readout", READOUTS.values(), ids=READOUTS)
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
each_input = pytest.mark.parametrize("input_", INPUTS.values(), ids=INPUTS)


SMALL_WINDOWS = Limits(inference_size=1)  # windows of the square root of the steps


def make_network(readout, loss, input_=INPUTS["features"], cell="gru", **kwargs):
    recompute = kwargs.pop("recompute", "auto")
    return Network(RecurrentStack(CELLS[cell](H), input_, **kwargs), readout, loss, recompute=recompute)


def make_params(network, rng):
    """Parameters with no zeros: no gradient can be right by accident."""
    return network.initialize(rng) + 0.3 * rng.standard_normal(network.layout.size)


def make_sequences(input_, rng, lengths=RAGGED):
    lengths = np.array(lengths)
    if isinstance(input_, DenseInput):
        return PackedSequences.from_arrays([rng.standard_normal((n, F)) for n in lengths], np.float64)
    return NextTokenSequences(rng.integers(0, 4, lengths.sum()), lengths, np.cumsum(lengths) - lengths)


def make_data(network, rng, lengths=RAGGED):
    """Random sequences, and a target for each or for each step."""
    sequences, is_per_step = make_sequences(network.stack.input, rng, lengths), network.readout.is_per_step
    n_targets = sequences.n_rows if is_per_step else len(sequences)
    if isinstance(network.loss, CrossEntropy):
        targets = rng.integers(0, K, n_targets)
    elif isinstance(network.loss, Poisson):
        targets = rng.poisson(1.0, (n_targets, network.loss.n_numbers)).astype(float)
    else:
        targets = rng.standard_normal((n_targets, network.loss.n_numbers))
    return Dataset(sequences, targets, rng.uniform(0.5, 2, len(lengths)), is_per_step)


def make_batch(network, data, rng):
    masks = network.batcher.draw_masks(rng, len(data), np.dtype(float))
    return network.batcher.batch(data.sequences, np.arange(len(data)), data.targets, data.weights, masks)


def loss_and_gradient(network, params, batch):
    gradient = np.zeros_like(params)
    loss, _ = network.loss_gradient(params, batch, None, Workspace(params.dtype), gradient)
    return loss, gradient


LOSSES_OF_INPUTS = [(loss, INPUTS["features"]) for loss in LOSSES.values()] + [
    (LOSSES[name], INPUTS[input_]) for name in ("classes", "number") for input_ in ("tokens", "vectors")
]


@each_readout
@pytest.mark.parametrize(("loss", "input_"), LOSSES_OF_INPUTS, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("kwargs", STACKS.values(), ids=STACKS)
def test_gradient_equals_central_differences_in_every_configuration(readout, loss, input_, kwargs, rng):
    """Along a random direction; each parameter on its own below."""
    network = make_network(readout, loss, input_, **kwargs)
    params, data = make_params(network, rng), make_data(network, rng)
    batch, direction = make_batch(network, data, rng), rng.standard_normal(network.layout.size)

    _, gradient = loss_and_gradient(network, params, batch)

    above, below = (loss_and_gradient(network, params + step * direction, batch)[0] for step in (1e-6, -1e-6))
    assert gradient @ direction == pytest.approx((above - below) / 2e-6, rel=1e-6)
    assert (gradient != 0).mean() > 0.5


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("kwargs", STACKS.values(), ids=STACKS)
def test_every_derivative_of_labels_for_each_step(cell, kwargs, rng):
    network = make_network(EveryStep(), CrossEntropy(K), cell=cell, **kwargs)
    params, batch = make_params(network, rng), make_batch(network, make_data(network, rng), rng)

    _, gradient = loss_and_gradient(network, params, batch)

    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], params)
    assert relative_error(gradient, wanted) < 1e-6


@each_readout
@each_loss
def test_ragged_is_the_sum_of_its_parts(readout, loss, rng):
    network = make_network(readout, loss, n_layers=2)
    params, batch = make_params(network, rng), make_batch(network, make_data(network, rng), rng)

    whole = loss_and_gradient(network, params, batch)

    parts = [loss_and_gradient(network, params, batch.take(np.array([k]))) for k in range(len(RAGGED))]
    assert whole[0] == pytest.approx(sum(part[0] for part in parts), rel=1e-12)
    assert_allclose(whole[1], sum(part[1] for part in parts), rtol=1e-10, atol=1e-12)


@each_readout
@pytest.mark.parametrize("bidirectional", [False, True])
def test_activations_that_are_computed_twice_give_the_same(readout, bidirectional, rng):
    whole, cut = (
        make_network(
            readout, SquaredError(K), limits=SMALL_WINDOWS, n_layers=2, bidirectional=bidirectional, recompute=recompute
        )
        for recompute in (False, True)
    )
    params, batch = make_params(whole, rng), make_batch(whole, make_data(whole, rng, [23, 9, 10, 1, 23]), rng)

    loss, gradient = loss_and_gradient(whole, params, batch)
    loss_cut, gradient_cut = loss_and_gradient(cut, params, batch)

    assert loss_cut == pytest.approx(loss, rel=1e-13)
    assert_allclose(gradient_cut, gradient, rtol=1e-10, atol=1e-12)


@each_readout
@each_loss
@pytest.mark.parametrize("bidirectional", [False, True])
def test_predictions_have_the_loss_that_training_lowers(readout, loss, bidirectional, rng):
    network = make_network(readout, loss, bidirectional=bidirectional)
    params, data = make_params(network, rng), make_data(network, rng)

    predicted = network.predict(params, data.sequences, Workspace(np.float64))

    weights = np.repeat(data.weights, data.sequences.lengths) if data.is_per_step else data.weights
    losses = loss_of_predictions(loss, predicted, data.targets)
    got, _ = loss_and_gradient(network, params, make_batch(network, data, rng))
    assert loss.in_units(got / weights.sum()) == pytest.approx(np.average(losses, weights=weights), rel=1e-12)


def loss_of_predictions(loss, predicted, y):
    """Losses (N,) in the units of y, where each number counts as much as if all had the same scale."""
    if isinstance(loss, CrossEntropy):
        return -predicted[np.arange(len(predicted)), y]
    if isinstance(loss, Gaussian):
        mean, std = np.split(predicted, 2, axis=1)
        return (0.5 * np.log(2 * np.pi * std**2) + 0.5 * ((y - mean) / std) ** 2).mean(axis=1)
    scale = np.array(loss.scale or (1.0,))
    error, t = (y - predicted) / scale, y / scale
    if isinstance(loss, SquaredError):
        return (scale**2).mean() * (error**2 / 2).mean(axis=1)
    if isinstance(loss, Huber):
        inside = abs(error) < loss.delta
        return np.where(inside, error**2 / 2, loss.delta * (abs(error) - loss.delta / 2)).mean(axis=1)
    if isinstance(loss, Poisson):
        return scale.mean() * (xlogy(t, y / predicted) - error).mean(axis=1)
    q = loss.quantile if isinstance(loss, Quantile) else 0.5
    pinball = np.maximum(q * error, (q - 1) * error).mean(axis=1)
    return pinball if isinstance(loss, Quantile) else 2 * pinball


@each_readout
@each_input
def test_steps_compose(readout, input_, rng):
    network = make_network(readout, SquaredError(K), input_, cell="lstm", n_layers=2)
    params, sequences = make_params(network, rng), make_sequences(input_, rng, [6, 6, 6])
    workspace = Workspace(np.float64)
    packed, state = network.pack(params, workspace), network.start(3, params.dtype)

    for t in range(6):
        rows = sequences.steps[t::6, :F] if sequences.has_features else sequences.ids[t::6]
        predicted, state = network.step(packed, rows, state, workspace)

    wanted = network.predict(params, sequences, workspace)
    assert_allclose(predicted, wanted[5::6] if readout.is_per_step else wanted, atol=1e-12)


@each_readout
@pytest.mark.parametrize("kwargs", [*STACKS.values(), {"recompute": True}], ids=[*STACKS, "recomputed"])
def test_gradient_of_the_features_is_in_the_order_of_the_data(readout, kwargs, rng):
    network = make_network(readout, SquaredError(1), limits=SMALL_WINDOWS, **kwargs)
    params, data = make_params(network, rng), make_data(network, rng)
    batch = make_batch(network, data, rng)

    got = network.input_gradient(params, batch, Workspace(np.float64))

    steps = data.sequences.steps
    wanted = central_differences(lambda: loss_and_gradient(network, params, batch)[0], steps)[:, :-1]
    assert [d_x.shape for d_x in got] == [(n, F) for n in RAGGED]
    assert relative_error(np.concatenate(got), wanted) < 1e-6


def test_gradient_of_the_vectors_of_tokens_adds_up_to_that_of_the_embedding(rng):
    network = make_network(EveryStep(), CrossEntropy(K), INPUTS["vectors"])
    params, data = make_params(network, rng), make_data(network, rng)
    batch = make_batch(network, data, rng)

    d_x = np.concatenate(network.input_gradient(params, batch, Workspace(np.float64)))

    d_E = np.zeros((4, F))
    np.add.at(d_E, data.sequences.ids, d_x)
    gradient = loss_and_gradient(network, params, batch)[1]
    assert_allclose(d_E, network.layout.views(gradient)["embedding"]["E"], atol=1e-12)


def fit(network, data, sampler, max_iter, batch_size=16):
    rng, workspace, optimizer = np.random.default_rng(0), Workspace(np.float64), Adam()
    params = network.initialize(rng)
    network.layout.views(params)["head"]["b_y"][:] = network.loss.initial_bias(data.targets, np.ones(len(data.targets)))
    state = TrainingState(params, optimizer.init(params), TrainingMonitor(0, max_iter), rng, 0)
    plan = TrainingPlan(optimizer, "constant", 0.02, max_iter, max_iter, sampler, batch_size, True, 0.0, 1.0)

    def loss_gradient(params, batch, state, out):
        return network.loss_gradient(params, batch, state, workspace, out)

    train(network, state, data, plan, loss_gradient)
    return params, state.monitor.loss_curve


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_regressor_learns_a_number_of_each_sequence(pooling, rng):
    """The mean of the first feature."""
    network = make_network(POOLINGS[pooling], SquaredError(1))
    sequences = make_sequences(network.stack.input, rng, rng.integers(1, 9, 80))
    targets = np.array([x[:, 0].mean() for x in sequences.arrays()])
    data = Dataset(sequences, targets, np.ones(80))

    params, losses = fit(network, data, Minibatches(), max_iter=120)

    predicted = network.predict(params, sequences, Workspace(np.float64))[:, 0]
    assert losses[-1] < 0.1 * losses[0]
    assert np.mean((predicted - targets) ** 2) < 0.15 * targets.var()


@pytest.mark.parametrize("sampler", [Minibatches(), TruncatedBPTT(5)], ids=repr)
def test_a_regressor_learns_a_number_of_each_step(sampler, rng):
    """Half of what came, and half of what there was before."""
    network = make_network(EveryStep(), SquaredError(1))
    sequences = make_sequences(network.stack.input, rng, rng.integers(1, 20, 60))
    targets = np.empty(sequences.n_rows)
    for x, y in zip(sequences.arrays(), sequences.views(targets), strict=True):
        for t, value in enumerate(x[:, 0]):
            y[t] = 0.5 * value + 0.5 * (y[t - 1] if t else 0)
    data = Dataset(sequences, targets, np.ones(60), is_per_step=True)

    params, losses = fit(network, data, sampler, max_iter=60)

    predicted = network.predict(params, sequences, Workspace(np.float64))[:, 0]
    assert losses[-1] < 0.1 * losses[0]
    assert np.mean((predicted - targets) ** 2) < 0.1 * targets.var()


@each_input
def test_a_tagger_learns_labels_that_depend_on_what_comes_after(input_, rng):
    """Is the next step's feature, or token, larger than this one's?"""
    network = make_network(EveryStep(), CrossEntropy(2), input_, bidirectional=True)
    sequences = make_sequences(input_, rng, rng.integers(2, 12, 80))
    values = sequences.steps[:, 0] if sequences.has_features else sequences.ids
    labels = (np.append(values[1:], 0) > values).astype(int)
    labels[sequences.offsets + sequences.lengths - 1] = 0
    data = Dataset(sequences, labels, np.ones(80), is_per_step=True)

    params, losses = fit(network, data, Minibatches(), max_iter=60)

    predicted = network.predict(params, sequences, Workspace(np.float64)).argmax(axis=1)
    assert losses[-1] < 0.4 * losses[0]
    assert np.mean(predicted == labels) > 0.9


def test_streams_side_by_side_need_a_target_for_each_step(rng):
    network = make_network(POOLINGS["last"], SquaredError(1))
    batches = TruncatedBPTT(3).batches(make_data(network, rng), network.batcher, 2, rng, np.dtype(float))

    with pytest.raises(ValueError, match="each step needs a target of its own"):
        next(batches)


def test_a_loss_may_give_the_head_its_first_bias(rng):
    targets, weights = rng.standard_normal((6, K)), rng.random(6)

    assert_allclose(SquaredError(K).initial_bias(targets, weights), np.average(targets, axis=0, weights=weights))
    assert not CrossEntropy(K).initial_bias(targets, weights).any()
