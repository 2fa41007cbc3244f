"""Searches on workers of dask, in processes of their own: the scores of a search at home, and what crosses the wire."""

import runpy
from pathlib import Path
from typing import ClassVar

import joblib
import numpy as np
import pytest
from integration.libraries import need
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn.preprocessing import SequenceScaler

distributed = need("distributed")
SCRIPT = Path(__file__).parents[2] / "examples" / "scaling" / "search_on_dask.py"
script = runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


class CountedList(list):
    """Tells how often it is pickled, as a plain list; like one, it has no weak references."""

    __slots__ = ()
    n_pickled: ClassVar[int] = 0

    def __reduce_ex__(self, protocol):
        CountedList.n_pickled += 1
        return list, (list(self),)


@pytest.fixture
def data():
    X, y = script["make_data"](60)
    CountedList.n_pickled = 0
    return CountedList(X), y


@pytest.fixture(scope="module")
def at_home():
    return script["make_search"]().fit(*script["make_data"](60))


def assert_same_search(search, expected, X):
    assert search.cv_results_["params"] == expected.cv_results_["params"]
    for name, scores in expected.cv_results_.items():
        if name.endswith("test_score"):
            assert_allclose(search.cv_results_[name], scores, err_msg=name)
    assert_allclose(search.predict_proba(X), expected.predict_proba(X))


def test_the_search_is_the_one_at_home(client, data, at_home):
    X, y = data
    search = script["fit_on_dask"](script["make_search"](), X, y)
    with joblib.parallel_config("threading", n_jobs=2):
        on_threads = script["make_search"]().fit(X, y)

    assert_same_search(search, at_home, X)
    assert_same_search(on_threads, at_home, X)


def test_a_scattered_list_crosses_the_wire_once(client, data):
    script["fit_on_dask"](script["make_search"](), *data)

    assert CountedList.n_pickled == 1


def test_a_list_crosses_the_wire_with_each_batch_of_fits(client, data):
    script["fit_without_scattering"](script["make_search"](), *data)

    assert CountedList.n_pickled > 2  # fits that take no time are sent several at a time


def test_an_array_is_scattered_by_joblib(client):
    X, y = script["make_data"](130)  # joblib scatters what has more than 1,000 bytes, references in an array of objects
    array = script["as_object_array"](X)
    array[0] = CountedList(X[0])
    CountedList.n_pickled = 0
    with joblib.parallel_config("dask"):
        cross_validate(RNNSequenceClassifier(hidden_size=2, max_iter=1, learning_rate="cosine"), array, y, cv=4)

    assert CountedList.n_pickled == 1


def look_up(rows, path):
    """Return sequences by number, from a file that every worker sees."""
    with np.load(path) as file:
        return [file[f"arr_{row}"] for row in rows[:, 0]]


def test_workers_look_sequences_up_by_their_row_numbers(client, tmp_path):
    X, y = script["make_data"](30)
    np.savez(tmp_path / "X.npz", *X)
    read = FunctionTransformer(look_up, kw_args={"path": tmp_path / "X.npz"})
    rnn = RNNSequenceClassifier(hidden_size=4, learning_rate="cosine", max_iter=2, random_state=0)
    with joblib.parallel_config("dask"):
        scores = cross_val_score(make_pipeline(read, rnn), np.arange(len(X))[:, np.newaxis], y, cv=3)

    assert_allclose(scores, cross_val_score(rnn, X, y, cv=3))


SEQUENCES = script["make_data"](40)[0]
TASKS = {
    "labels": (RNNSequenceClassifier, [x.sum() > 0 for x in SEQUENCES]),
    "numbers": (RNNSequenceRegressor, [x.mean() for x in SEQUENCES]),
    "labels of steps": (RNNSequenceTagger, [np.where(x[:, 0] > 0, "up", "down") for x in SEQUENCES]),
    "tokens": (RNNNextTokenModel, None),
}


@pytest.mark.parametrize(("estimator", "y"), TASKS.values(), ids=TASKS)
def test_every_estimator_comes_back_fitted(client, estimator, y):
    rnn = estimator(hidden_size=4, learning_rate="cosine", max_iter=2, random_state=0)
    model, X = make_pipeline(SequenceScaler(), rnn), SEQUENCES
    if y is None:
        model, X = rnn, ["abab", "abc", "ba", "cab"] * 5
    expected = cross_validate(model, X, y, cv=2, return_estimator=True)
    with joblib.parallel_config("dask", scatter=[X]):
        results = cross_validate(clone(model), X, y, cv=2, return_estimator=True)

    assert_allclose(results["test_score"], expected["test_score"])
    for there, here in zip(results["estimator"], expected["estimator"]):
        for x, expected_x in zip(there.predict(X), here.predict(X)):
            assert_array_equal(x, expected_x)


def test_an_error_on_a_worker_is_that_of_the_fit(client):
    model = RNNSequenceClassifier(hidden_size=4, max_iter=1, learning_rate="cosine")
    search = GridSearchCV(model, {"learning_rate_init": [0.1, 0.2]}, cv=2, error_score="raise")

    message = r"Input X\[\d+\] contains NaN. It is at step 0"
    with joblib.parallel_config("dask"), pytest.raises(ValueError, match=message):
        search.fit([*SEQUENCES[:-1], SEQUENCES[-1] * np.nan], [0, 1] * 20)


def test_the_comparison_of_the_script(client, capsys):
    script["compare"](60)

    assert capsys.readouterr().out.count("times X") == 3
