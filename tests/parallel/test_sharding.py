"""A batch split among threads: the same gradient, and only where it pays."""

import threading
import time

import numpy as np
import pytest
from helpers import batches, make_set
from threadpoolctl import threadpool_info, threadpool_limits

from skrnn._parallel import sharding
from skrnn.core.cells import CELLS
from skrnn.core.data.dataset import Dataset
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.network import Network


@pytest.mark.parametrize("bidirectional", [False, True])
def test_shards_add_up(bidirectional, rng, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.n_shards", lambda n_threads, *_: n_threads)
    network = Network.build("lstm", 2, 6, 2, bidirectional=bidirectional, dropout=0.3)
    data, params = make_set(rng, 21), network.initialize(rng)
    ((batch, _),) = batches(data, network, 21, rng)
    results = []
    for shards in (1, 2, 3, 3):
        loss_gradient = sharding.sharded_loss_gradient(network, params.dtype, shards)
        out = np.zeros_like(params)
        results.append((loss_gradient(params, batch, None, out)[0], out))

    for loss, out in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-12)
        np.testing.assert_allclose(out, results[0][1], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(results[2][1], results[3][1])


def test_more_shards_than_sequences(rng, monkeypatch):
    monkeypatch.setattr("skrnn._parallel.sharding.n_shards", lambda n_threads, *_: n_threads)
    network = Network.build("tanh", 2, 3, 2)
    data, params = make_set(rng, 2), network.initialize(rng)
    ((batch, _),) = batches(data, network, 2, rng)

    loss_gradient = sharding.sharded_loss_gradient(network, params.dtype, 4)
    assert np.isfinite(loss_gradient(params, batch, None, np.zeros_like(params))[0])


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("n_steps", [3, 3000])
def test_predictions_large_and_small_hold_blas_at_one_thread(rng, monkeypatch, n_steps):
    """Two threads took 1,600 ms instead of 30 for 32 sequences of 100 steps on a busy machine."""
    monkeypatch.setattr("skrnn._parallel.sharding.MIN_SHARD_UNITS", 10_000)
    seen, data = [], PackedSequences.from_rectangle(rng.standard_normal((2, n_steps, 1)))

    def predict(part, workspace):
        seen.extend(blas_threads())
        return part.lengths

    with threadpool_limits(3, user_api="blas"):
        sharding.predict_in_shards(predict, data, 8, np.dtype(float), n_jobs=1)
        assert set(blas_threads()) == {3}

    assert set(seen) == {1}


@pytest.mark.parametrize(
    ("cell", "hidden_size", "n_columns", "is_split"),
    [
        ("tanh", 64, 64, False),
        ("tanh", 64, 128, False),
        ("tanh", 64, 192, True),
        ("tanh", 128, 32, False),
        ("gru", 64, 64, False),
        ("gru", 128, 32, False),
        ("gru", 128, 64, True),
        ("lstm", 64, 32, False),
        ("lstm", 128, 16, False),
        ("lstm", 128, 32, True),
        ("lstm", 256, 1, False),
    ],
)
def test_only_batches_with_enough_work_a_step_are_split(cell, hidden_size, n_columns, is_split, monkeypatch):
    monkeypatch.setattr("sys._is_gil_enabled", lambda: True, raising=False)

    assert sharding.n_shards(4, CELLS[cell](hidden_size), n_columns) == (4 if is_split else 1)


@pytest.mark.parametrize(("is_locked", "shards"), [(True, 1), (False, 4)])
def test_threads_without_a_common_lock_share_smaller_batches(is_locked, shards, monkeypatch):
    monkeypatch.setattr("sys._is_gil_enabled", lambda: is_locked, raising=False)

    assert sharding.n_shards(4, CELLS["tanh"](64), 64) == shards
    assert sharding.n_shards(4, CELLS["tanh"](32), 32) == 1


@pytest.mark.parametrize(("lengths", "n_threads"), [((9,) * 8, 2), ((9,) + (1,) * 7, 1)], ids=["wide", "narrow"])
def test_a_batch_is_split_by_how_wide_it_is_on_average(lengths, n_threads, rng, monkeypatch):
    network = Network.build("relu", 2, 6, 2)  # which pads nothing
    monkeypatch.setattr("sys._is_gil_enabled", lambda: True, raising=False)
    monkeypatch.setattr("skrnn._parallel.sharding.MIN_STEP_WORK", 6 * (6 + 64) * 6)
    data = Dataset(PackedSequences.from_arrays([np.ones((n, 2)) for n in lengths], float), np.arange(8) % 2, np.ones(8))
    ((batch, _),) = batches(data, network, 8, rng)
    params, used = network.initialize(rng), set()
    forward = type(network.stack).forward

    def recorded(*args):
        used.add(threading.get_ident())
        time.sleep(0.05)  # so that no thread does the other one's part
        return forward(*args)

    monkeypatch.setattr(type(network.stack), "forward", recorded)
    loss_gradient = sharding.sharded_loss_gradient(network, params.dtype, 2)
    loss_gradient(params, batch, None, np.zeros_like(params))

    assert len(used) == n_threads
