"""RNNSequenceClassifier: what it learns, what it remembers, when it stops, and what it says."""

import re
import warnings
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import interrupt_update
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn import RNNSequenceClassifier
from skrnn.core.cells import CELLS
from skrnn.core.limits import Limits
from skrnn.core.model.stack import RecurrentStack

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

STOCHASTIC = ["adam", "sgd", "rmsprop"]


def make(**params):
    """Make a classifier that fits in milliseconds."""
    defaults = {"hidden_size": 4, "max_iter": 5, "learning_rate_init": 0.01, "random_state": 0}
    return RNNSequenceClassifier(**{**defaults, **params})


@pytest.fixture
def X(rng):
    """24 sequences of 1 to 7 steps and 2 features."""
    return [rng.normal(i % 2, 1, size=(n, 2)) for i, n in enumerate(rng.integers(1, 8, size=24))]


@pytest.fixture
def y():
    return np.arange(24) % 2


def params_of(model):
    return np.concatenate([array.ravel() for array in model.weights_.values()])


def squared_norm(model):
    return sum((array**2).sum() for array in model.weights_.values() if array.ndim == 2)


# Learning


def remember_the_first_step(rng, n):
    X = [rng.normal(0, 0.3, size=(length, 1)) for length in rng.integers(2, 9, size=n)]
    y = rng.integers(0, 2, size=n)
    for x, label in zip(X, y):
        x[0] += 2 * label - 1
    return X, np.array(["down", "up"])[y]


@pytest.mark.parametrize("cell", sorted(CELLS))
@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"bidirectional": True, "n_layers": 2}], ids=str)
def test_learns_to_remember(rng, cell, params):
    X, y = remember_the_first_step(rng, 200)
    model = RNNSequenceClassifier(12, cell=cell, max_iter=50, batch_size=25, random_state=0, **params)

    model.fit(X[:100], y[:100])

    assert model.score(X[100:], y[100:]) > 0.95


@pytest.mark.parametrize("params", [{"solver": solver} for solver in STOCHASTIC] + [{"pooling": "max"}], ids=str)
def test_learns_otherwise(rng, params):
    X, y = remember_the_first_step(rng, 200)
    model = RNNSequenceClassifier(12, max_iter=60, batch_size=10, random_state=0, **params)

    model.fit(X[:100], y[:100])

    assert model.score(X[100:], y[100:]) > 0.95


@pytest.mark.parametrize("schedule", ["constant", "adaptive", "cosine"])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_every_schedule_and_pooling_lowers_the_loss(X, y, schedule, pooling):
    model = make(learning_rate=schedule, pooling=pooling, max_iter=30).fit(X, y)
    assert model.loss_ < 0.9 * model.loss_curve_[0]


def test_smallest_possible_problem():
    """One sequence, one step, one feature, one class."""
    model = make().fit([[0.5]], ["only"])

    assert_array_equal(model.predict([[0.5]]), ["only"])
    assert_array_equal(model.predict_proba([[0.5]]), [[1.0]])
    assert_array_equal(model.predict_log_proba([[0.5]]), [[0.0]])


# Fitted attributes


@pytest.mark.parametrize("solver", [*STOCHASTIC, "lbfgs"])
def test_attributes(X, y, solver):
    model = make(solver=solver).fit(X, y)

    assert_array_equal(model.classes_, [0, 1])
    assert (model.n_features_in_, model.n_inputs_) == (2, 2)
    assert model.n_iter_ == len(model.loss_curve_) == 5
    assert all(type(loss) is float for loss in model.loss_curve_)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.validation_scores_ is None
    assert model.best_validation_score_ is None
    assert not hasattr(model, "feature_names_in_")


def test_attributes_with_early_stopping(X, y):
    model = make(early_stopping=True).fit(X, y)

    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None


def test_a_table_is_univariate_sequences(rng):
    X = pd.DataFrame(rng.normal(size=(6, 3)), columns=["mon", "tue", "wed"])

    model = make().fit(X, [0, 1] * 3)

    assert (model.n_features_in_, model.n_inputs_) == (3, 1)
    assert_array_equal(model.feature_names_in_, ["mon", "tue", "wed"])
    assert model.weights_["rnn.0.W_x"].shape == (12, 1)


@pytest.mark.parametrize("solver", [*STOCHASTIC, "lbfgs"])
def test_another_fit_forgets_everything(X, y, rng, solver):
    model = make(solver=solver).fit(X, y)
    other = rng.normal(size=(6, 3, 5)), ["a", "b", "c"] * 2

    model.fit(*other)

    assert model.n_features_in_ == 5
    assert_array_equal(model.classes_, ["a", "b", "c"])
    assert model.loss_curve_ == make(solver=solver).fit(*other).loss_curve_


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["b", "a"], ["a", "b"]),
        (np.array(["b", "a"], dtype=object), np.array(["a", "b"], dtype=object)),
        (np.array([True, False]), np.array([False, True])),
        (np.array([3, -1]), np.array([-1, 3])),
        (np.array([7, 2], dtype=np.uint8), np.array([2, 7], dtype=np.uint8)),
        (np.array([1.0, 0.0]), np.array([0.0, 1.0])),
    ],
)
def test_labels_keep_their_type(X, labels, classes):
    y = np.asarray(labels)[np.arange(24) % 2]

    model = make().fit(X, y)

    assert_array_equal(model.classes_, classes, strict=True)
    assert model.predict(X).dtype == y.dtype


