"""skrnn through its public interface, as a user would call it."""

import time
import warnings

import joblib
import numpy as np
from joblib.externals.loky import get_reusable_executor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info

from skrnn import RNNSequenceClassifier
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace

from . import work

warnings.simplefilter("ignore", ConvergenceWarning)

BLOCKS = {"tanh": [0], "gru": [0, 1, 2], "lstm": [2, 1, 0, 3]}  # blocks of H rows, in PyTorch's order


def training(point, cell, n_batches, n_epochs, n_jobs=None):
    """A whole `fit`: validation, batching, clipping and penalty included."""
    X, y = work.draw(point, n_batches * point.B)
    model = _classifier(point, cell, max_iter=n_epochs, n_jobs=n_jobs)
    return lambda: model.fit(X, y)


def predicting(point, cell, n):
    """`predict_proba` of n sequences; for one of them its parts are timed by `kernel`."""
    model = _fitted(point, cell)
    X, _ = work.draw(point, n)
    return lambda: model.predict_proba(X)


def kernel(point, cell):
    """The network's own prediction of one sequence, without the estimator's validation and conversion."""
    model = _fitted(point, cell)
    X, _ = work.draw(point, 1)
    data, workspace = PackedSequences.from_arrays(list(X), np.float32), Workspace(np.float32)
    return lambda: np.exp(model._fitted.network.predict(model._fitted.params, data, workspace))


def _fitted(point, cell):
    X, y = work.draw(point, max(point.B, point.K))
    return _classifier(point, cell, max_iter=1).fit(X, y)


def searching(n_epochs, n_jobs, estimator_n_jobs):
    """Seconds of a search over four fits of a GRU: all of it, and each fit."""
    point = work.SEARCH
    X, y = work.draw(point, 2 * work.N_BATCHES * point.B)
    model = _classifier(point, "gru", max_iter=n_epochs, n_jobs=estimator_n_jobs)
    search = GridSearchCV(model, {"alpha": [1e-4, 1e-3]}, cv=2, n_jobs=n_jobs, refit=False)
    if n_jobs > 1:
        joblib.Parallel(n_jobs)(joblib.delayed(_warm_up)() for _ in range(4 * n_jobs))
    start = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - start
    get_reusable_executor().shutdown()  # it would keep this process alive
    return seconds, np.repeat(search.cv_results_["mean_fit_time"], 2).tolist()  # two folds


def _warm_up():
    """In a worker of the pool: import what a fit imports."""
    X, y = work.draw(work.SMALL, 8)
    _classifier(work.SMALL, "gru", max_iter=1).fit(X, y)
    time.sleep(0.5)  # so that every worker has one


def loss_gradient(point, cell):
    """Loss and gradient norm of one batch at `work.weights_of`."""
    X, y = work.draw(point, point.B)
    network = Network.build(cell, point.F, point.H, point.K)
    params = np.zeros(network.layout.size, np.float32)
    _load(network, params, cell, work.weights_of(cell, point.F, point.H, point.K))
    batch = network.batcher.batch(
        PackedSequences.from_arrays(list(X), np.float32),
        np.arange(point.B),
        y,
        np.full(point.B, 1 / point.B, np.float32),
    )
    gradient = np.zeros_like(params)
    loss, _ = network.loss_gradient(params, batch, None, Workspace(np.float32), gradient)
    return loss, float(np.linalg.norm(gradient))


def _classifier(point, cell, **kwargs):
    return RNNSequenceClassifier(
        point.H,
        cell=cell,
        batch_size=point.B,
        shuffle=not point.high,  # ragged: the same batches for all, in the order of the data, which is random
        tol=0,
        n_iter_no_change=10**6,
        random_state=0,
        **kwargs,
    )


def _load(network, params, cell, weights):
    views = network.layout.views(params)
    for name in ("W_x", "W_h", "b"):
        blocks = np.split(weights[name], work.N_GATES[cell])
        views["rnn.0"][name][...] = np.concatenate([blocks[k] for k in BLOCKS[cell]])
    if cell == "gru":
        views["rnn.0"]["b_hn"][...] = weights["b_hn"]
    views["head"]["W_y"][...], views["head"]["b_y"][...] = weights["W_y"], weights["b_y"]


def blas():
    """NumPy's BLAS in words."""
    (pool,) = (pool for pool in threadpool_info() if pool["user_api"] == "blas" and "numpy" in pool["filepath"])
    return (
        f"{pool['internal_api']} {pool['version']}, kernels for {pool['architecture']}, {pool['num_threads']} threads"
    )
