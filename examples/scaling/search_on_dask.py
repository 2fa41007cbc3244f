"""Search on a cluster: the fits of a grid search on workers of dask.

Starts two workers on this machine, searches here and there, and prints how often X crossed the wire. On a cluster of
your own, the address of its scheduler replaces ``LocalCluster``. Needs ``pip install 'dask[distributed]'``.
"""

import pickle
import sys
import time

import numpy as np
import psutil
from distributed import Client, LocalCluster
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler


def make_search():
    rnn = RNNSequenceClassifier(learning_rate="cosine", learning_rate_init=0.01, max_iter=5, random_state=0)
    model = Pipeline([("scale", SequenceScaler()), ("classify", rnn)])
    grid = {"classify__cell": ["tanh", "gru"], "classify__hidden_size": [4, 8]}
    return GridSearchCV(model, grid, scoring="neg_log_loss", cv=3)


def fit_on_dask(search, X, y):
    with parallel_config("dask", scatter=[X, y]):  # to each worker once
        return search.fit(X, y)


def fit_without_scattering(search, X, y):
    with parallel_config("dask"):
        return search.fit(X, y)


def make_data(n_sequences):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n_steps, 8)) for n_steps in rng.integers(20, 60, size=n_sequences)]
    return X, np.array([x[:, 0].mean() > 0 for x in X])


def as_object_array(X):
    array = np.empty(len(X), dtype=object)
    array[:] = X
    return array


def bytes_sent():
    """Return how much has crossed the wire so far, which is the loopback interface where all are on one machine."""
    return sum(n.bytes_sent for name, n in psutil.net_io_counters(pernic=True).items() if name.startswith("lo"))


def compare(n_sequences):
    X, y = make_data(n_sequences)
    size, here = len(pickle.dumps(X)), clone(make_search()).fit(X, y)
    n_fits = len(here.cv_results_["params"]) * here.n_splits_
    print(f"X has {size / 1e6:.1f} MB; {n_fits} fits, and one of the best on all of X, which is done here")
    for name, fit, data in [
        ("a list, as it is", fit_without_scattering, X),
        ("a list, scattered", fit_on_dask, X),
        ("an array of sequences, as it is", fit_without_scattering, as_object_array(X)),
    ]:
        sent, start = bytes_sent(), time.perf_counter()
        there = fit(make_search(), data, y)
        seconds, times = time.perf_counter() - start, (bytes_sent() - sent) / size
        np.testing.assert_allclose(there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"])
        print(f"{name}: {times:.1f} times X, {seconds:.1f} s")


if __name__ == "__main__":  # the workers import this file
    two_workers = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0")
    with two_workers, Client(two_workers):
        compare(int(sys.argv[1]) if sys.argv[1:] else 2000)