def test_predict_takes_the_likeliest_class(X):
    model = make(max_iter=20).fit(X, np.array(["c", "a", "b"])[np.arange(24) % 3])
    proba = model.predict_proba(X)

    assert proba.shape == (24, 3)
    assert_allclose(proba.sum(axis=1), 1)
    assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    assert_allclose(np.exp(model.predict_log_proba(X)), proba)


@pytest.mark.parametrize(
    ("params", "shapes"),
    [
        ({"cell": "tanh"}, {"rnn.0.W_x": (4, 2), "rnn.0.W_h": (4, 4), "rnn.0.b": (4,)}),
        ({"cell": "lstm"}, {"rnn.0.W_x": (16, 2), "rnn.0.W_h": (16, 4), "rnn.0.b": (16,)}),
        ({"cell": "gru"}, {"rnn.0.W_x": (12, 2), "rnn.0.W_h": (12, 4), "rnn.0.b": (12,), "rnn.0.b_hn": (4,)}),
    ],
    ids=str,
)
def test_names_and_shapes_of_weights(X, y, params, shapes):
    model = make(**params).fit(X, y)
    assert {name: array.shape for name, array in model.weights_.items()} == {
        **shapes,
        "head.W_y": (2, 4),
        "head.b_y": (2,),
    }


def test_names_of_deep_weights(X, y):
    model = make(cell="tanh", n_layers=2, bidirectional=True).fit(X, y)

    assert {name.rpartition(".")[0] for name in model.weights_} == {
        "rnn.0",
        "rnn.0.reverse",
        "rnn.1",
        "rnn.1.reverse",
        "head",
    }
    assert model.weights_["rnn.1.reverse.W_x"].shape == (4, 8)
    assert model.weights_["head.W_y"].shape == (2, 8)


def test_writing_to_weights_changes_predictions(X, y):
    model = make().fit(X, y)

    model.weights_["head.W_y"][:] = 0
    model.weights_["head.b_y"][:] = [0, np.log(3)]

    assert_allclose(model.predict_proba(X), np.tile([0.25, 0.75], (24, 1)))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_not_fitted(X, method):
    with pytest.raises(NotFittedError, match="This RNNSequenceClassifier instance is not fitted yet"):
        getattr(RNNSequenceClassifier(), method)(X)


def test_parameters_set_after_a_fit_wait_for_the_next_one(X, y):
    model = make().fit(X, y)
    proba = model.predict_proba(X)

    model.set_params(hidden_size=9, cell="lstm", n_layers=2, pooling="max", bidirectional=True, solver="lbfgs")

    assert_array_equal(model.predict_proba(X), proba)
    assert model.fit(X, y).weights_["rnn.1.reverse.W_h"].shape == (36, 9)


@pytest.mark.parametrize(
    "params", [{}, {"solver": "lbfgs"}, {"n_layers": 2, "pooling": "max", "dropout": 0.2}], ids=str
)
def test_activations_computed_twice_are_the_same(X, y, params, monkeypatch):
    several_windows = partial(RecurrentStack, limits=Limits(inference_size=1))
    monkeypatch.setattr("skrnn.core.model.network.RecurrentStack", several_windows)
    assert_allclose(
        make(recompute=True, **params).fit(X, y).predict_proba(X), make(**params).fit(X, y).predict_proba(X), atol=1e-8
    )


@pytest.mark.parametrize(
    ("lay", "is_shared"),
    [
        (lambda X: X, True),
        (lambda X: X[3:], True),
        (lambda X: np.asfortranarray(X), False),
        (lambda X: np.repeat(X, 2, axis=2)[:, :, ::2], True),
        (lambda X: np.repeat(X, 2, axis=2)[:, :, 1:3], True),
        (lambda X: X[:, ::-1], False),
    ],
    ids=["all", "the last ones", "Fortran", "every second feature", "some features", "reversed"],
)
@pytest.mark.parametrize("n_features", [1, 2, 3])
def test_an_array_is_read_where_it_lies(n_features, lay, is_shared, rng):
    X, y = rng.standard_normal((9, 6, n_features)), np.arange(9) % 3
    X.flags.writeable = False
    read = lay(X)
    model = make(max_iter=2).fit(list(read), y[: len(read)])
    before = read.copy()

    assert_array_equal(model.predict_proba(read), model.predict_proba(list(read)))
    assert_array_equal(read, before)
    assert np.shares_memory(model._fitted.reading.to_predict(read).steps, read) == is_shared


def test_the_last_steps_are_enough_where_the_classes_differ_there(rng):
    X, y = rng.standard_normal((80, 60, 1)) / 10, np.arange(80) % 2
    X[y == 1, -5:] += 1
    model = RNNSequenceClassifier(8, cell="tanh", bptt_steps=10, batch_size=16, max_iter=30, random_state=0, tol=0)

    assert model.set_params(learning_rate="cosine").fit(X, y).score(X, y) == 1


# Objective

STANDING_STILL = {"learning_rate_init": 1e-12, "max_iter": 1}


@pytest.mark.parametrize("batch_size", ["auto", 5])
@pytest.mark.parametrize("alpha", [0, 0.7])
def test_loss_is_the_weighted_mean_and_the_penalty(X, y, rng, alpha, batch_size):
    weights = rng.uniform(0.1, 3, size=24)

    model = make(alpha=alpha, batch_size=batch_size, **STANDING_STILL).fit(X, y, weights)

    expected = log_loss(y, model.predict_proba(X), sample_weight=weights)
    expected += 0.5 * alpha * squared_norm(model) / weights.sum()
    assert_allclose(model.loss_, expected, rtol=1e-6)


