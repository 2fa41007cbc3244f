"""SequenceImputer: what is missing is what was observed last, and nothing comes from later steps."""

import pickle

import numpy as np
import pytest
from helpers import object_array, raises
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceImputer, SequenceScaler

NAN = np.nan


@pytest.fixture
def X(rng):
    """20 sequences of three features with gaps, each feature observed somewhere."""
    sequences = [rng.normal(size=(n, 3)) for n in rng.integers(1, 9, size=20)]
    for x in sequences:
        x[rng.random(x.shape) < 0.4] = NAN
    return sequences


def filled_by_hand(x, initial):
    out, last = x.copy(), np.array(initial, dtype=float)
    for step in out:
        step[np.isnan(step)] = last[np.isnan(step)]
        last = step.copy()
    return out


def time_since_by_hand(x, times):
    """Che et al. 2018, the equation of delta, step by step."""
    delta = np.zeros_like(x)
    for t in range(1, len(x)):
        gap = times[t] - times[t - 1]
        delta[t] = np.where(np.isnan(x[t - 1]), gap + delta[t - 1], gap)
    return delta


def test_forward_fill(X):
    imputer = SequenceImputer().fit(X)
    means = np.nanmean(np.concatenate(X), axis=0)
    assert_allclose(imputer.statistics_, means)
    for x, filled in zip(X, imputer.transform(X), strict=True):
        assert_allclose(filled, filled_by_hand(x, means))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, 11 / 3),
        ({"initial_strategy": "median"}, 3.0),
        ({"initial_strategy": "constant"}, 0.0),
        ({"initial_strategy": "constant", "fill_value": -7}, -7.0),
    ],
)
def test_before_the_first_observation(params, expected):
    X = [np.array([NAN, 1.0, NAN]), np.array([3.0, 7.0])]
    imputer = SequenceImputer(**params).fit(X)
    assert_allclose(imputer.transform(X)[0], [expected, 1, 1])


def test_indicators_and_times_of_the_paper(X):
    filled = SequenceImputer().fit_transform(X)
    outputs = SequenceImputer(add_indicator=True, add_time_since=True).fit_transform(X)
    for x, values, output in zip(X, filled, outputs, strict=True):
        assert_array_equal(output[:, :3], values)
        assert_array_equal(output[:, 3:6], np.isnan(x))
        assert_array_equal(output[:, 6:], time_since_by_hand(x, np.arange(len(x))))


def test_times_of_a_feature(X, rng):
    times = [np.cumsum(rng.integers(0, 4, len(x))).astype(float) for x in X]
    timed = [np.column_stack([x[:, 0], time, x[:, 1:]]) for x, time in zip(X, times)]
    imputer = SequenceImputer(time_feature=1, add_time_since=True)
    for x, time, output in zip(X, times, imputer.fit_transform(timed), strict=True):
        assert_array_equal(output[:, 1], time)
        assert_array_equal(output[:, 4:], time_since_by_hand(x, time))
    names = ["x0", "x1", "x2", "x3", "timesince_x0", "timesince_x2", "timesince_x3"]
    assert imputer.get_feature_names_out().tolist() == names


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_no_later_step_is_read(seed):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 9, size=3)]
    for x in X:
        x[rng.random(x.shape) < 0.5] = NAN
    imputer = SequenceImputer(add_indicator=True, add_time_since=True, keep_empty_features=True).fit(X)
    whole = imputer.transform(X)
    for x, output in zip(X, whole):
        for n in range(1, len(x) + 1):
            assert_array_equal(imputer.transform([x[:n]])[0], output[:n])
    for x, output in zip(X, whole):  # nor another sequence
        assert_array_equal(imputer.transform([x])[0], output)


