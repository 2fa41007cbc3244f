"""Sequences of different lengths through meta-estimators: in a list, or in a column for those that ask for a table."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV, StratifiedKFold, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import to_column

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CV = StratifiedKFold(3)


@pytest.fixture
def X(rng):
    """42 sequences of 2 to 5 steps and 2 features; the mean of the first is that of the class."""
    return [rng.normal((2 * (i % 3), 50), (0.5, 20), size=(rng.integers(2, 6), 2)) for i in range(42)]


@pytest.fixture
def y():
    return np.array(["low", "middle", "up"])[np.arange(42) % 3]


@pytest.fixture
def is_up(y):
    return (y == "up").astype(int)


@pytest.fixture
def network():
    return RNNSequenceClassifier(4, max_iter=15, learning_rate_init=0.05, random_state=0)


@pytest.fixture
def model(network):
    return make_pipeline(SequenceScaler(), network)


each_container = pytest.mark.parametrize("container", [list, to_column])


# Those that ask for two dimensions


def test_bagging_is_the_mean_of_fits_on_its_samples(model, X, y):
    bagging = BaggingClassifier(model, n_estimators=2, random_state=0).fit(to_column(X), y)

    assert (bagging.n_features_in_, bagging.estimators_[0].n_features_in_) == (1, 1)
    assert bagging.estimators_[0][-1].n_inputs_ == 2
    means = []
    for fitted, rows in zip(bagging.estimators_, bagging.estimators_samples_, strict=True):
        codes = np.searchsorted(bagging.classes_, y[rows])
        again = clone(fitted).fit([X[row] for row in rows], codes)
        assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-9)
        means.append(again.predict_proba(X))
    assert_allclose(bagging.predict_proba(to_column(X)), np.mean(means, axis=0), atol=1e-9)
    assert bagging.score(to_column(X), y) > 0.8


def test_bagging_of_regressors_and_of_tokens(X, is_up):
    regressor = RNNSequenceRegressor(4, max_iter=5, random_state=0)
    assert BaggingRegressor(regressor, n_estimators=2).fit(to_column(X), is_up).predict(to_column(X)).shape == (42,)
    words = [["a"] * (1 + i % 4) + ["b" if up else "c"] for i, up in enumerate(is_up)]
    network = RNNSequenceClassifier(4, max_iter=15, learning_rate_init=0.05, random_state=0)
    bagging = BaggingClassifier(network, n_estimators=2, random_state=0).fit(to_column(words), is_up)
    assert bagging.score(to_column(words), is_up) > 0.9


def test_output_codes(model, X, y):
    code = OutputCodeClassifier(model, random_state=0).fit(to_column(X), y)

    assert code.n_features_in_ == 1
    assert code.score(to_column(X), y) > 0.6


def test_permutation_of_the_column(model, X, y):
    """Shuffled sequences say nothing of their classes."""
    model.fit(to_column(X), y)

    importance = permutation_importance(model, to_column(X), y, n_repeats=2, random_state=0).importances_mean

    assert importance.shape == (1,)
    assert importance[0] > 0.3


def test_a_column_beside_others(model, X, y, rng):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"age": rng.normal(size=42), "signal": X})

    transformer = make_column_transformer((model, ["signal"]), ("passthrough", ["age"])).fit(table, y)

    states = clone(model).fit(X, y).transform(X)
    assert_array_equal(transformer.transform(table), np.column_stack([states, table["age"]]))
    assert transformer.get_feature_names_out()[-1] == "passthrough__age"
    scaler = make_column_transformer((SequenceScaler(), ["signal"]))
    assert make_pipeline(scaler, model[-1]).fit(table, y).score(table, y) > 0.8


# Those that pass X on


@each_container
def test_a_threshold(model, X, is_up, container):
    tuned = TunedThresholdClassifierCV(model, scoring="balanced_accuracy", cv=CV).fit(container(X), is_up)

    proba = tuned.estimator_.predict_proba(X)[:, 1]
    assert_array_equal(tuned.predict(container(X)), proba >= tuned.best_threshold_)
    assert tuned.score(container(X), is_up) > 0.8


@each_container
@pytest.mark.parametrize("resource", ["n_samples", "rnnsequenceclassifier__max_iter"])
def test_halving_search(model, X, y, container, resource):
    amount = {"n_samples": {"min_resources": 18, "max_resources": 42}}.get(
        resource, {"min_resources": 2, "max_resources": 6}
    )
    search = HalvingGridSearchCV(
        model,
        {"rnnsequenceclassifier__cell": ["gru", "tanh"]},
        resource=resource,
        factor=2,
        cv=CV,
        random_state=0,
        error_score="raise",
        **amount,
    ).fit(container(X), y)

    used = search.cv_results_["n_resources"].tolist()
    assert used == [amount["min_resources"]] * 2 + [2 * amount["min_resources"]]
    assert search.predict(container(X)).shape == (42,)
    if resource != "n_samples":
        assert search.best_estimator_[-1].n_iter_ == 4


@each_container
def test_frozen(model, X, y, container):
    model.fit(X, y)
    proba = model.predict_proba(X)

    frozen = FrozenEstimator(model).fit(container(X[:3]), ["other"] * 3)

    assert_array_equal(frozen.predict_proba(container(X)), proba)


@each_container
@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("is_frozen", [False, True])
def test_calibration(model, X, y, container, method, is_frozen):
    if is_frozen:
        calibrated = CalibratedClassifierCV(FrozenEstimator(model.fit(X, y)), method=method)
    else:
        calibrated = CalibratedClassifierCV(model, method=method, cv=CV)
    try:
        proba = calibrated.fit(container(X), y).predict_proba(container(X))
    except InvalidParameterError:
        assert method == "temperature"
        pytest.skip("scikit-learn has no temperature scaling yet")

    assert_allclose(proba.sum(axis=1), 1)
    assert calibrated.score(container(X), y) > 0.8


@each_container
def test_one_against_the_rest(model, X, y, container):
    several = OneVsRestClassifier(model).fit(container(X), y)

    for k, label in enumerate(several.classes_):
        alone = clone(model).fit(X, (y == label).astype(int))
        assert_array_equal(several.estimators_[k].predict_proba(X), alone.predict_proba(X))
    assert several.score(container(X), y) > 0.8


@each_container
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting(model, X, y, container, voting):
    other = clone(model).set_params(rnnsequenceclassifier__cell="tanh")
    together = VotingClassifier([("gru", model), ("tanh", other)], voting=voting).fit(container(X), y)

    assert together.score(container(X), y) > 0.8
    if voting == "soft":
        mean = np.mean([clone(each).fit(X, y).predict_proba(X) for each in (model, other)], axis=0)
        assert_allclose(together.predict_proba(container(X)), mean)


@each_container
def test_stacking(model, X, y, container):
    other = clone(model).set_params(rnnsequenceclassifier__cell="tanh")
    stacking = StackingClassifier([("gru", model), ("tanh", other)], LogisticRegression(), cv=CV)

    assert stacking.fit(container(X), y).score(container(X), y) > 0.8
    assert stacking.transform(container(X)).shape == (42, 6)


@each_container
def test_ensembles_of_regressors(X, is_up, container):
    regressors = [(cell, RNNSequenceRegressor(4, cell=cell, max_iter=5, random_state=0)) for cell in ("gru", "tanh")]
    mean = np.mean([clone(each).fit(X, is_up).predict(X) for _, each in regressors], axis=0)

    assert_allclose(VotingRegressor(regressors).fit(container(X), is_up).predict(container(X)), mean)
    assert StackingRegressor(regressors, cv=3).fit(container(X), is_up).predict(container(X)).shape == (42,)


@each_container
def test_several_outputs(model, X, y, container):
    targets = np.column_stack([y == "up", y == "low"])

    predicted = MultiOutputClassifier(model).fit(container(X), targets).predict(container(X))

    assert (predicted == targets).mean() > 0.8


# Settings of scikit-learn


def test_every_step_may_return_frames(model, X, y):
    pytest.importorskip("pandas")
    proba = clone(model).fit(X, y).predict_proba(X)
    with config_context(transform_output="pandas"):
        got = model.fit(to_column(X), y).predict_proba(to_column(X))
    assert_array_equal(got, proba)