def test_biases_are_not_penalised(X, y):
    model = make(alpha=1e4, max_iter=300, learning_rate_init=0.05).fit(X, np.where(y, y, np.arange(24) % 3 == 0))
    assert squared_norm(model) < 1e-2
    assert abs(model.weights_["head.b_y"]).max() > 0.05


def test_lbfgs_minimises_the_same_loss(X, y):
    model = make(solver="lbfgs", alpha=0.5, max_iter=20).fit(X, y)

    expected = log_loss(y, model.predict_proba(X)) + 0.5 * 0.5 * squared_norm(model) / 24
    assert_allclose(model.loss_, expected, rtol=1e-9)


# Class and sample weights


@pytest.mark.parametrize("given", [None, np.linspace(0.5, 2, 24)], ids=["unweighted", "weighted"])
@pytest.mark.parametrize(
    ("class_weight", "factors"),
    [({0: 1.0, 1: 3.0}, [1.0, 3.0]), ({1: 3.0}, [1.0, 3.0]), ({0: 0.0}, [0.0, 1.0])],
    ids=str,
)
def test_class_weight_multiplies_sample_weight(X, y, given, class_weight, factors):
    by_class = make(class_weight=class_weight).fit(X, y, given)
    by_sample = make().fit(X, y, np.array(factors)[y] * (1 if given is None else given))

    assert_array_equal(by_class.predict_proba(X), by_sample.predict_proba(X))
    assert_array_equal(by_class.classes_, [0, 1])


def test_balanced_classes_have_equal_weight(X):
    y = (np.arange(24) % 4 == 0).astype(int)  # 18 and 6
    balanced = make(class_weight="balanced").fit(X, y)
    weighted = make().fit(X, y, np.array([24 / (2 * 18), 24 / (2 * 6)])[y])
    assert_allclose(balanced.predict_proba(X), weighted.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("class_weight", ["balanced", {0: 2.0, 2: 1.0}], ids=str)
def test_a_class_may_have_weight_zero_throughout(X, class_weight):
    y = np.arange(24) % 3

    model = make(class_weight=class_weight).fit(X, y, np.where(y == 2, 0.0, 1.0))

    assert_array_equal(model.classes_, [0, 1, 2])
    assert np.isfinite(model.predict_proba(X)).all()


def test_class_weight_in_partial_fit_may_name_a_class_that_the_batch_lacks(X, y):
    model = make(class_weight={1: 2.0, 2: 5.0}).partial_fit(X, y, classes=[0, 1, 2])
    expected = make().partial_fit(X, y, np.where(y == 1, 2.0, 1.0), classes=[0, 1, 2])

    assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-307, 1e-50, 1e30, 1e307])
def test_only_the_ratios_of_weights_matter_however_small_or_large(X, y, rng, dtype, scale):
    X, weights = [x.astype(dtype) for x in X], rng.uniform(0.5, 2, size=24)

    scaled = make(alpha=0).fit(X, y, scale * weights)

    assert_allclose(scaled.loss_curve_, make(alpha=0).fit(X, y, weights).loss_curve_, rtol=1e-5)


def test_a_sequence_of_weight_zero_is_absent_with_early_stopping_too(X, y):
    kept = np.arange(24) >= 8

    weighted = make(early_stopping=True, validation_fraction=0.25).fit(X, y, kept.astype(float))
    without = make(early_stopping=True, validation_fraction=0.25).fit(X[8:], y[8:], np.ones(16))

    assert weighted.validation_scores_ == without.validation_scores_
    assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_lbfgs_is_full_batch_for_any_number_of_sequences(rng):
    """Weights repeat sequences to the last bit, whatever batch_size is."""
    X = [rng.normal(i % 2, 1, size=(1 + i % 3, 1)) for i in range(210)]
    y, weights = np.arange(210) % 2, rng.integers(1, 3, size=210)
    repeated = rng.permutation(np.repeat(np.arange(210), weights))

    weighted = make(solver="lbfgs", max_iter=40).fit(X, y, weights)
    unweighted = make(solver="lbfgs", max_iter=40).fit([X[i] for i in repeated], y[repeated])

    assert_array_equal(weighted.predict_proba(X), unweighted.predict_proba(X))


# Stopping


