"""The training loop, its monitor, the full-batch solver and the threads, without an estimator."""

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn._parallel import sharding
from skrnn.core.cells import CELLS
from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import Minibatches, TruncatedBPTT
from skrnn.core.data.sequences import PackedSequences, TokenSequences
from skrnn.core.model.network import Network
from skrnn.core.training.lbfgs import train_lbfgs
from skrnn.core.training.loop import NonFiniteLossError, TrainingPlan, TrainingState, penalized_loss_gradient, train
from skrnn.core.training.monitor import TrainingMonitor
from skrnn.core.training.optimizers import Adam
from skrnn.core.workspace import Workspace


def make_set(rng, n=20, weights=None):
    """Sequences whose class is the sign of their first step."""
    arrays = [rng.standard_normal((length, 2)) for length in rng.integers(1, 7, n)]
    targets = np.array([int(x[0, 0] > 0) for x in arrays])
    return Dataset(PackedSequences.from_arrays(arrays, np.float64), targets, np.ones(n) if weights is None else weights)


def batches(data, network, batch_size, rng):
    return Minibatches().batches(data, network.batcher, batch_size, rng, np.dtype(float))


def make_plan(**kwargs):
    defaults = {
        "optimizer": Adam(),
        "learning_rate": "constant",
        "learning_rate_init": 0.01,
        "max_iter": 30,
        "schedule_length": 30,
        "sampler": Minibatches(),
        "batch_size": 8,
        "shuffle": True,
        "alpha": 1e-4,
        "max_grad_norm": 1.0,
    }
    return TrainingPlan(**{**defaults, **kwargs})


def make_state(network, **kwargs):
    rng = np.random.default_rng(0)
    params = network.initialize(rng)
    monitor = TrainingMonitor(**{"tol": 1e-4, "n_iter_no_change": 5, **kwargs})
    return TrainingState(params, Adam().init(params), monitor, rng, split_seed=0)


def plain_loss_gradient(network):
    workspace = Workspace(np.float64)
    return lambda params, batch, state, out: network.loss_gradient(params, batch, state, workspace, out)


@pytest.fixture
def network():
    return Network.build("gru", n_inputs=2, hidden_size=6, n_classes=2)


def test_training_lowers_the_loss_and_learns(network, rng):
    data, state = make_set(rng, 60), make_state(network)

    train(network, state, data, make_plan(max_iter=150), plain_loss_gradient(network))

    curve = state.monitor.loss_curve
    assert curve[-1] < 0.1 * curve[0]
    log_proba = network.predict(state.params, data.sequences, Workspace(np.float64))
    assert (log_proba.argmax(axis=1) == data.targets).mean() > 0.95


def test_minibatch_gradients_add_up_to_that_of_the_set(network, rng):
    """The mean over a pass of minibatches is the gradient of the full batch, penalty included."""
    data, params = make_set(rng, 20, weights=rng.random(20)), make_state(network).params
    loss_gradient = plain_loss_gradient(network)

    def gradients(batch_size):
        for batch, _ in batches(data, network, batch_size, rng):
            out = np.empty_like(params)
            yield penalized_loss_gradient(network, params, batch, None, data, 0.3, loss_gradient, out)[0], out

    (whole,) = gradients(20)
    parts = list(gradients(5))

    assert whole[0] == pytest.approx(np.mean([loss for loss, _ in parts]))
    np.testing.assert_allclose(whole[1], np.mean([g for _, g in parts], axis=0), atol=1e-12)


def test_the_state_is_handed_on_within_an_epoch(rng):
    network = Network.build_for_tokens("lstm", 3, 4, 3, n_layers=2)
    sequences = TokenSequences(rng.integers(0, 3, 11), np.array([10]), np.array([0]))
    data = Dataset(sequences, sequences.next_ids, np.ones(1), is_per_step=True)
    loss_gradient, before, after = plain_loss_gradient(network), [], []

    def recorded(params, batch, state, out):
        loss, state_after = loss_gradient(params, batch, state, out)
        before.append(np.array(state.layers))
        after.append(np.array(state_after.layers))
        return loss, state_after

    plan = make_plan(sampler=TruncatedBPTT(4), batch_size=1, max_iter=2)
    train(network, make_state(network), data, plan, recorded)

    assert len(before) == 2 * 3
    assert not np.any([before[0], before[3]])
    assert all(np.all(state != 0) for state in after)
    np.testing.assert_array_equal(before[1:3] + before[4:], after[:2] + after[3:5])


