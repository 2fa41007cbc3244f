"""The training loop, its monitor, the full-batch solver and the threads, without an estimator."""

import numpy as np
import pytest
from helpers import batches, make_set

from skrnn.core.data.dataset import Dataset
from skrnn.core.data.samplers import Minibatches, TruncatedBPTT
from skrnn.core.data.sequences import NextTokenSequences
from skrnn.core.model.network import Network
from skrnn.core.training.lbfgs import train_lbfgs
from skrnn.core.training.loop import NonFiniteLossError, TrainingPlan, TrainingState, penalized_loss_gradient, train
from skrnn.core.training.monitor import Observer, TrainingMonitor
from skrnn.core.training.optimizers import Adam
from skrnn.core.workspace import Workspace


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


def test_the_state_is_carried_within_an_epoch(rng):
    network = Network.build_for_tokens("lstm", 3, 4, 3, n_layers=2)
    sequences = NextTokenSequences(rng.integers(0, 3, 11), np.array([10]), np.array([0]))
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


def test_a_monitor_begins_anew_with_what_it_watches():
    """Scores and patience with every change, the schedule with other data only."""
    monitor = TrainingMonitor(tol=0.1, n_iter_no_change=9)

    def watch(criterion, data):
        monitor.watch(criterion, data)
        best = monitor.best_score, monitor.best_params, monitor.best_epoch, monitor.validation_scores
        return best, monitor.n_without_improvement, monitor.first_epoch, monitor.n_plateaus

    nothing = (-np.inf, None, 0, [])
    assert watch("loss", "some") == (nothing, 0, 0, 0)
    for score in (0.5, 0.5, 0.5):
        monitor.end_epoch(np.zeros(1), 1.0, score)
    monitor.n_plateaus = 2

    assert watch("loss", "some") == ((0.5, np.zeros(1), 1, [0.5, 0.5, 0.5]), 2, 0, 2)
    assert watch("another", "some") == (nothing, 0, 0, 2)
    monitor.end_epoch(np.zeros(1), 1.0, 0.5)
    assert watch("another", "others") == (nothing, 0, 4, 0)
    assert monitor.loss_curve == [1.0] * 4


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


class Told(Observer):
    """Takes down what it is told, and ends the training after an epoch of this number."""

    def __init__(self, last):
        self.last, self.told = last, []

    def begin_epoch(self):
        self.told.append("begin")

    def end_epoch(self, monitor, has_converged):
        self.told.append((monitor.n_epochs, has_converged))
        return monitor.n_epochs == self.last


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_one_observer_ends_the_training_and_all_hear_of_it(solver, network, rng):
    data, state, observers = make_set(rng), make_state(network), [Told(2), Told(None)]
    loss_gradient = plain_loss_gradient(network)
    if solver == "adam":
        assert train(network, state, data, make_plan(), loss_gradient, None, observers)
    else:
        assert train_lbfgs(network, state.params, data, 1.0, 30, state.monitor, loss_gradient, observers) is None

    assert observers[0].told == observers[1].told == ["begin", (1, False), "begin", (2, False)]


@pytest.mark.parametrize("learning_rate", ["constant", "adaptive"])
def test_an_observer_hears_at_which_plateau_the_training_ends(learning_rate, network, rng):
    state, observer = make_state(network, tol=10.0, n_iter_no_change=1), Told(None)
    plan = make_plan(learning_rate=learning_rate, learning_rate_init=1e-5)

    assert train(network, state, make_set(rng), plan, plain_loss_gradient(network), None, [observer])

    *others, (last, has_converged) = [told for told in observer.told if told != "begin"]
    assert has_converged
    assert not any(converged for _, converged in others)
    assert last == state.monitor.n_epochs == (3 if learning_rate == "constant" else 5)