def test_stops_when_the_loss_stops_improving(X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make(tol=0.01, n_iter_no_change=3, max_iter=500).fit(X, y)

    improvement = -np.diff(np.minimum.accumulate(model.loss_curve_))
    assert 5 < model.n_iter_ < 500
    assert (improvement[-4:] < 0.01).all()


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_says_that_it_did_not_converge(X, y, solver):
    message = (
        "RNNSequenceClassifier stopped after max_iter=5 epochs, before its loss had stopped improving by tol=0.0001. "
        "Raise max_iter"
    )
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        make(solver=solver).fit(X, y)
    assert caught[0].filename == __file__


def test_lbfgs_advises_on_what_it_uses(X, y):
    with pytest.warns(ConvergenceWarning, match="max_iter=5") as caught:
        make(solver="lbfgs").fit(X, y)
    assert "learning_rate_init" not in str(caught[0].message)


def test_adaptive_rate_goes_on_after_a_plateau(X, y):
    constant = make(tol=0.02, n_iter_no_change=2, max_iter=500).fit(X, y)
    adaptive = make(tol=0.02, n_iter_no_change=2, max_iter=500, learning_rate="adaptive").fit(X, y)

    assert adaptive.n_iter_ > constant.n_iter_
    assert adaptive.loss_curve_[: constant.n_iter_] == constant.loss_curve_


def test_a_batch_larger_than_the_data_is_clipped(X, y):
    with pytest.warns(UserWarning, match="batch_size=25 is more than the 24 training sequences; 24 is used") as caught:
        model = make(batch_size=25, tol=10, n_iter_no_change=1).fit(X, y)
    assert caught[0].filename == __file__
    assert_array_equal(model.predict_proba(X), make(tol=10, n_iter_no_change=1).fit(X, y).predict_proba(X))


@pytest.mark.filterwarnings("error:batch_size")
def test_lbfgs_has_no_batches_to_warn_of(X, y):
    make(solver="lbfgs", batch_size=25).fit(X, y)


# Early stopping


@pytest.fixture
def X_val(rng):
    return [rng.normal(i % 2, 1, size=(3, 2)) for i in range(10)]


@pytest.fixture
def y_val():
    return np.arange(10) % 2


OVERFITTING = {"early_stopping": True, "max_iter": 200, "learning_rate_init": 0.1, "n_iter_no_change": 5}


def test_best_parameters_are_restored(X, y, X_val, y_val):
    model = make(**OVERFITTING).fit(X, y, X_val=X_val, y_val=y_val)

    best = int(np.argmax(model.validation_scores_))
    assert best < model.n_iter_ - 1  # the last epoch was not the best
    assert_allclose(-log_loss(y_val, model.predict_proba(X_val)), model.validation_scores_[best], rtol=1e-12)
    assert_array_equal(
        model.predict_proba(X),
        clone(model).set_params(max_iter=best + 1).fit(X, y, X_val=X_val, y_val=y_val).predict_proba(X),
    )


def mean_probability(estimator, X, y):
    return estimator.predict_proba(X)[np.arange(len(y)), y].mean()


@pytest.mark.parametrize(
    ("scoring", "metric"),
    [
        ("accuracy", lambda model, X, y: model.score(X, y)),
        (None, lambda model, X, y: model.score(X, y)),
        ("neg_log_loss", lambda model, X, y: -log_loss(y, model.predict_proba(X))),
        ("loss", lambda model, X, y: -log_loss(y, model.predict_proba(X))),
        (mean_probability, mean_probability),
    ],
    ids=["accuracy", "None", "neg_log_loss", "loss", "callable"],
)
def test_scoring(X, y, X_val, y_val, scoring, metric):
    model = make(scoring=scoring, **OVERFITTING).fit(X, y, X_val=X_val, y_val=y_val)

    assert_allclose(model.best_validation_score_, metric(model, X_val, y_val))
    assert max(model.validation_scores_) > model.validation_scores_[0]


def test_validation_weights(X, y, X_val, y_val):
    weights = np.linspace(0, 3, 10)
    for scoring in ("loss", "neg_log_loss"):
        model = make(early_stopping=True, scoring=scoring)
        model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
        expected = -log_loss(y_val, model.predict_proba(X_val), sample_weight=weights)
        assert_allclose(model.best_validation_score_, expected)


class Recorder:
    """A scorer that remembers what it was called with."""

    def __init__(self, *scores):
        self.scores = list(scores)
        self.X = []
        self.y = []

    def __call__(self, estimator, X, y):
        self.X.append([np.array(x) for x in X])
        self.y.append(y)
        score = self.scores.pop(0) if self.scores else 0.5
        if score is KeyboardInterrupt:
            raise score
        return score


def test_held_out_part_is_stratified_and_not_learned_from(X, y):
    y = np.array(["no", "yes"])[y]
    scorer = Recorder()
    model = make(early_stopping=True, validation_fraction=0.25, scoring=scorer).fit(X, y)

    (X_held, y_held) = scorer.X[0], scorer.y[0]
    held = [next(i for i, x in enumerate(X) if np.array_equal(x, x_held)) for x_held in X_held]
    rest = np.setdiff1d(np.arange(24), held)
    explicit = clone(model).fit([X[i] for i in rest], y[rest], X_val=X_held, y_val=y_held)

    assert len(set(held)) == 6
    assert sorted(y_held) == ["no"] * 3 + ["yes"] * 3
    assert_array_equal(y_held, y[held])
    assert explicit.loss_curve_ == model.loss_curve_


def test_held_out_part_is_the_same_across_warm_starts(X, y):
    scorer = Recorder()
    model = make(early_stopping=True, warm_start=True, scoring=scorer, random_state=None)

    model.fit(X, y).fit(X, y)

    assert len(scorer.X) == 10
    for X_held in scorer.X[1:]:
        for x, x_first in zip(X_held, scorer.X[0], strict=True):
            assert_array_equal(x, x_first)


def test_a_rare_class_can_be_held_out_or_not(X, y):
    y[0] = 2  # a single sequence, which cannot be split
    model = make(early_stopping=True).fit(X, y)
    assert_array_equal(model.classes_, [0, 1, 2])


def test_sequences_to_validate_need_early_stopping(X, y, X_val, y_val):
    with pytest.raises(ValueError, match=r"X_val and y_val are passed to fit, but early_stopping is False. Set"):
        make().fit(X, y, X_val=X_val, y_val=y_val)


@pytest.mark.parametrize(("given", "missing"), [("X_val", "y_val"), ("y_val", "X_val")])
def test_sequences_to_validate_come_with_labels(X, y, X_val, y_val, given, missing):
    validation = {"X_val": X_val, "y_val": y_val}
    with pytest.raises(ValueError, match=f"{given} is provided, but {missing} was not provided. Pass both."):
        make(early_stopping=True).fit(X, y, **{given: validation[given]})


@pytest.mark.parametrize("early_stopping", [True, False])
def test_weights_to_validate_come_with_sequences(X, y, early_stopping):
    with pytest.raises(ValueError, match="sample_weight_val"):
        make(early_stopping=early_stopping).fit(X, y, sample_weight_val=np.ones(3))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"early_stopping": True}, "solver='lbfgs' does not support early_stopping=True. Use adam, sgd or rmsprop."),
        ({"dropout": 0.1}, "solver='lbfgs' needs dropout=0, got 0.1. Use adam, sgd or rmsprop."),
    ],
    ids=str,
)
def test_what_lbfgs_cannot_do(X, y, params, message):
    with pytest.raises(ValueError, match=message):
        make(solver="lbfgs", **params).fit(X, y)