def test_the_penalty_spares_biases(network, rng):
    data, params = make_set(rng), make_state(network).params
    ((batch, _),) = batches(data, network, 20, rng)
    with_penalty, without = np.empty_like(params), np.empty_like(params)

    for alpha, out in ((0.5, with_penalty), (0.0, without)):
        penalized_loss_gradient(network, params, batch, None, data, alpha, plain_loss_gradient(network), out)

    difference = with_penalty - without
    n = network.layout.n_penalized
    np.testing.assert_allclose(difference[:n], 0.5 / 20 * params[:n], atol=1e-14)
    assert not difference[n:].any()


def test_canonical_form_is_the_same_for_repeated_and_for_weighted(rng):
    data = make_set(rng, 6, weights=np.array([1.0, 2.0, 3.0, 1.0, 1.0, 2.0]))
    repeated = data.take(np.repeat(np.arange(6), data.weights.astype(int))[rng.permutation(10)])
    repeated = Dataset(repeated.sequences, repeated.targets, np.ones(10))

    first, second = data.canonical(), repeated.canonical()

    for a, b in zip(first.sequences.arrays(), second.sequences.arrays(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first.targets, second.targets)
    np.testing.assert_array_equal(first.weights, second.weights)


def test_equal_sequences_with_different_labels_stay_apart():
    data = Dataset(PackedSequences.from_arrays([np.ones((2, 1))] * 3, float), np.array([0, 1, 0]), np.ones(3))

    assert data.canonical().targets.tolist() == [0, 1]
    assert data.canonical().weights.tolist() == [2, 1]


def test_equal_steps_in_sequences_of_other_shape_stay_apart():
    arrays = [np.ones((2, 1)), np.ones((3, 1))]
    data = Dataset(PackedSequences.from_arrays(arrays, float), np.array([0, 0]), np.ones(2))

    assert data.canonical().sequences.lengths.tolist() == [2, 3]


def test_monitor_follows_the_best():
    monitor = TrainingMonitor(tol=0.1, n_iter_no_change=2)
    params = np.zeros(1)

    at_plateau = []
    for epoch, loss in enumerate([1.0, 0.5, 0.45, 0.44, 0.46], start=1):
        params[0] = epoch
        at_plateau.append(monitor.end_epoch(params, loss))

    assert at_plateau == [False, False, False, False, True]  # 0.45, 0.44 and 0.46 are no improvement by 0.1
    assert monitor.best_params.tolist() == [4]
    assert monitor.best_epoch == 4


def test_adaptive_rate_falls_at_plateaus_before_training_ends(network, rng):
    state = make_state(network, tol=10.0, n_iter_no_change=1)  # nothing improves by so much

    has_converged = train(
        network,
        state,
        make_set(rng),
        make_plan(learning_rate="adaptive", learning_rate_init=1e-3, max_iter=100),
        plain_loss_gradient(network),
    )

    assert has_converged
    assert state.monitor.n_plateaus == 4  # 1e-3 / 5**4 is 1.6e-6, and a fifth of that is below the least rate
    assert state.monitor.n_epochs == 3 + 4 * 2


def test_a_loss_that_is_not_finite_says_where(network, rng):
    data, state = make_set(rng), make_state(network)
    data.sequences.steps[0, 0] = np.nan

    with np.errstate(invalid="ignore"), pytest.raises(NonFiniteLossError, match="became nan in epoch 1, batch 1") as e:
        train(network, state, data, make_plan(batch_size=20), plain_loss_gradient(network))

    assert (e.value.epoch, e.value.batch) == (1, 1)


def test_lbfgs_finds_a_stationary_point(network, rng):
    data, state = make_set(rng), make_state(network, tol=1e-5)

    message = train_lbfgs(network, state.params, data, 1.0, 2000, state.monitor, plain_loss_gradient(network))

    gradient = np.empty_like(state.params)
    ((batch, _),) = batches(data, network, 20, rng)
    loss, _ = penalized_loss_gradient(
        network, state.params, batch, None, data, 1.0, plain_loss_gradient(network), gradient
    )
    assert message is None
    assert np.abs(gradient).max() < 1e-3
    assert state.monitor.loss_curve[-1] == pytest.approx(loss)
    assert np.all(np.diff(state.monitor.loss_curve) <= 1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_shards_add_up(bidirectional, rng, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.n_shards", lambda n_threads, *_: n_threads)
    network = Network.build("lstm", 2, 6, 2, bidirectional=bidirectional, dropout=0.3)
    data, params = make_set(rng, 21), network.initialize(rng)
    ((batch, _),) = batches(data, network, 21, rng)
    results = []
    for shards in (1, 2, 3, 3):
        loss_gradient = sharding.sharded_loss_gradient(network, params.dtype, shards)
        out = np.zeros_like(params)
        results.append((loss_gradient(params, batch, None, out)[0], out))

    for loss, out in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-12)
        np.testing.assert_allclose(out, results[0][1], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(results[2][1], results[3][1])


def test_more_shards_than_sequences(rng, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.n_shards", lambda n_threads, *_: n_threads)
    network = Network.build("tanh", 2, 3, 2)
    data, params = make_set(rng, 2), network.initialize(rng)
    ((batch, _),) = batches(data, network, 2, rng)

    loss_gradient = sharding.sharded_loss_gradient(network, params.dtype, 4)
    assert np.isfinite(loss_gradient(params, batch, None, np.zeros_like(params))[0])


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("n_steps", [3, 3000])
def test_predictions_large_and_small_hold_blas_at_one_thread(rng, monkeypatch, n_steps):
    """Two threads took 1,600 ms instead of 30 for 32 sequences of 100 steps on a busy machine."""
    monkeypatch.setattr("skrnn._parallel.sharding.MIN_SHARD_UNITS", 10_000)
    seen, data = [], PackedSequences.from_rectangle(rng.standard_normal((2, n_steps, 1)))

    def predict(part, workspace):
        seen.extend(blas_threads())
        return part.lengths

    with threadpool_limits(3, user_api="blas"):
        sharding.predict_in_shards(predict, data, 8, np.dtype(float), n_jobs=1)
        assert set(blas_threads()) == {3}

    assert set(seen) == {1}


@pytest.mark.parametrize(
    ("cell", "hidden_size", "n_columns", "is_dealt"),
    [
        ("tanh", 64, 64, False),
        ("tanh", 64, 128, True),
        ("tanh", 128, 32, False),
        ("gru", 64, 64, False),
        ("gru", 128, 32, True),
        ("lstm", 64, 32, False),
        ("lstm", 128, 16, False),
        ("lstm", 128, 32, True),
        ("lstm", 256, 1, False),
    ],
)
def test_only_batches_with_enough_work_a_step_are_dealt(cell, hidden_size, n_columns, is_dealt, monkeypatch):
    monkeypatch.setattr("sys._is_gil_enabled", lambda: True, raising=False)

    assert sharding.n_shards(4, CELLS[cell](hidden_size), n_columns) == (4 if is_dealt else 1)


@pytest.mark.parametrize(("is_locked", "shards"), [(True, 1), (False, 4)])
def test_threads_without_a_common_lock_share_smaller_batches(is_locked, shards, monkeypatch):
    monkeypatch.setattr("sys._is_gil_enabled", lambda: is_locked, raising=False)

    assert sharding.n_shards(4, CELLS["tanh"](64), 64) == shards
    assert sharding.n_shards(4, CELLS["tanh"](32), 32) == 1


@pytest.mark.parametrize(("lengths", "n_threads"), [((9,) * 8, 2), ((9,) + (1,) * 7, 1)], ids=["wide", "narrow"])
def test_a_batch_is_dealt_by_how_wide_it_is_on_average(lengths, n_threads, rng, monkeypatch):
    network = Network.build("relu", 2, 6, 2)  # which pads nothing
    monkeypatch.setattr("sys._is_gil_enabled", lambda: True, raising=False)
    monkeypatch.setattr("skrnn._parallel.sharding.MIN_STEP_WORK", 6 * (6 + 64) * 6)
    data = Dataset(PackedSequences.from_arrays([np.ones((n, 2)) for n in lengths], float), np.arange(8) % 2, np.ones(8))
    ((batch, _),) = batches(data, network, 8, rng)
    params, used = network.initialize(rng), set()
    forward = type(network.stack).forward

    def recorded(*args):
        used.add(threading.get_ident())
        time.sleep(0.05)  # so that no thread does the other one's part
        return forward(*args)

    monkeypatch.setattr(type(network.stack), "forward", recorded)
    loss_gradient = sharding.sharded_loss_gradient(network, params.dtype, 2)
    loss_gradient(params, batch, None, np.zeros_like(params))

    assert len(used) == n_threads
