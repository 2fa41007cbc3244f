"""Decisions before a sequence has ended."""

import functools
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

from skrnn import EarlyClassifier, RNNSequenceClassifier
from skrnn.preprocessing import SequenceImputer, SequenceScaler, StepTransformer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Recorded(ClassifierMixin, BaseEstimator):
    """Probabilities of class "b" after every step, given by the sequences themselves."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.array(["a", "b"])
        self.weights_ = sample_weight
        return self

    def predict(self, X):
        return self.classes_[[int(x[-1] > 0.5) for x in X]]

    def predict_proba_steps(self, X):
        return [np.column_stack([1 - np.asarray(x), x]) for x in X]


SEQUENCES = [
    [0.9],
    [0.6],
    [0.5, 0.6, 0.85, 0.1],
    [0.5, 0.6, 0.1, 0.1],
    [0.9, 0.5, 0.9, 0.9, 0.2],
    [0.9, 0.1, 0.9, 0.1, 0.9],
    [0.5, 0.5, 0.5],
    [0.5, 0.1, 0.1],
]
STEPS = {1: [1, 1, 3, 3, 1, 1, 3, 2], 2: [1, 1, 4, 4, 4, 5, 3, 3], 3: [1, 1, 4, 4, 5, 5, 3, 3]}


def recorded(**params):
    return EarlyClassifier(Recorded(), **params).fit(SEQUENCES, ["a"] * len(SEQUENCES))


@pytest.mark.parametrize(("n_in_a_row", "steps"), STEPS.items())
def test_the_first_step_at_which_a_class_is_sure(n_in_a_row, steps):
    """Of one class, in a row, and of one sequence; the whole sequence where it never is."""
    model = recorded(consecutive_predictions=n_in_a_row)

    assert_array_equal(model.decision_steps(SEQUENCES), steps)
    of_b = np.array([x[n - 1] for x, n in zip(SEQUENCES, steps, strict=True)])
    assert_allclose(model.predict_proba(SEQUENCES), np.column_stack([1 - of_b, of_b]))
    assert_array_equal(model.predict(SEQUENCES), np.where(of_b > 0.5, "b", "a"))
    for i, x in enumerate(SEQUENCES):
        assert model.decision_steps([x]) == steps[i]


@pytest.mark.parametrize(("threshold", "steps"), [(0, 1), (0.5, 1), (0.85, 3), (0.86, 4), (1, 4)])
def test_the_threshold_is_enough(threshold, steps):
    assert recorded(probability_threshold=threshold).decision_steps(SEQUENCES[2:3]) == steps


def test_a_later_step_changes_no_decision(rng):
    model = recorded(consecutive_predictions=2)
    X = [rng.uniform(size=9).tolist() for _ in range(50)]
    decided = model.decision_steps(X)
    changed = [[*x[:n], *rng.uniform(size=9 - n)] for x, n in zip(X, decided, strict=True)]
    assert_array_equal(model.decision_steps(changed), decided)
    assert_array_equal(model.predict_proba(changed), model.predict_proba(X))


def test_early_score():
    model, y = recorded(), np.array(["b", "b", "b", "a", "b", "a", "b", "a"])
    accuracy, earliness = model.score(SEQUENCES, y), np.mean(np.array(STEPS[1]) / list(map(len, SEQUENCES)))
    assert accuracy == 6 / 8  # "b" at once where "a" is right; "a" for 0.5 and 0.5
    assert model.early_score(SEQUENCES, y) == pytest.approx(2 * accuracy * (1 - earliness) / (accuracy + 1 - earliness))
    assert model.early_score(SEQUENCES, y, earliness_weight=0) == pytest.approx(accuracy)
    assert model.early_score(SEQUENCES, y, earliness_weight=1) == pytest.approx(1 - earliness)
    twice = [*SEQUENCES, SEQUENCES[4]], [*y, y[4]]
    assert model.early_score(SEQUENCES, y, [1, 1, 1, 1, 2, 1, 1, 1]) == pytest.approx(model.early_score(*twice))
    assert recorded(probability_threshold=1).early_score(SEQUENCES, y) == 0
    assert recorded(probability_threshold=1).early_score(SEQUENCES, y, earliness_weight=0) > 0
    assert model.early_score(SEQUENCES[4:5], ["a"]) == 0
    for w in (-0.1, 1.1, np.nan, "half", None):
        with pytest.raises(ValueError, match=r"^earliness_weight is .*, but it must be a number from 0 to 1"):
            model.early_score(SEQUENCES, y, earliness_weight=w)
    for weights in (np.zeros(8), -np.ones(8), np.ones(7)):
        with pytest.raises(ValueError, match="sample_weight"):
            model.early_score(SEQUENCES, y, weights)


# With the network


def data(n, rng):
    y = np.arange(n) % 3
    return [rng.normal([label, 1 - label], 1, size=(rng.integers(6, 13), 2)) for label in y], y


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    return *data(60, rng), *data(45, rng)


def network(**params):
    return RNNSequenceClassifier(**{"hidden_size": 8, "pooling": "mean", "max_iter": 15, "random_state": 0, **params})


def test_decisions_are_those_of_the_beginnings(split):
    X, y, X_test, y_test = split
    model = EarlyClassifier(network(), probability_threshold=0.7).fit(X, y)

    steps = model.decision_steps(X_test)

    beginnings = [x[:n] for x, n in zip(X_test, steps, strict=True)]
    assert steps.min() < steps.max()
    assert_allclose(model.predict_proba(X_test), model.estimator_.predict_proba(beginnings), rtol=0, atol=1e-12)
    assert_array_equal(model.predict(X_test), model.estimator_.predict(beginnings))
    assert model.score(X_test, y_test) == np.mean(model.predict(X_test) == y_test)
    assert_array_equal(pickle.loads(pickle.dumps(model)).decision_steps(X_test), steps)
    earlier = clone(model).set_params(probability_threshold=0.5).fit(X, y)
    assert all(earlier.decision_steps(X_test) <= steps)


WRAPPED = {
    "pipeline": lambda pipeline, X, y: pipeline,
    "frozen": lambda pipeline, X, y: FrozenEstimator(pipeline.fit(X, y)),
    "pipeline in a pipeline": lambda pipeline, X, y: make_pipeline(SequenceScaler(), None, "passthrough", pipeline),
    "frozen in a pipeline": lambda pipeline, X, y: make_pipeline(
        pipeline[0], FrozenEstimator(clone(pipeline[1]).fit(clone(pipeline[0]).fit_transform(X), y))
    ),
    "search in a pipeline": lambda pipeline, X, y: make_pipeline(
        pipeline[0], GridSearchCV(pipeline[1], {"hidden_size": [8]}, cv=2)
    ),
    "search": lambda pipeline, X, y: GridSearchCV(pipeline, {"rnnsequenceclassifier__hidden_size": [8]}, cv=2),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_what_may_be_around_the_network(wrap, split):
    X, y, X_test, _ = split
    X, X_test = [10 * x + 5 for x in X], [10 * x + 5 for x in X_test]
    pipeline = make_pipeline(SequenceScaler(), network())
    of_estimator = wrap(clone(pipeline), X, y)
    model = EarlyClassifier(of_estimator, probability_threshold=0.7).fit(X, y)
    scaler, classifier = clone(pipeline).fit(X, y)
    wanted = EarlyClassifier(classifier, probability_threshold=0.7)
    assert_array_equal(model.decision_steps(X_test), wanted.decision_steps(scaler.transform(X_test)))
    assert_allclose(model.predict_proba(X_test), wanted.predict_proba(scaler.transform(X_test)), rtol=0, atol=1e-12)
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.n_features_in_ == 2


def test_a_fitted_estimator_needs_no_fit(split):
    X, y, X_test, _ = split
    model = EarlyClassifier(network())
    with pytest.raises(NotFittedError, match=r"^This EarlyClassifier instance is not fitted yet"):
        model.predict(X_test)
    assert not hasattr(model, "classes_")
    assert not hasattr(model, "n_features_in_")

    fitted = network().fit(X, y)
    model = EarlyClassifier(fitted)
    check_is_fitted(model)
    assert_array_equal(model.classes_, fitted.classes_)
    params = fitted._fitted.params.copy()
    again = model.fit(X[::-1], y[::-1])
    assert_array_equal(fitted._fitted.params, params)  # a clone was fitted
    assert again.estimator_ is not fitted
    frozen = EarlyClassifier(FrozenEstimator(fitted)).fit(X[:2], y[:2])
    assert_allclose(frozen.predict_proba(X_test), EarlyClassifier(fitted).predict_proba(X_test))


def test_names_of_features(split):
    X, y, _, _ = split
    frames = [pd.DataFrame(x, columns=["up", "down"]) for x in X]
    model = EarlyClassifier(network())
    assert_array_equal(model.fit(frames, y).feature_names_in_, ["up", "down"])
    assert not hasattr(model.fit(X, y), "feature_names_in_")


def test_thresholds_are_searched_without_another_fit(split):
    X, y, X_test, y_test = split
    fitted = network().fit(X, y)
    grid = {"probability_threshold": [0.4, 0.6, 0.8], "consecutive_predictions": [1, 2]}
    for weight in (0.1, 0.5, 0.9):
        scoring = functools.partial(EarlyClassifier.early_score, earliness_weight=weight)
        search = GridSearchCV(EarlyClassifier(FrozenEstimator(fitted)), grid, scoring=scoring, cv=3)
        search.fit(X_test, y_test)
        assert search.best_estimator_.estimator_.estimator is fitted
        results = search.cv_results_
        best = results["params"][int(results["mean_test_score"].argmax())]
        assert search.best_params_ == best
        assert len(set(results["mean_test_score"])) > 1
    early = EarlyClassifier(network(), probability_threshold=0.5)
    nested = GridSearchCV(early, {"estimator__hidden_size": [2, 8]}, cv=2, scoring=EarlyClassifier.early_score)
    assert nested.fit(X, y).best_score_ > 0
    scores = cross_validate(
        EarlyClassifier(network()), X, y, cv=2, scoring={"early": EarlyClassifier.early_score, "accuracy": "accuracy"}
    )
    assert set(scores) >= {"test_early", "test_accuracy"}


def test_fit_parameters_reach_the_estimator(split):
    X, y, _, _ = split
    weights = np.arange(len(X)) % 2
    model = EarlyClassifier(network()).fit(X, y, sample_weight=weights)
    wanted = network().fit(X, y, sample_weight=weights)
    assert_array_equal(model.estimator_._fitted.params, wanted._fitted.params)
    with config_context(enable_metadata_routing=True):
        routed = EarlyClassifier(network().set_fit_request(sample_weight=True)).fit(X, y, sample_weight=weights)
        assert_array_equal(routed.estimator_._fitted.params, wanted._fitted.params)
        with pytest.raises(TypeError, match="unexpected argument"):
            EarlyClassifier(network().set_fit_request(sample_weight=True)).fit(X, y, other=weights)


# Errors


def test_several_labels(split):
    X, y, _, _ = split
    indicators = np.eye(3, dtype=int)[y]
    with pytest.raises(ValueError, match=r"^y is an indicator matrix, but a decision is one label"):
        EarlyClassifier(network()).fit(X, indicators)
    with pytest.raises(ValueError, match=r"^The RNNSequenceClassifier gives a sequence several labels"):
        EarlyClassifier(network().fit(X, indicators)).predict(X)


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        make_pipeline(SequenceScaler(), LogisticRegression()),
        FrozenEstimator(LogisticRegression()),
    ],
    ids=["alone", "in a pipeline", "frozen"],
)
def test_an_estimator_without_steps(estimator):
    with pytest.raises(TypeError, match=r"^estimator is, or ends with, LogisticRegression\(\), which has no "):
        EarlyClassifier(estimator).fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])


def test_a_search_for_one_without_steps():
    model = EarlyClassifier(GridSearchCV(LogisticRegression(), {}, cv=2))
    with pytest.raises(TypeError, match=r"has no predict_proba_steps"):
        model.fit(np.eye(4), [0, 1, 0, 1])
    assert not hasattr(model, "estimator_")


def centered(X):
    return [x - x.mean(axis=0) for x in X]


LOOKING_AHEAD = {
    "centered": (centered, "look ahead: what they make of the first 5 steps of a sequence depends on later ones"),
    "divided by the maximum": (lambda X: [x / np.abs(x).max() for x in X], "look ahead"),
    "reversed": (lambda X: [x[::-1] for x in X], "look ahead"),
    "differences": (lambda X: [np.diff(x, axis=0) for x in X], r"make 9 steps of 10"),
}


@pytest.mark.parametrize(("function", "message"), LOOKING_AHEAD.values(), ids=LOOKING_AHEAD)
@pytest.mark.parametrize("container", [list, np.array])
def test_transformers_that_look_ahead(function, message, container, rng):
    X = container(list(rng.normal(size=(12, 10, 2))))
    model = EarlyClassifier(make_pipeline(FunctionTransformer(function), network()))
    with pytest.raises(ValueError, match=f"^The transformers of estimator {message}"):
        model.fit(X, np.arange(12) % 2).predict(X)


def test_transformers_that_do_not(rng):
    """Also of steps that have been read, of columns that are steps, and of what cannot be looked at."""
    X, y = list(rng.normal(size=(12, 10, 2))), np.arange(12) % 2
    summed = FunctionTransformer(lambda X: [np.cumsum(x, axis=0) for x in X])
    table, to_frame = np.array(X)[:, :, 0], StandardScaler().set_output(transform="pandas")
    for transformer, data in ((summed, X), (StandardScaler(), table), (to_frame, table), (SequenceScaler(), X)):
        model = EarlyClassifier(make_pipeline(transformer, network())).fit(data, y)
        assert model.predict(data).shape == (12,)
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    assert EarlyClassifier(make_pipeline(SequenceScaler(), network())).fit(frames, y).predict(frames).shape == (12,)
    with pytest.raises(ValueError, match="look ahead"):
        EarlyClassifier(make_pipeline(Normalizer(), network())).fit(np.array(X)[:, :, 0], y).predict(
            np.array(X)[:, :, 0]
        )


def test_transformers_that_refuse_what_they_do_not_know(rng):
    """Categories that none has had, and times that decrease."""
    X = [np.cumsum(rng.integers(3, size=(5, 2)), axis=0) for _ in range(12)]
    for transformer in (StepTransformer(OneHotEncoder()), SequenceImputer(time_feature=1)):
        model = EarlyClassifier(make_pipeline(transformer, network()))
        assert model.fit(X, np.arange(12) % 2).predict(X).shape == (12,)


def test_a_bidirectional_network(split):
    X, y, _, _ = split
    with pytest.raises(ValueError, match=r"^predict_proba_steps needs a model that reads forwards"):
        EarlyClassifier(network(bidirectional=True)).fit(X, y).predict(X)


@pytest.mark.parametrize(
    "params",
    [
        {"probability_threshold": 1.1},
        {"probability_threshold": -0.1},
        {"probability_threshold": "auto"},
        {"consecutive_predictions": 0},
        {"consecutive_predictions": 1.5},
        {"estimator": "gru"},
        {"estimator": None},
    ],
    ids=str,
)
def test_bad_parameters(params, split):
    X, y, _, _ = split
    (name,) = params
    with pytest.raises(ValueError, match=rf"The '{name}' parameter of EarlyClassifier must be"):
        EarlyClassifier(**{"estimator": network(), **params}).fit(X, y)
    if name != "estimator":
        model = EarlyClassifier(network().fit(X, y), **params)
        with pytest.raises(ValueError, match=rf"The '{name}' parameter of EarlyClassifier must be"):
            model.decision_steps(X)