@pytest.mark.parametrize("params", [{"bidirectional": True}, {"solver": "lbfgs"}], ids=str)
def test_what_cannot_be_truncated(X, y, params):
    (given,) = (f"{name}={value!r}" for name, value in params.items())
    with pytest.raises(ValueError, match=f"{given} .*, but bptt_steps=5. Use bptt_steps=None"):
        make(bptt_steps=5, **params).fit(X, y)


# partial_fit

ROUTINES = [
    {},
    {"batch_size": 5, "dropout": 0.3},
    {"batch_size": 5, "shuffle": False, "cell": "lstm", "n_layers": 2, "bidirectional": True},
    {"solver": "sgd"},
    {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
    {"solver": "rmsprop", "batch_size": 7},
]


@pytest.mark.parametrize("params", ROUTINES, ids=str)
def test_partial_fit_is_one_epoch(X, y, params):
    by_parts = make(**params).partial_fit(X, y, classes=[0, 1])
    for _ in range(4):
        by_parts.partial_fit(X, y)

    at_once = make(**params).fit(X, y)

    assert by_parts.loss_curve_ == at_once.loss_curve_
    assert_array_equal(params_of(by_parts), params_of(at_once))


def test_partial_fit_goes_on_after_fit(X, y):
    model = make().fit(X, y).partial_fit(X, y)

    assert model.n_iter_ == 6
    assert_array_equal(params_of(model), params_of(make(max_iter=6).fit(X, y)))


def test_partial_fit_learns_from_batches_without_all_classes(X, y):
    model = make(learning_rate_init=0.05)
    for _ in range(30):
        for label in (0, 1):
            batch = np.flatnonzero(y == label)
            model.partial_fit([X[i] for i in batch], y[batch], classes=[0, 1])

    assert model.n_iter_ == 60
    assert_array_equal(model.classes_, [0, 1])


@pytest.mark.filterwarnings("error::sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_does_not_speak_of_convergence(X, y):
    make().partial_fit(X, y, classes=[0, 1])


def test_first_partial_fit_needs_classes(X, y):
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        make().partial_fit(X, y)


@pytest.mark.parametrize("y_new", [[0, 1, 2, 1], ["a", "b", "a", "b"]], ids=str)
def test_partial_fit_knows_its_classes(X, y, y_new):
    model = make().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"which is not one of the classes \[0, 1\] that came before"):
        model.partial_fit(X[:4], y_new)


def test_classes_cannot_change(X, y):
    model = make().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="classes"):
        model.partial_fit(X, y, classes=[0, 1, 2])


def test_partial_fit_has_nothing_to_hold_out(X, y):
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        make(early_stopping=True).partial_fit(X, y, classes=[0, 1])


def test_lbfgs_has_no_partial_fit():
    assert not hasattr(make(solver="lbfgs"), "partial_fit")
    assert hasattr(make(), "partial_fit")


# warm_start


