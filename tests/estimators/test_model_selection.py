"""Ragged sequences through scikit-learn's tools: pipelines, searches, ensembles, routing, pickles."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
)
from sklearn.pipeline import Pipeline, make_pipeline

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CV = StratifiedKFold(3)


@pytest.fixture
def X(rng):
    """40 sequences of 3 to 8 steps and 2 features, of very different scales; those of class 1 have the larger means."""
    return [rng.normal((2 * (i % 2), 999 * (i % 2)), (1, 500), size=(rng.integers(3, 9), 2)) for i in range(40)]


@pytest.fixture
def y():
    return np.array(["no", "yes"])[np.arange(40) % 2]


@pytest.fixture
def classifier():
    return RNNSequenceClassifier(hidden_size=4, max_iter=15, learning_rate_init=0.03, random_state=0)


@pytest.fixture
def model(classifier):
    return make_pipeline(SequenceScaler(), classifier)


def as_list(sequences):
    return sequences


def as_object_array(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


def as_series(sequences):
    return pd.Series(sequences, index=np.arange(len(sequences))[::-1])


CONTAINERS = [as_list, as_object_array, as_series]


# Pipelines and cross-validation


def test_pipeline_is_its_steps(model, X, y):
    scaler = SequenceScaler().fit(X)
    classifier = clone(model[-1]).fit(scaler.transform(X), y)

    model.fit(X, y)

    assert_array_equal(model.predict_proba(X), classifier.predict_proba(scaler.transform(X)))
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("container", CONTAINERS)
def test_cross_val_score_learns_from_every_container(model, X, y, container):
    scores = cross_val_score(model, container(X), y, cv=CV)

    assert scores.shape == (3,)
    assert scores.mean() > 0.75
    assert_array_equal(scores, cross_val_score(model, X, y, cv=CV))


@pytest.mark.parametrize("container", CONTAINERS)
def test_cross_val_predict_is_fold_by_fold(model, X, y, container):
    expected = np.empty((len(y), 2))
    for train, test in CV.split(y, y):
        fitted = clone(model).fit([X[i] for i in train], y[train])
        expected[test] = fitted.predict_proba([X[i] for i in test])

    proba = cross_val_predict(model, container(X), y, cv=CV, method="predict_proba")

    assert_array_equal(proba, expected)


@pytest.mark.parametrize("container", CONTAINERS)
def test_train_test_split_keeps_pairs_together(model, X, y, container):
    X_train, X_test, y_train, y_test = train_test_split(container(X), y, stratify=y, random_state=0)

    assert len(X_train) == len(y_train) == 30
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.7


def test_a_fold_of_equal_lengths_by_chance_is_still_ragged(classifier, rng):
    """The sequences of the training fold have four steps each, those of the test fold three."""
    X = [rng.normal(size=(4, 1)) for _ in range(20)] + [rng.normal(size=(3, 1)) for _ in range(10)]
    folds = [(np.arange(20), np.arange(20, 30))]

    (score,) = cross_val_score(classifier, X, np.arange(30) % 2, cv=folds, error_score="raise")

    assert 0 <= score <= 1


def test_learning_curve(model, X, y):
    sizes, train_scores, test_scores = learning_curve(model, X, y, cv=CV, train_sizes=[0.5, 1.0])

    assert_array_equal(sizes, [13, 26])
    assert train_scores.shape == test_scores.shape == (2, 3)
    assert np.isfinite(test_scores).all()


@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", "roc_auc", "balanced_accuracy"])
def test_scorers(model, X, y, scoring):
    model.fit(X, y)
    assert np.isfinite(get_scorer(scoring)(model, X, y))


# Searches


@pytest.mark.parametrize("container", CONTAINERS)
def test_grid_search_in_two_processes(model, X, y, container):
    grid = {"rnnsequenceclassifier__cell": ["tanh", "gru"], "sequencescaler__with_mean": [True, False]}
    serial = GridSearchCV(model, grid, cv=CV, error_score="raise").fit(X, y)

    parallel = GridSearchCV(model, grid, cv=CV, n_jobs=2, error_score="raise").fit(container(X), y)

    assert_array_equal(parallel.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"])
    assert parallel.best_params_ == serial.best_params_
    assert_array_equal(parallel.predict_proba(X), serial.predict_proba(X))
    assert parallel.score(X, y) > 0.8


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_parallel_backends_give_the_serial_result(classifier, X, y, backend):
    serial = cross_validate(classifier, X, y, cv=CV, return_estimator=True)

    with joblib.parallel_backend(backend, n_jobs=2):
        parallel = cross_validate(classifier, X, y, cv=CV, return_estimator=True)

    assert_array_equal(parallel["test_score"], serial["test_score"])
    for a, b in zip(parallel["estimator"], serial["estimator"], strict=True):
        assert_array_equal(a.predict_proba(X), b.predict_proba(X))


def test_randomized_search(model, X, y):
    distributions = {
        "rnnsequenceclassifier__learning_rate_init": [1e-3, 1e-2, 3e-2],
        "rnnsequenceclassifier__pooling": ["last", "mean", "max"],
    }
    search = RandomizedSearchCV(model, distributions, n_iter=4, cv=CV, random_state=0, error_score="raise").fit(X, y)

    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert_array_equal(search.classes_, ["no", "yes"])


def test_a_search_reports_the_parameters_that_fail(model, X, y):
    search = GridSearchCV(model, {"rnnsequenceclassifier__hidden_size": [4, 0]}, cv=CV)

    with (
        pytest.warns(FitFailedWarning, match="'hidden_size' parameter of RNNSequenceClassifier must be an int"),
        pytest.warns(UserWarning, match="One or more of the test scores are non-finite"),
    ):
        search.fit(X, y)

    assert search.best_params_ == {"rnnsequenceclassifier__hidden_size": 4}


# Ensembles


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(model, X, y, method, container):
    calibrated = CalibratedClassifierCV(model, method=method, cv=CV).fit(container(X), y)

    proba = calibrated.predict_proba(X)

    assert proba.shape == (40, 2)
    assert_allclose(proba.sum(axis=1), 1)
    assert calibrated.score(X, y) > 0.8


def test_voting_averages(classifier, X, y):
    tanh = clone(classifier).set_params(cell="tanh")
    voting = VotingClassifier([("gru", classifier), ("tanh", tanh)], voting="soft").fit(X, y)

    mean = (clone(classifier).fit(X, y).predict_proba(X) + clone(tanh).fit(X, y).predict_proba(X)) / 2

    assert_allclose(voting.predict_proba(X), mean)


def test_stacking(model, X, y):
    other = clone(model).set_params(rnnsequenceclassifier__cell="tanh")
    stacking = StackingClassifier([("gru", model), ("tanh", other)], cv=CV).fit(X, y)

    assert stacking.transform(X).shape == (40, 2)
    assert stacking.score(X, y) > 0.8


# Pickles


def through_pickle(model, tmp_path):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib")


def through_memory_map(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", mmap_mode="r")


@pytest.mark.parametrize("copy", [through_pickle, through_joblib, through_memory_map])
def test_a_stored_model_predicts_the_same_bits(model, X, y, tmp_path, copy):
    model.fit(X, y)

    stored = copy(model, tmp_path)

    assert_array_equal(stored.predict_proba(X), model.predict_proba(X))
    assert stored[-1].loss_curve_ == model[-1].loss_curve_


@pytest.mark.parametrize("copy", [through_pickle, through_joblib, through_memory_map])
def test_a_stored_model_goes_on_training_with_the_same_bits(classifier, X, y, tmp_path, copy):
    classifier.set_params(warm_start=True, dropout=0.2, batch_size=8, max_iter=3).fit(X, y)

    stored = copy(classifier, tmp_path).fit(X, y)

    classifier.fit(X, y)
    assert stored.n_iter_ == 6
    assert stored.loss_curve_ == classifier.loss_curve_
    assert_array_equal(stored.predict_proba(X), classifier.predict_proba(X))


def test_the_pickle_names_the_public_module(classifier):
    assert b"_sequence_classifier" not in pickle.dumps(classifier)


# Metadata routing


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_validation_sequences_are_scaled_on_their_way_through_a_pipeline(classifier, X, y):
    classifier.set_params(early_stopping=True).set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline([("scale", SequenceScaler()), ("classify", classifier)], transform_input=["X_val"])
    X_train, X_val, y_train, y_val = train_test_split(X, y, random_state=0)

    pipeline.fit(X_train, y_train, X_val=X_val, y_val=y_val)

    scaler = SequenceScaler().fit(X_train)
    direct = clone(classifier).fit(scaler.transform(X_train), y_train, X_val=scaler.transform(X_val), y_val=y_val)
    assert pipeline[-1].validation_scores_ == direct.validation_scores_
    assert_array_equal(pipeline.predict_proba(X), direct.predict_proba(scaler.transform(X)))


@pytest.mark.usefixtures("routing")
def test_sample_weights_are_cut_into_folds_by_a_search(classifier, X, y, rng):
    weights = rng.uniform(0, 3, size=40)
    classifier.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    search = GridSearchCV(classifier, {"hidden_size": [3, 4]}, cv=CV, error_score="raise")

    search.fit(X, y, sample_weight=weights)

    scores = []
    for train, test in CV.split(y, y):
        fitted = clone(classifier).set_params(hidden_size=3).fit([X[i] for i in train], y[train], weights[train])
        scores.append(fitted.score([X[i] for i in test], y[test], weights[test]))
    assert search.cv_results_["mean_test_score"][0] == np.mean(scores)
    best = clone(search.best_estimator_).fit(X, y, weights)
    assert_array_equal(search.predict_proba(X), best.predict_proba(X))


@pytest.mark.usefixtures("routing")
def test_routed_weights_change_the_model(classifier, X, y):
    classifier.set_fit_request(sample_weight=True)
    pipeline = make_pipeline(SequenceScaler(), classifier)
    only_yes = np.where(y == "yes", 1.0, 0.0)

    pipeline.fit(X, y, sample_weight=only_yes)

    assert_array_equal(pipeline.predict(X), np.full(40, "yes"))