def test_empty_features():
    X = [np.array([[NAN, 1.0, NAN], [NAN, NAN, 5.0]])]
    later = [np.array([[2.0, NAN, NAN], [NAN, NAN, NAN]])]
    imputer = SequenceImputer(add_indicator=True).fit(X)
    assert_array_equal(imputer.transform(later)[0], [[1, 5, 1, 1], [1, 5, 1, 1]])
    assert imputer.get_feature_names_out().tolist() == ["x1", "x2", "missingindicator_x1", "missingindicator_x2"]
    kept = SequenceImputer(keep_empty_features=True).fit(X)
    assert_array_equal(kept.transform(X)[0], [[0, 1, 5], [0, 1, 5]])
    assert_array_equal(kept.transform(later)[0], [[2, 1, 5], [2, 1, 5]])
    constant = SequenceImputer(keep_empty_features=True, initial_strategy="constant", fill_value=9).fit(X)
    assert_array_equal(constant.transform(X)[0], [[9, 1, 9], [9, 1, 5]])


def test_other_marks_of_missing_values():
    X = [np.array([[-1.0], [4.0], [-1.0]])]
    assert_array_equal(SequenceImputer(missing_values=-1).fit_transform(X)[0], [[4], [4], [4]])
    with raises(ValueError, "Input X[0] contains NaN. It is at step 1, feature 0."):
        SequenceImputer(missing_values=-1).fit([np.array([[-1.0], [NAN]])])


def test_the_mean_of_large_numbers():
    X = [np.array([1.5e308, 1.7e308, NAN]), np.array([NAN])]
    assert_allclose(SequenceImputer().fit_transform(X)[1], [1.6e308])
    assert_allclose(SequenceImputer(initial_strategy="median").fit_transform(X)[1], [1.6e308])


# Containers


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [list, tuple, object_array, np.stack])
def test_arrays(rng, kind, dtype):
    sequences = [rng.normal(size=(4, 2)).astype(dtype) for _ in range(3)]
    for x in sequences:
        x[1, 0] = NAN
    X = kind(sequences)
    output = SequenceImputer(add_indicator=True).fit_transform(X)
    assert type(output) is type(X)
    for x, values in zip(sequences, output, strict=True):
        assert values.dtype == dtype
        assert_array_equal(values[1], [x[0, 0], x[1, 1], 1, 0])