@pytest.mark.parametrize(
    "params",
    [
        *ROUTINES,
        {"early_stopping": True, "dropout": 0.2},
        {"learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 1},
    ],
    ids=str,
)
def test_two_and_three_epochs_are_five(X, y, params):
    in_parts = make(warm_start=True, max_iter=2, **params).fit(X, y).set_params(max_iter=3).fit(X, y)
    at_once = make(**params).fit(X, y)

    assert in_parts.loss_curve_ == at_once.loss_curve_
    assert in_parts.validation_scores_ == at_once.validation_scores_
    assert_array_equal(params_of(in_parts), params_of(at_once))


def test_patience_survives_a_warm_start(X, y):
    at_once = make(tol=0.01, n_iter_no_change=4, max_iter=500).fit(X, y)
    in_parts = make(tol=0.01, n_iter_no_change=4, max_iter=at_once.n_iter_ - 2, warm_start=True).fit(X, y)

    in_parts.set_params(max_iter=500).fit(X, y)

    assert in_parts.n_iter_ == at_once.n_iter_


def test_lbfgs_goes_on(X, y):
    model = make(solver="lbfgs", warm_start=True).fit(X, y)
    loss = model.loss_

    model.fit(X, y)

    assert model.loss_ < loss
    assert model.n_iter_ == len(model.loss_curve_) == 10


def test_the_solver_can_change_in_between(X, y):
    model = make(warm_start=True).fit(X, y)
    for solver in ("sgd", "lbfgs", "rmsprop", "adam"):
        model.set_params(solver=solver).fit(X, y)
    assert model.n_iter_ == 25
    assert model.loss_ < model.loss_curve_[0]


@pytest.mark.parametrize(
    "params", [{"hidden_size": 5}, {"cell": "tanh"}, {"n_layers": 2}, {"bidirectional": True}], ids=str
)
def test_the_shape_cannot_change_in_between(X, y, params):
    model = make(warm_start=True).fit(X, y).set_params(**params)
    with pytest.raises(ValueError, match="cannot change while training continues"):
        model.fit(X, y)


def test_early_stopping_that_begins_later_has_its_own_best(X, y, X_val, y_val):
    """Its scores are not compared with training losses."""
    model = make(warm_start=True, max_iter=100, learning_rate_init=0.05).fit(X, y)

    model.set_params(early_stopping=True, max_iter=5).fit(X, y, X_val=X_val, y_val=y_val)

    assert model.best_validation_score_ == max(model.validation_scores_)
    assert_allclose(-log_loss(y_val, model.predict_proba(X_val)), model.best_validation_score_)


def test_patience_that_goes_on_without_early_stopping_is_about_the_loss(X, y):
    """An accuracy of 1 is no loss to beat."""
    model = make(warm_start=True, early_stopping=True, scoring=Recorder(1.0)).fit(X, y)

    model.set_params(early_stopping=False, max_iter=30, tol=1e-8).fit(X, y)

    assert model.n_iter_ == 35


# Ctrl-C and divergence


def training_loss(model, X, y):
    return log_loss(y, model.predict_proba(X), labels=model.classes_)


def test_ctrl_c_keeps_the_best_by_training_loss(X, y, monkeypatch):
    interrupt_update(monkeypatch, 4)
    with pytest.warns(ConvergenceWarning, match=r"interrupted. The best parameters so far \(epoch 3\) were kept"):
        model = make(alpha=0).fit(X, y)

    assert model.n_iter_ == 3
    assert training_loss(model, X, y) <= min(model.loss_curve_) + 1e-12


def test_ctrl_c_keeps_the_best_by_validation(X, y, X_val, y_val):
    scorer = Recorder(0.1, 0.9, 0.2, KeyboardInterrupt)
    with pytest.warns(ConvergenceWarning, match=r"interrupted. The best parameters so far \(epoch 2\) were kept"):
        model = make(early_stopping=True, scoring=scorer).fit(X, y, X_val=X_val, y_val=y_val)

    expected = make(early_stopping=True, scoring=Recorder(0.1, 0.9), max_iter=2).fit(X, y, X_val=X_val, y_val=y_val)
    assert_array_equal(params_of(model), params_of(expected))
    assert model.validation_scores_ == [0.1, 0.9, 0.2]


def test_ctrl_c_in_the_first_epoch_is_passed_on(X, y, monkeypatch):
    interrupt_update(monkeypatch, 1)
    model = make()
    before = joblib.hash(vars(model))

    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)

    assert joblib.hash(vars(model)) == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ctrl_c_in_lbfgs_keeps_the_best_and_the_dtype(X, y, monkeypatch, dtype):
    from skrnn.core.training.monitor import TrainingMonitor

    end_epoch = TrainingMonitor.end_epoch

    def interrupted(monitor, *args):
        result = end_epoch(monitor, *args)
        if monitor.n_epochs == 3:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(TrainingMonitor, "end_epoch", interrupted)
    X = [x.astype(dtype) for x in X]
    with pytest.warns(ConvergenceWarning, match="interrupted"):
        model = make(solver="lbfgs", max_iter=20, warm_start=True).fit(X, y)
    monkeypatch.undo()

    assert model.n_iter_ == 3
    assert model.predict_proba(X).dtype == dtype
    assert_allclose(training_loss(model, X, y), model.loss_, rtol=1e-3)

    model.fit(X, y)
    assert model.loss_curve_[3] < model.loss_curve_[2]  # it continued from there


DIVERGING = {"cell": "relu", "learning_rate_init": 1e300, "max_grad_norm": None}


def test_divergence_keeps_the_best_by_training_loss(X, y):
    """The loss of an epoch is measured before its last step: that step may be the one that ruins the parameters."""
    message = (
        r"The loss became (nan|inf) in epoch 2, batch 1 \(gradient norm (nan|inf)\). Lower learning_rate_init or "
        r"max_grad_norm, .*The best parameters so far \(epoch 1\) were kept."
    )
    with pytest.warns(ConvergenceWarning, match=message):
        model = make(alpha=0, **DIVERGING).fit(X, y)

    assert np.isfinite(model.predict_proba(X)).all()
    assert training_loss(model, X, y) <= min(model.loss_curve_) + 1e-9


def test_divergence_keeps_the_best_by_validation(X, y, X_val, y_val):
    model = make(early_stopping=True, cell="relu", max_grad_norm=None, warm_start=True)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    before = params_of(model).copy()

    with pytest.warns(ConvergenceWarning, match="The loss became"):
        model.set_params(learning_rate_init=1e300).fit(X, y, X_val=X_val, y_val=y_val)

    assert_array_equal(params_of(model), before)


def test_training_can_go_on_after_divergence(X, y):
    model = make(cell="relu", max_grad_norm=None, warm_start=True, max_iter=20).fit(X, y)
    loss = model.loss_
    with pytest.warns(ConvergenceWarning, match="The loss became"):
        model.set_params(learning_rate_init=1e300).fit(X, y)

    n_iter = model.n_iter_

    model.set_params(learning_rate_init=0.001).fit(X, y)

    assert model.n_iter_ == n_iter + 20
    assert model.loss_ < 1.1 * loss


