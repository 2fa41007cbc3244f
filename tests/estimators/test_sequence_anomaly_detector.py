"""The anomaly detector: scores, the offset, where the anomaly is, and what it wraps."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import skops.io
from helpers import raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import END, RNNNextTokenModel, RNNSequenceAnomalyDetector, RNNSequenceClassifier, RNNSequenceRegressor
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import to_forecasting

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

NORMAL = [["login", "read", "logout"], ["login", "write", "write", "logout"]] * 40
UNUSUAL = [["login", "read"], ["login", "hack", "logout"], [], ["login", "write", "read", "logout"]]


def tokens(**params):
    return RNNNextTokenModel(**{"hidden_size": 16, "learning_rate_init": 0.05, "random_state": 0, **params})


def gaussian(**params):
    defaults = {"hidden_size": 8, "loss": "gaussian", "learning_rate_init": 0.02, "max_iter": 60, "random_state": 0}
    return RNNSequenceRegressor(**{**defaults, **params})


def detector(estimator=None, **params):
    return RNNSequenceAnomalyDetector(estimator, **{"random_state": 0, **params})


def waves(n, seed, n_features=2):
    """Sines of different lengths, a step of which is told by the ones before it."""
    rng = np.random.default_rng(seed)
    lengths, phases = rng.integers(8, 16, n), rng.uniform(0, 2 * np.pi, n)
    return [
        np.sin(phase + 0.7 * np.arange(length)[:, None] + np.arange(n_features))
        + rng.normal(0, 0.1, (length, n_features))
        for length, phase in zip(lengths, phases)
    ]


def centered(X):
    return [x - x.mean(axis=0) for x in X]


def with_peaks(sequences, at=5, size=3):
    peaks = [x.copy() for x in sequences]
    for x in peaks:
        x[at, -1] += size
    return peaks


@pytest.fixture(scope="module")
def token_model():
    return tokens().fit(NORMAL)


@pytest.fixture(scope="module")
def forecaster():
    return gaussian().fit(*to_forecasting(waves(100, 0)))


# Scores


@pytest.mark.parametrize(("aggregation", "function"), [("mean", np.mean), ("sum", np.sum), ("max", np.min)])
def test_scores_of_tokens(token_model, aggregation, function):
    model = detector(FrozenEstimator(token_model), aggregation=aggregation).fit(NORMAL)

    expected = [function(log_proba) for log_proba in token_model.token_log_proba(UNUSUAL)]

    assert_array_equal(model.score_samples(UNUSUAL), expected)
    assert_array_equal(model.decision_function(UNUSUAL), np.array(expected) - model.offset_)
    assert_array_equal(model.predict([*NORMAL[:2], *UNUSUAL]), [1, 1, -1, -1, -1, -1])


@pytest.mark.parametrize(("aggregation", "function"), [("mean", np.mean), ("sum", np.sum), ("max", np.min)])
@pytest.mark.parametrize("n_features", [1, 2])
def test_scores_of_numbers(aggregation, function, n_features):
    """The log-density of a normal distribution, from its definition."""
    X = waves(30, 1, n_features)
    forecaster = gaussian(max_iter=5).fit(*to_forecasting(X))
    model = detector(FrozenEstimator(forecaster), aggregation=aggregation).fit(X)

    expected = []
    for x, mean, std in zip(X, *forecaster.predict([x[:-1] for x in X], return_std=True)):
        density = np.exp(-((x[1:] - mean) ** 2) / (2 * std**2)) / (std * np.sqrt(2 * np.pi))
        expected.append(function(np.log(density).sum(axis=1)))

    assert_allclose(model.score_samples(X), expected)


def test_flat_targets_are_forecasts_of_one_feature():
    X = [x[:, 0] for x in waves(30, 1)]
    of_columns = detector(FrozenEstimator(gaussian(max_iter=5).fit(*to_forecasting([x[:, None] for x in X])))).fit(X)
    flat = detector(FrozenEstimator(gaussian(max_iter=5).fit(*to_forecasting(X)))).fit(X)

    assert_array_equal(flat.score_samples(X), of_columns.score_samples(X))
    assert flat.locate(X)[0].observed.shape == (1,)


def test_ranks_are_those_among_the_candidates(token_model):
    model = detector(FrozenEstimator(token_model), aggregation="rank").fit(NORMAL)
    n = len(token_model.classes_) + 1  # and END

    scores = model.score_samples([["login", "hack"], ["login", "read", "logout"], ["logout"] * 3])

    proba = token_model.predict_proba([[], ["logout"], ["logout"] * 2, ["logout"] * 3])[:, :n]
    came = [token_model.vocabulary_[token] for token in ["logout"] * 3 + [END]]
    assert scores[0] == -(n + 1)
    assert scores[1] >= -2
    assert scores[2] == -max(1 + (p > p[k]).sum() for p, k in zip(proba, came))


def test_an_event_beyond_the_candidates_makes_a_sequence_abnormal():
    model = detector(tokens(), aggregation="rank", n_candidates=2).fit(NORMAL)

    assert model.offset_ == -2
    assert_array_equal(model.predict([*NORMAL[:2], ["login", "hack", "logout"], []]), [1, 1, -1, -1])
    assert_array_equal(model.decision_function(UNUSUAL) >= 0, model.score_samples(UNUSUAL) >= -2)


def test_an_unseen_event_is_no_anomaly_where_rare_ones_were_learned():
    sessions = [["login", action, "logout"] for action in ["read"] * 10 + [f"rare{i}" for i in range(30)]]
    model = detector(tokens(min_frequency=2), aggregation="rank", n_candidates=2).fit(sessions)

    assert_array_equal(model.predict([["login", "other", "logout"], ["other", "login", "logout"]]), [1, -1])


def test_peaks_are_found_by_the_most_surprising_step():
    X = waves(150, 0)
    model = make_pipeline(SequenceScaler(), detector(gaussian(), aggregation="max")).fit(X)
    normal, abnormal = waves(100, 1), with_peaks(waves(50, 2))

    decision = model.decision_function([*normal, *abnormal])

    assert roc_auc_score(np.arange(150) < 100, decision) > 0.99
    assert (model.predict(normal) < 0).mean() < 0.15
    assert (model.predict(abnormal) < 0).mean() > 0.95


# The offset


def test_held_out_sequences_set_the_offset():
    """A network that memorizes: what it trained on says nothing of sequences to come."""
    rng = np.random.default_rng(0)
    X, new = rng.integers(0, 5, (2, 200, 6)).tolist()
    model = tokens(hidden_size=64, max_iter=60)

    held_out = detector(model, contamination=0.1, validation_fraction=0.3).fit(X)
    on_all = detector(model, contamination=0.1).fit(X)

    assert (held_out.predict(new) < 0).mean() < 0.2
    assert (on_all.predict(X) < 0).mean() == 0.1
    assert (on_all.predict(new) < 0).mean() > 0.5


def test_what_auto_is():
    X = waves(100, 0)
    by_default = detector(gaussian(max_iter=5)).fit(X)
    spelled_out = detector(gaussian(max_iter=5), contamination=0.05, validation_fraction=0.2).fit(X)
    other = detector(gaussian(max_iter=5), contamination=0.05).fit(X)

    assert by_default.offset_ == spelled_out.offset_ != other.offset_
    assert_array_equal(by_default.estimator_.loss_curve_, spelled_out.estimator_.loss_curve_)
    assert_array_equal(other.estimator_.loss_curve_, gaussian(max_iter=5).fit(*to_forecasting(X)).loss_curve_)


def test_all_sequences_set_the_offset_of_a_frozen_estimator(forecaster):
    X = waves(40, 3)
    before = joblib.hash(forecaster)

    model = detector(FrozenEstimator(forecaster), contamination=0.1, validation_fraction=0.5).fit(X)

    assert (model.predict(X) < 0).sum() == 4
    assert joblib.hash(model.estimator_.estimator) == before


@pytest.mark.parametrize("contamination", [0.01, 0.1, 0.29, 0.5])
def test_at_most_the_share_is_abnormal(forecaster, contamination):
    X = waves(100, 3)
    model = detector(FrozenEstimator(forecaster), contamination=contamination).fit(X)

    assert (model.predict(X) < 0).sum() == round(100 * contamination)


def test_equal_sequences_are_all_normal_or_none(token_model):
    """The offset is the score of a common session, which rounding changes when it is scored beside others."""
    model = detector(FrozenEstimator(token_model), contamination=0.2).fit(NORMAL)

    for n in (1, 2, 3, 50):
        assert_array_equal(model.predict(NORMAL[1::2][:1] * n), np.ones(n))
        assert_array_equal(model.predict([*NORMAL, ["login"] * 70]), [1] * len(NORMAL) + [-1])


def test_weights_repeat_sequences():
    X, weights = waves(30, 0), np.arange(30) % 3
    repeated = [X[i] for i in np.repeat(np.arange(30), weights)]
    params = {"contamination": 0.2, "validation_fraction": None}

    weighted = detector(gaussian(max_iter=5), **params).fit(X, sample_weight=weights)

    assert weighted.offset_ == detector(gaussian(max_iter=5), **params).fit(repeated).offset_
    assert weighted.offset_ != detector(gaussian(max_iter=5), **params).fit(X).offset_


def test_weights_are_held_out_with_their_sequences():
    """A sequence that weighs nothing neither trains nor sets the offset."""
    X = waves(60, 0)
    weights = np.r_[np.ones(50), np.zeros(10)]

    weighted = detector(gaussian(max_iter=5)).fit([*X[:50], *with_peaks(X[50:], size=100)], sample_weight=weights)

    assert weighted.offset_ == detector(gaussian(max_iter=5)).fit(X[:50], sample_weight=np.ones(50)).offset_


def test_weights_of_the_last_step_of_a_pipeline():
    X, weights = waves(30, 0), np.arange(30) % 3
    params = {"rnnsequenceregressor__sample_weight": weights}

    of_step = detector(make_pipeline(SequenceScaler(), gaussian(max_iter=3))).fit(X, **params)

    whole = detector(make_pipeline(SequenceScaler(), gaussian(max_iter=3))).fit(X)
    same = detector(make_pipeline(SequenceScaler(), gaussian(max_iter=3))).fit(
        [x for x, w in zip(X, weights) if w], rnnsequenceregressor__sample_weight=weights[weights > 0]
    )
    assert of_step.offset_ == same.offset_ != whole.offset_


def test_a_search_forecasts():
    X, (before, after) = waves(20, 0), to_forecasting(waves(20, 0))
    search = GridSearchCV(make_pipeline(SequenceScaler(), gaussian(max_iter=3)), {}, cv=2)
    best = make_pipeline(SequenceScaler(), gaussian(max_iter=3)).fit(before, after)

    found = detector(search, validation_fraction=None).fit(X).score_samples(X)

    assert_array_equal(found, detector(FrozenEstimator(best)).fit(X).score_samples(X))


def test_weights_are_routed():
    X, weights = waves(30, 0), np.arange(30) % 3
    direct = detector(gaussian(max_iter=3)).fit(SequenceScaler().fit_transform(X), sample_weight=weights)
    with config_context(enable_metadata_routing=True):
        model = detector(gaussian(max_iter=3)).set_fit_request(sample_weight=True)
        routed = make_pipeline(SequenceScaler(), model).fit(X, sample_weight=weights)

    assert routed[-1].offset_ == direct.offset_


def test_parameters_of_fit_reach_the_estimator():
    X = waves(20, 0)
    source = gaussian(max_iter=3).fit(*to_forecasting(X))
    begun = detector(gaussian(max_iter=1)).fit(X, init_from=source)

    assert begun.estimator_.loss_curve_ != detector(gaussian(max_iter=1)).fit(X).estimator_.loss_curve_


# Where the anomaly is


def test_locate_in_tokens(token_model):
    model = detector(FrozenEstimator(token_model), aggregation="max").fit(NORMAL)

    no_logout, hack, empty, read = model.locate(UNUSUAL)

    assert no_logout[:3] == (2, END, "logout")
    assert hack[:3] == (1, "hack", token_model.predict([["login"]])[0])
    assert hack.rank == len(token_model.column_tokens_)
    assert empty[:3] == (0, END, "login")
    assert read[:3] == (2, "read", "write")
    assert_array_equal([step.log_proba for step in (no_logout, hack, empty, read)], model.score_samples(UNUSUAL))


@pytest.mark.parametrize(
    "X", [["ab", "abz"], [("a", "b"), ("a", "b", "z")], [np.array(["a", "b"]), np.array(["a", "b", "z"])]]
)
def test_locate_in_any_container(X):
    model = detector(tokens(max_iter=20)).fit(["abc", "abd"] * 10)

    assert [step.observed for step in model.locate(X)] == [END, "z"]
    assert [type(step.expected) for step in model.locate(X)] == [str, str]


def test_locate_the_worst_rank(token_model):
    """Which may not be the least probable: of two likely events one has rank 2."""
    model = detector(FrozenEstimator(token_model), aggregation="rank").fit(NORMAL)

    steps = model.locate([*NORMAL[:2], *UNUSUAL])

    assert_array_equal([-step.rank for step in steps], model.score_samples([*NORMAL[:2], *UNUSUAL]))


def test_locate_in_numbers(forecaster):
    X = waves(20, 4)
    abnormal = with_peaks(X)
    model = detector(FrozenEstimator(forecaster), aggregation="max").fit(X)

    steps = model.locate(abnormal)

    mean, std = forecaster.predict([x[:-1] for x in abnormal], return_std=True)
    assert np.mean([step.position == 5 for step in steps]) > 0.9
    for step, x, m, s in zip(steps, abnormal, mean, std):
        assert_array_equal(step.observed, x[step.position])
        assert_array_equal(step.expected, m[step.position - 1])
        assert_array_equal(step.std, s[step.position - 1])
    assert_array_equal([step.log_proba for step in steps], model.score_samples(abnormal))


# X


@pytest.mark.parametrize("table", [np.array, pd.DataFrame, lambda rows: pl.DataFrame(rows, orient="row")])
def test_tables_of_tokens(table):
    rows = [["a", "b", "c"], ["a", "c", "c"]] * 20
    model = detector(tokens()).fit(table(rows))

    assert model.n_features_in_ == 3
    assert END not in model.estimator_.column_tokens_.tolist()
    assert_array_equal(model.predict(table([["a", "b", "c"], ["a", "b", "a"]])), [1, -1])
    assert model.locate(table([["a", "b", "a"]]))[0].position == 2
    with pytest.raises(ValueError, match=r"2 features|Feature names seen at fit time, yet now missing"):
        model.predict(table([["a", "b"]]))


@pytest.mark.filterwarnings("error")
def test_names_of_columns_are_held_against_the_fit():
    X = [pd.DataFrame(x, columns=["speed", "angle"]) for x in waves(10, 0)]
    model = detector(gaussian(max_iter=2)).fit(X)

    assert model.feature_names_in_.tolist() == ["speed", "angle"]
    model.predict(X)
    with raises(ValueError, "Feature names must be in the same order as they were in fit."):
        model.predict([x[["angle", "speed"]] for x in X])
    model.fit(waves(10, 0))
    assert not hasattr(model, "feature_names_in_")


def test_arrays_of_three_dimensions_and_tables_are_sequences():
    X = np.stack([x[:8] for x in waves(20, 0, 1)])
    results = [
        detector(gaussian(max_iter=2)).fit(data).score_samples(data) for data in (X, X[:, :, 0], list(X), X.tolist())
    ]

    for result in results[1:]:
        assert_array_equal(result, results[0])


def test_float32_stays():
    X = [x.astype(np.float32) for x in waves(20, 0)]
    model = detector(gaussian(max_iter=2)).fit(X)

    assert model.estimator_.weights_["head.W_y"].dtype == np.float32
    assert model.score_samples(X).dtype == np.float64


def test_constant_features():
    X = [np.column_stack([x, np.full(len(x), 7.0)]) for x in waves(40, 0)]
    model = detector(gaussian(), aggregation="max").fit(X)
    other = X[0].copy()
    other[4, 2] = 8

    assert np.isfinite(model.score_samples([*X, other])).all()
    assert_array_equal(model.predict([other]), [-1])
    assert model.locate([other])[0].position == 4


def test_huge_values_are_abnormal(forecaster):
    model = detector(FrozenEstimator(forecaster)).fit(waves(20, 0))

    assert_array_equal(model.predict([np.full((3, 2), 1e200)]), [-1])


@pytest.mark.parametrize(
    "X", [["ab", "abc"] * 9, [("a", "b")] * 9, np.array([["a", "b"]] * 9)], ids=["str", "tuple", "2-D"]
)
def test_text_is_learned_by_a_token_model(X):
    assert isinstance(detector().set_params(contamination=0.1)._make_estimator(X, 0), RNNNextTokenModel)


def test_numbers_are_forecast():
    estimator = detector()._make_estimator(waves(3, 0), 0)

    assert isinstance(estimator, RNNSequenceRegressor)
    assert estimator.loss == "gaussian"


def test_iterators_are_read_once():
    model = detector(tokens(max_iter=2)).fit(iter(NORMAL))

    assert_array_equal(model.score_samples(iter(UNUSUAL)), model.score_samples(UNUSUAL))
    assert model.locate(iter(UNUSUAL)) == model.locate(UNUSUAL)


# What goes wrong

SHORT = (
    "a sequence of numbers needs two steps or more to be scored: the first one has no forecast. Leave shorter ones out."
)
BAD_FITS = {
    "str": (tokens(), {}, "abc", ValueError, "X is a str, but a list of sequences is needed."),
    "NaN token": (
        tokens(),
        {},
        [*NORMAL, ["a", np.nan]],
        ValueError,
        f"Input X[{len(NORMAL)}] contains NaN or infinity, at position 1.",
    ),
    "NaN": (gaussian(), {}, [*waves(9, 0), np.full((2, 2), np.nan)], ValueError, "Input X[9] contains NaN."),
    "one step": (gaussian(), {}, [*waves(9, 0), np.zeros((1, 2))], ValueError, f"Found one step in X[9], but {SHORT}"),
    "one column": (gaussian(), {}, np.zeros((9, 1)), ValueError, f"Found n_features=1 (shape (9, 1)), but {SHORT}"),
    "one sequence": (gaussian(), {}, waves(1, 0), ValueError, "X has one sequence (n_samples=1): too few to hold out"),
    "empty": (tokens(), {}, [], ValueError, "X is empty: at least one sequence is needed."),
    "no end": (
        tokens(add_end_token=False),
        {},
        [*NORMAL, []] * 9,
        ValueError,
        "A sequence is empty and its end is not",
    ),
    "text for numbers": (gaussian(), {}, NORMAL, ValueError, "X[0] has dtype <U6, but numbers are needed."),
    "squared error": (
        gaussian(loss="squared_error"),
        {},
        waves(9, 0),
        ValueError,
        "estimator has loss='squared_error', which predicts no standard deviation. Set loss='gaussian'.",
    ),
    "both directions": (
        make_pipeline(SequenceScaler(), gaussian(bidirectional=True)),
        {},
        waves(9, 0),
        ValueError,
        "estimator has bidirectional=True, and so would read the steps that it is to forecast.",
    ),
    "frozen of both directions": (
        FrozenEstimator(gaussian(bidirectional=True).partial_fit(*to_forecasting(waves(9, 0)))),
        {},
        waves(9, 0),
        ValueError,
        "estimator has bidirectional=True",
    ),
    "pipeline of a frozen one of both directions": (
        make_pipeline(
            SequenceScaler(), FrozenEstimator(gaussian(bidirectional=True).partial_fit(*to_forecasting(waves(9, 0))))
        ),
        {},
        waves(9, 0),
        ValueError,
        "estimator has bidirectional=True",
    ),
    "search that finds both directions": (
        GridSearchCV(gaussian(max_iter=1), {"bidirectional": [True]}, cv=2),
        {},
        waves(9, 0),
        ValueError,
        "estimator has bidirectional=True",
    ),
    "transformer that looks ahead": (
        make_pipeline(FunctionTransformer(centered), gaussian(max_iter=1)),
        {},
        waves(9, 0),
        ValueError,
        "Of the sequences that set the offset, The transformers of estimator look ahead",
    ),
    "frozen of sequences": (
        FrozenEstimator(gaussian().partial_fit(waves(9, 0), np.arange(9))),
        {},
        waves(9, 0),
        ValueError,
        "Of the sequences that set the offset, estimator predicts no numbers for each step, but a step of X has 2.",
    ),
    "frozen of two steps": (
        FrozenEstimator(gaussian().partial_fit(*to_forecasting(waves(9, 0), horizon=2))),
        {},
        waves(9, 0),
        ValueError,
        "Of the sequences that set the offset, estimator predicts 4 numbers for each step, but a step of X has 2.",
    ),
    "not fitted": (FrozenEstimator(gaussian()), {}, waves(9, 0), NotFittedError, "This RNNSequenceRegressor instance"),
    "classifier": (
        RNNSequenceClassifier(),
        {},
        waves(9, 0),
        ValueError,
        "estimator is of type RNNSequenceClassifier, which gives steps no probability.",
    ),
    "ranks of numbers": (
        gaussian(),
        {"aggregation": "rank"},
        waves(9, 0),
        ValueError,
        "aggregation='rank' needs tokens: numbers have no candidates",
    ),
    "candidates without ranks": (
        tokens(),
        {"n_candidates": 2},
        NORMAL,
        ValueError,
        "n_candidates=2 needs aggregation='rank', but it is 'mean'.",
    ),
    "two offsets": (
        tokens(),
        {"aggregation": "rank", "n_candidates": 2, "contamination": 0.1},
        NORMAL,
        ValueError,
        "n_candidates=2 sets the offset, and so does contamination=0.1. Pass one of both.",
    ),
    "too many candidates": (
        tokens(max_iter=1),
        {"aggregation": "rank", "n_candidates": 6},
        NORMAL,
        ValueError,
        "n_candidates=6, but there are 5 candidates",
    ),
    "unknown only where it is an error": (
        tokens(max_iter=1, handle_unknown="error"),
        {"validation_fraction": 0.5},
        [[f"token{i}"] for i in range(8)],
        ValueError,
        "Of the sequences that set the offset, X[0] holds 'token",
    ),
}


@pytest.mark.parametrize(("estimator", "params", "X", "error", "message"), BAD_FITS.values(), ids=BAD_FITS)
@pytest.mark.parametrize("is_fitted", [False, True], ids=["new", "fitted"])
def test_a_fit_that_raises_changes_nothing(estimator, params, X, error, message, is_fitted):
    model = detector(tokens(max_iter=1), random_state=np.random.RandomState(0))
    if is_fitted:
        model.fit(NORMAL)
    model.set_params(estimator=estimator, **params)
    before = joblib.hash(vars(model))

    with pytest.raises(error) as caught:
        model.fit(X)

    assert str(caught.value).startswith(message)
    assert joblib.hash(vars(model)) == before


@pytest.mark.parametrize("aggregation", ["mean", "rank"])
@pytest.mark.parametrize("method", ["predict", "locate", "score_samples", "decision_function"])
def test_an_empty_sequence_without_end_has_no_score(aggregation, method):
    model = detector(tokens(add_end_token=False, max_iter=1), aggregation=aggregation).fit(NORMAL)

    with raises(ValueError, "X[1] is empty and its end is not modelled, so nothing of it has a probability."):
        getattr(model, method)([["login"], []])


def test_a_single_step_has_no_score(forecaster):
    model = detector(FrozenEstimator(forecaster)).fit(waves(9, 0))

    with raises(ValueError, f"Found one step in X[1], but {SHORT}"):
        model.predict([np.zeros((2, 2)), np.zeros((1, 2))])


@pytest.mark.parametrize("weights", [-np.ones(9), np.ones(8), np.zeros(9)], ids=["negative", "too few", "zeros"])
def test_bad_weights(weights):
    with pytest.raises(ValueError, match="sample_weight"):
        detector(gaussian(max_iter=1)).fit(waves(9, 0), sample_weight=weights)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("estimator", 3),
        ("contamination", 0),
        ("contamination", 0.6),
        ("contamination", "none"),
        ("aggregation", "median"),
        ("n_candidates", 0),
        ("validation_fraction", 1.0),
        ("validation_fraction", "all"),
        ("random_state", -1),
    ],
)
def test_bad_parameters(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of RNNSequenceAnomalyDetector must be"):
        detector(gaussian(max_iter=1)).set_params(**{name: value}).fit(waves(9, 0))


@pytest.mark.parametrize("method", ["predict", "locate", "score_samples", "decision_function"])
def test_before_a_fit(method):
    with pytest.raises(NotFittedError):
        getattr(detector(), method)(NORMAL)


# As an estimator of scikit-learn


@pytest.mark.parametrize("estimator", [tokens(max_iter=2), gaussian(max_iter=2)])
def test_pickles_and_clones(estimator):
    X = NORMAL if isinstance(estimator, RNNNextTokenModel) else waves(20, 0)
    model = detector(estimator).fit(X)

    again, steps = pickle.loads(pickle.dumps((model, model.locate(X))))

    assert_array_equal(again.decision_function(X), model.decision_function(X))
    assert all(np.all(a == b) for a, b in zip(steps[0], model.locate(X)[0]))
    assert_array_equal(clone(model).fit(X).decision_function(X), model.decision_function(X))
    trusted = [f"skrnn.{type(part).__name__}" for part in (model, estimator)]
    read = skops.io.loads(skops.io.dumps(model), trusted=trusted)
    assert_array_equal(read.decision_function(X), model.decision_function(X))


@pytest.mark.parametrize("estimator", [tokens(random_state=None, max_iter=2), gaussian(random_state=None, max_iter=2)])
def test_random_state_is_that_of_the_estimator_too(estimator):
    X = NORMAL if isinstance(estimator, RNNNextTokenModel) else waves(20, 0)
    scores = [detector(estimator, random_state=seed).fit(X).score_samples(X) for seed in (0, 0, 1)]

    assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    assert estimator.random_state is None


def test_aggregation_is_that_of_the_fit(token_model):
    model = detector(FrozenEstimator(token_model), aggregation="max").fit(NORMAL)
    scores = model.score_samples(UNUSUAL)

    assert_array_equal(model.set_params(aggregation="rank").score_samples(UNUSUAL), scores)


def test_grid_search():
    X, y = [*waves(40, 0), *with_peaks(waves(10, 1))], np.r_[np.ones(40), -np.ones(10)]
    model = make_pipeline(SequenceScaler(), detector(gaussian(max_iter=20), validation_fraction=0.2))
    grid = {"aggregation": ["max", "sum"], "estimator__hidden_size": [2, 4]}
    names = {f"rnnsequenceanomalydetector__{name}": values for name, values in grid.items()}

    search = GridSearchCV(model, names, scoring="roc_auc", cv=StratifiedKFold(2), error_score="raise").fit(X, y)

    assert search.best_score_ > 0.5
    assert len(search.cv_results_["params"]) == 4


def test_fit_predict():
    X = waves(40, 0)

    assert_array_equal(
        detector(gaussian(max_iter=5), contamination=0.1).fit_predict(X),
        detector(gaussian(max_iter=5), contamination=0.1).fit(X).predict(X),
    )


def test_nothing_warns_of_names_of_a_frozen_estimator():
    frame = pd.DataFrame([["a", "b"], ["a", "c"]] * 9, columns=["x", "y"])
    frozen = FrozenEstimator(tokens(max_iter=1).fit(frame))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector(frozen).fit(frame).predict(frame)