def test_tables():
    X = np.array([[NAN, 2.0, NAN], [4.0, NAN, 6.0]])
    imputer = SequenceImputer().fit(X)
    assert_array_equal(imputer.transform(X), [[4, 2, 2], [4, 4, 6]])
    assert imputer.get_feature_names_out().tolist() == ["x0", "x1", "x2"]
    imputer = SequenceImputer(add_indicator=True, add_time_since=True).fit(X)
    assert_array_equal(imputer.transform(X)[0], [[4, 1, 0], [2, 0, 1], [2, 1, 1]])
    assert imputer.get_feature_names_out().tolist() == ["x0", "missingindicator_x0", "timesince_x0"]
    assert_array_equal(SequenceImputer().fit_transform(X.tolist()), [[4, 2, 2], [4, 4, 6]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    frames = pytest.importorskip(library)
    X = [
        frames.DataFrame({"hour": [0.0, 3.0], "pulse": [60.0, None]}),
        frames.DataFrame({"hour": [1.0], "pulse": [None]}),
    ]
    X[1] = frames.DataFrame({"hour": [1.0], "pulse": np.array([NAN])})
    imputer = SequenceImputer(time_feature="hour", add_indicator=True, add_time_since=True)
    first, second = imputer.fit_transform(X)
    assert type(first) is frames.DataFrame
    names = ["hour", "pulse", "missingindicator_pulse", "timesince_pulse"]
    assert list(first.columns) == imputer.get_feature_names_out().tolist() == names
    assert_array_equal(first.to_numpy(), [[0, 60, 0, 0], [3, 60, 1, 3]])
    assert_array_equal(second.to_numpy(), [[1, 60, 1, 0]])


def test_frames_with_other_labels_and_index():
    pd = pytest.importorskip("pandas")
    X = [pd.DataFrame([[1.0, NAN], [NAN, 2.0]], index=["p", "q"])]
    (filled,) = SequenceImputer().fit_transform(X)
    assert filled.index.tolist() == ["p", "q"]
    assert filled.columns.tolist() == [0, 1]
    (added,) = SequenceImputer(add_indicator=True).fit_transform(X)
    assert added.columns.tolist() == ["0", "1", "missingindicator_0", "missingindicator_1"]
    nullable = [pd.DataFrame({"a": pd.array([1, None], dtype="Int64")})]
    assert SequenceImputer().fit_transform(nullable)[0]["a"].tolist() == [1, 1]


# In company


def test_pipeline_and_search(X):
    y = np.arange(len(X)) % 2
    network = RNNSequenceClassifier(hidden_size=2, max_iter=1, learning_rate="cosine", random_state=0)
    pipeline = make_pipeline(SequenceImputer(), SequenceScaler(), network)
    search = GridSearchCV(pipeline, {"sequenceimputer__add_indicator": [False, True]}, cv=2).fit(X, y)
    assert search.predict(X).shape == (20,)


def test_pickle_and_clone(X):
    imputer = SequenceImputer(add_time_since=True).fit(X)
    for a, b in zip(pickle.loads(pickle.dumps(imputer)).transform(X), imputer.transform(X), strict=True):
        assert_array_equal(a, b)
    assert clone(imputer).get_params() == imputer.get_params()


def test_X_is_not_modified(X):
    before = [x.copy() for x in X]
    SequenceImputer().fit_transform(X)
    for x, old in zip(X, before):
        assert_array_equal(x, old)


# Messages


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({}, [np.array([[NAN]])], "No value of X was observed"),
        ({}, [np.array([[np.inf]])], "Input X[0] contains infinity"),
        ({}, [np.array([["a"]])], "X[0] has dtype <U1, but numbers are needed."),
        ({}, [], "X is empty"),
        (
            {"time_feature": 2},
            [np.ones((2, 2))],
            "time_feature is 2, but it must be a name, or an integer from 0 to 1.",
        ),
        ({"time_feature": -1}, [np.ones((2, 2))], "time_feature is -1, but"),
        ({"time_feature": "t"}, [np.ones((2, 2))], "time_feature is 't', but X has no column of that name."),
        ({"time_feature": 0}, [np.ones(2)], "time_feature is 0, but X has one feature a step"),
        (
            {"time_feature": 0},
            [np.ones((1, 2)), np.array([[2.0, 1.0], [1.0, 1.0]])],
            "The time of X[1] at step 1, feature 0, is before that of the step before.",
        ),
        ({"time_feature": 0}, [np.array([[NAN, 1.0]])], "The time of X[0] at step 0, feature 0, is missing."),
        ({"initial_strategy": "mode"}, [np.ones(2)], "The 'initial_strategy' parameter of SequenceImputer must be"),
        ({"fill_value": NAN}, [np.ones(2)], "fill_value is nan, but it must be a finite number."),
        ({"add_indicator": "yes"}, [np.ones(2)], "The 'add_indicator' parameter of SequenceImputer must be"),
        ({"missing_values": None}, [np.ones(2)], "The 'missing_values' parameter of SequenceImputer must be"),
        ({"missing_values": "?"}, [np.ones(2)], "The 'missing_values' parameter of SequenceImputer must be"),
    ],
)
def test_what_is_refused(params, X, message):
    imputer = SequenceImputer().fit([np.ones((2, 3))])
    imputer.set_params(**params)
    before = dict(vars(imputer))
    with raises(ValueError, message):
        imputer.fit(X)
    assert vars(imputer) == before


def test_later_times_are_checked():
    imputer = SequenceImputer(time_feature=0).fit([np.ones((2, 2))])
    with raises(ValueError, "The time of X[0] at step 1, feature 0, is before"):
        imputer.transform([np.array([[2.0, 1.0], [1.0, 1.0]])])


def test_other_features_than_in_fit(X):
    with raises(ValueError, "X[0] has 2 features per step, but SequenceImputer was fitted on sequences of 3."):
        SequenceImputer().fit(X).transform([np.ones((2, 2))])


def test_not_fitted(X):
    for method in (SequenceImputer().transform, SequenceImputer().get_feature_names_out):
        with pytest.raises(NotFittedError):
            method(X)