@pytest.mark.parametrize("params", [{"batch_size": 5, **DIVERGING}, {"cell": "relu", "solver": "lbfgs"}], ids=str)
def test_divergence_in_the_first_epoch_is_an_error(X, y, params):
    X = [x * 1e306 for x in X]
    model = make(**params)
    before = joblib.hash(vars(model))

    with pytest.raises(
        ValueError, match=r"in epoch 1, batch .* No epoch was complete, so there are no parameters to keep"
    ):
        model.fit(X, y)

    assert joblib.hash(vars(model)) == before


def test_divergence_advises_on_what_the_solver_uses(X, y):
    with pytest.raises(ValueError, match="scale X") as caught:
        make(cell="relu", solver="lbfgs").fit([x * 1e306 for x in X], y)
    assert "learning_rate_init" not in str(caught.value)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_divergence_on_threads_says_the_same(rng, n_jobs):
    X, y = rng.normal(size=(128, 3, 1)), np.arange(128) % 2
    with pytest.warns(ConvergenceWarning, match="The loss became"):
        make(hidden_size=64, max_iter=3, n_jobs=n_jobs, **DIVERGING).fit(X, y)


# Numerical range


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("scale", [1e-310, 1e-30, 1e30, 1e200])
def test_saturating_cells_take_values_of_any_size(X, y, cell, scale):
    X = [x * scale for x in X]
    model = make(cell=cell).fit(X, y)
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.predict_proba(X)).all()


# dtype


@pytest.mark.parametrize("solver", [*STOCHASTIC, "lbfgs"])
def test_float32_is_kept(X, y, solver):
    X32 = [x.astype(np.float32) for x in X]
    model = make(solver=solver, batch_size=10, dropout=0.0).fit(X32, y, np.linspace(1, 2, 24))

    assert {array.dtype for array in model.weights_.values()} == {np.dtype(np.float32)}
    for later in (X32, X, [x.astype(int) for x in X]):
        assert model.predict_proba(later).dtype == np.float32
        assert model.predict_log_proba(later).dtype == np.float32
    assert_array_equal(model.predict_proba(X), model.predict_proba(X32))


@pytest.mark.parametrize("first", [np.float64, np.float16, np.int8, bool])
def test_all_else_is_float64(X, y, first):
    X = [X[0].astype(first), *[x.astype(np.float32) for x in X[1:]]]
    assert make().fit(X, y).predict_proba(X).dtype == np.float64


def test_later_training_keeps_the_dtype_of_the_first(X, y):
    X32 = [x.astype(np.float32) for x in X]
    model = make(warm_start=True).fit(X32, y).fit(X, y).partial_fit(X, y)
    assert model.predict_proba(X).dtype == np.float32


# Randomness


@pytest.mark.parametrize("params", [{}, {"dropout": 0.3, "batch_size": 5}, {"early_stopping": True}], ids=str)
def test_same_seed_same_bits(X, y, params):
    first, second = make(**params).fit(X, y), make(**params).fit(X, y)

    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert not np.array_equal(params_of(first), params_of(make(**{**params, "random_state": 1}).fit(X, y)))


def test_no_seed_no_repetition(X, y):
    model = make(random_state=None)
    assert not np.array_equal(model.fit(X, y).predict_proba(X), model.fit(X, y).predict_proba(X))


def test_a_seed_leaves_the_global_generator_alone(X, y):
    before = joblib.hash(np.random.get_state())  # noqa: NPY002

    make(dropout=0.3, batch_size=5, early_stopping=True).fit(X, y)

    assert joblib.hash(np.random.get_state()) == before  # noqa: NPY002


def test_a_random_state_advances(X, y):
    model = make(random_state=np.random.RandomState(3))
    first, second = model.fit(X, y).predict_proba(X), model.fit(X, y).predict_proba(X)

    assert not np.array_equal(first, second)
    model.set_params(random_state=np.random.RandomState(3))
    assert_array_equal(model.fit(X, y).predict_proba(X), first)


def test_shuffling_changes_the_batches(X, y):
    shuffled, in_order = make(batch_size=5), make(batch_size=5, shuffle=False)
    assert not np.array_equal(params_of(shuffled.fit(X, y)), params_of(in_order.fit(X, y)))


def test_dropout_acts_in_training_only(X, y):
    model = make(dropout=0.5).fit(X, y)
    assert_array_equal(model.predict_proba(X), model.predict_proba(X))
    assert not np.array_equal(params_of(model), params_of(make().fit(X, y)))


# Threads


@pytest.fixture
def many(rng):
    """Enough columns and units to be split over threads."""
    X = [rng.normal(size=(n, 3)) for n in rng.integers(3, 8, size=300)]
    return X, np.arange(300) % 2


def fitted_params(many, **params):
    return params_of(make(hidden_size=64, max_iter=3, **params).fit(*many))


def test_same_number_of_threads_same_bits(many):
    assert_array_equal(fitted_params(many, n_jobs=2), fitted_params(many, n_jobs=2))


def test_threads_change_rounding_only(many):
    one, two = fitted_params(many, n_jobs=1), fitted_params(many, n_jobs=2)
    assert_allclose(one, two, rtol=1e-7, atol=1e-9)
    assert not np.array_equal(one, two)  # they were split


@pytest.mark.parametrize("limit", [1, 2])
def test_without_n_jobs_the_limit_of_blas_holds(many, limit):
    expected = fitted_params(many, n_jobs=limit)
    with threadpool_limits(limit, user_api="blas"):
        assert_array_equal(fitted_params(many, n_jobs=None), expected)


