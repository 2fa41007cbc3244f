"""skrnn through its public interface, as a user would call it."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from skrnn import RNNSequenceClassifier
from skrnn.core.batches import PackedSequences
from skrnn.core.network import Network
from skrnn.core.workspace import Workspace

from . import work

warnings.simplefilter("ignore", ConvergenceWarning)

BLOCKS = {"tanh": [0], "gru": [0, 1, 2], "lstm": [2, 1, 0, 3]}  # blocks of H rows, in PyTorch's order


def training(point, cell, n_batches, n_epochs, n_jobs=None):
    """A whole `fit`: validation, batching, clipping and penalty included."""
    X, y = work.draw(point, n_batches * point.B)
    model = _classifier(point, cell, max_iter=n_epochs, n_jobs=n_jobs)
    return lambda: model.fit(X, y)


def loss_gradient(point, cell):
    """Loss and gradient norm of one batch at `work.weights_of`."""
    X, y = work.draw(point, point.B)
    network = Network.build(cell, point.F, point.H, point.K)
    params = np.zeros(network.layout.size, np.float32)
    _load(network, params, cell, work.weights_of(cell, point.F, point.H, point.K))
    batch = network.stack.batch(
        PackedSequences.from_arrays(list(X), np.float32),
        np.arange(point.B),
        y,
        np.full(point.B, 1 / point.B, np.float32),
    )
    gradient = np.zeros_like(params)
    loss = network.loss_gradient(params, batch, Workspace(np.float32), gradient)
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