def test_training_holds_blas_at_one_thread_whatever_the_limit(X, y):
    """Otherwise each of the shards would start BLAS threads of its own."""
    n_threads = []

    def scorer(estimator, X, y):
        n_threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return 0.5

    with threadpool_limits(2, user_api="blas"):
        make(early_stopping=True, scoring=scorer).fit(X, y)

    assert set(n_threads) == {1}


# Input


@pytest.mark.parametrize(
    "container",
    [
        np.asfortranarray,
        lambda X: X[::-1].copy()[::-1],
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        list,
        tuple,
        lambda X: X.tolist(),
        lambda X: [np.asfortranarray(x) for x in X],
    ],
    ids=["fortran", "reversed", "strided", "list", "tuple", "nested", "fortran items"],
)
def test_memory_layout_is_irrelevant(rng, container):
    X, y = rng.normal(size=(12, 5, 3)), np.arange(12) % 2
    assert_array_equal(make().fit(container(X), y).predict_proba(container(X)), make().fit(X, y).predict_proba(X))


def test_input_is_neither_changed_nor_kept(X, y):
    weights = np.linspace(1, 2, 24)
    for array in (*X, y, weights):
        array.flags.writeable = False
    before = joblib.hash((X, y, weights))

    model = make(class_weight="balanced", early_stopping=True).fit(X, y, weights)
    model.predict_proba(X)

    assert joblib.hash((X, y, weights)) == before
    assert not any(np.shares_memory(x, array) for x in X for array in model.weights_.values())


def test_prediction_remembers_nothing(X, y):
    model = make().fit(X, y)
    before = joblib.hash(vars(model))

    model.predict_proba(X[:3])
    model.predict(X)

    assert joblib.hash(vars(model)) == before


# verbose


def test_quiet_by_default(X, y, capsys):
    make().fit(X, y)
    assert capsys.readouterr().out == ""


def test_verbose_1_prints_the_first_and_the_last_epoch(X, y, capsys):
    model = make(verbose=1).fit(X, y)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"epoch    1 of at most 5  loss {model.loss_curve_[0]:.4f}")
    assert lines[1].startswith(f"epoch    5 of at most 5  loss {model.loss_:.4f}")


@pytest.mark.parametrize("params", [{}, {"solver": "lbfgs"}, {"early_stopping": True}], ids=str)
def test_verbose_2_prints_every_epoch(X, y, capsys, params):
    model = make(verbose=2, **params).fit(X, y)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == model.n_iter_ == 5
    for line, loss in zip(lines, model.loss_curve_):
        assert f"loss {loss:.4f}" in line
        assert ("validation score" in line) == bool(model.validation_scores_)


def test_verbose_counts_on_after_a_warm_start(X, y, capsys):
    make(verbose=2, warm_start=True).fit(X, y).fit(X, y)

    last = capsys.readouterr().out.splitlines()[-1]
    n_epochs, at_most = re.match(r"epoch +(\d+) of at most (\d+) ", last).groups()
    assert 10 == int(n_epochs) <= int(at_most)


# After every step


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("is_multilabel", [False, True], ids=["classes", "labels"])
def test_predict_proba_steps_is_predict_proba_of_the_beginnings(pooling, is_multilabel, rng):
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 9, size=20)]
    y = np.arange(20) % 3
    model = RNNSequenceClassifier(4, pooling=pooling, max_iter=2, n_layers=2, random_state=0)
    model.fit(X, np.eye(3, dtype=int)[y] if is_multilabel else y)

    steps = model.predict_proba_steps(X)

    assert steps.shape == (20,)
    for x, proba in zip(X, steps, strict=True):
        wanted = model.predict_proba([x[: t + 1] for t in range(len(x))])
        assert_allclose(proba, wanted, rtol=0, atol=1e-14)
    assert_allclose([proba[-1] for proba in steps], model.predict_proba(X), rtol=0, atol=1e-14)


def test_predict_proba_steps_of_tables_words_and_threads(rng, monkeypatch):
    table = rng.normal(size=(12, 5)).astype(np.float32)
    model = RNNSequenceClassifier(4, max_iter=2, random_state=0).fit(table, np.arange(12) % 2)
    steps = model.predict_proba_steps(table)
    assert {(proba.shape, proba.dtype) for proba in steps} == {((5, 2), np.dtype("float32"))}
    assert_allclose(np.array([proba[-1] for proba in steps]), model.predict_proba(table), rtol=0, atol=1e-6)

    monkeypatch.setattr("skrnn._parallel.sharding.MIN_SHARD_UNITS", 1)
    of_threads = model.set_params(n_jobs=2).predict_proba_steps(table)
    assert_allclose(np.stack(of_threads), np.stack(steps), rtol=0, atol=1e-6)

    words = RNNSequenceClassifier(4, max_iter=2, random_state=0).fit(["abba", "b", "ab"], [0, 1, 0])
    assert_allclose(words.predict_proba_steps(["abx"])[0][1], words.predict_proba(["ab"])[0], rtol=0, atol=1e-14)


def test_predict_proba_steps_of_a_bidirectional_model(rng):
    X = rng.normal(size=(6, 4, 2))
    model = RNNSequenceClassifier(4, bidirectional=True, max_iter=2).fit(X, [0, 1] * 3)
    with pytest.raises(
        ValueError, match=r"^predict_proba_steps needs a model that reads forwards.*bidirectional=False"
    ):
        model.predict_proba_steps(X)
