"""The shards of a batch that use the cores while BLAS is held at one thread.

A batch that is split over Python threads degrades gently on a busy machine. On free-threaded Python, where no thread
waits for another one's interpreter lock, smaller batches gain, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from math import sqrt

import numpy as np

from ..core.cells import Cell
from ..core.data.batch import SequenceBatch
from ..core.data.sequences import Sequences
from ..core.model.network import Network
from ..core.model.state import State
from ..core.training.loop import LossGradient
from ..core.workspace import Workspace
from .blas import allowed_threads, guarded
from .threads import run_together

MIN_STEP_WORK = 3 * 2**19
"""Below this much work a step, as `n_shards` counts it, a batch is not split over threads that share a lock."""

MIN_STEP_WORK_FREE = 2**19
"""The same on free-threaded Python, and for compiled kernels, which do not hold the lock."""

MIN_SHARD_UNITS = 2**20
"""Below this many hidden units times steps a prediction is not worth threads."""


def predict_in_shards(
    predict: Callable[..., np.ndarray],
    data: Sequences,
    hidden_size: int,
    dtype: np.dtype,
    n_jobs: int | None,
) -> np.ndarray:
    """What ``predict(data, workspace) -> (n, ...)`` gives for all sequences, large predictions on threads.

    Sequences are split ``k::shards`` after sorting by length, so that every thread has as much to do.
    """
    shards = 1
    if int(data.lengths.sum()) * hidden_size >= MIN_SHARD_UNITS:
        shards = min(allowed_threads(n_jobs), len(data))  # before the guard leaves BLAS one thread
    if shards == 1:
        return guarded(predict, data, Workspace(dtype))
    order = np.argsort(-data.lengths, kind="stable")
    shares = [order[k::shards] for k in range(shards)]

    def run(indices: np.ndarray) -> np.ndarray:
        return predict(data.slices(data.offsets[indices], data.lengths[indices]), Workspace(dtype))

    parts = guarded(run_together, [partial(run, indices) for indices in shares])
    predicted = np.concatenate(parts)
    predicted[np.concatenate(shares)] = predicted.copy()
    return predicted


def n_shards(n_threads: int, cell: Cell, n_columns: float, holds_lock: bool = True) -> int:
    """Into how many shards a batch is worth splitting; depends on shapes, the limit and what holds the lock only.

    What pays is work that one call does: the product of a step, and elementwise work that takes as long as 64 more
    units would. A cell of more gates also makes more calls, so only the root of their number counts. `n_columns` is the
    mean over the steps, since a batch of unequal lengths narrows.
    """
    is_locked = holds_lock and getattr(sys, "_is_gil_enabled", lambda: True)()
    work = sqrt(cell.n_gates) * cell.hidden_size * (cell.hidden_size + 64) * n_columns
    return n_threads if work >= (MIN_STEP_WORK if is_locked else MIN_STEP_WORK_FREE) else 1


def sharded_loss_gradient(network: Network, dtype: np.dtype, n_threads: int) -> LossGradient:
    """The network's `loss_gradient`, large batches over `n_threads` threads, each with a workspace of its own.

    Columns are split ``k::shards`` after sorting, so each shard has lengths of every kind, and the shards'
    gradients are added in their order: the same bits at every run.
    """
    workspaces, holds_lock = [Workspace(dtype) for _ in range(n_threads)], network.stack.kernel.holds_lock
    gradients = np.empty((n_threads, network.layout.size), dtype)

    def run(
        params: np.ndarray, batch: SequenceBatch, state: State | None, columns: np.ndarray, k: int
    ) -> tuple[float, State | None]:
        gradients[k] = 0
        shard = batch.take(columns)
        before = None if state is None else state.take(columns)
        return network.loss_gradient(params, shard, before, workspaces[k], gradients[k])

    def loss_gradient(
        params: np.ndarray, batch: SequenceBatch, state: State | None, out: np.ndarray
    ) -> tuple[float, State | None]:
        shards = min(n_shards(n_threads, network.stack.cell, batch.mean_width, holds_lock), len(batch.indices))
        if shards == 1:
            return network.loss_gradient(params, batch, state, workspaces[0], out)
        columns_of = [np.arange(k, len(batch.indices), shards) for k in range(shards)]
        done = run_together([partial(run, params, batch, state, columns_of[k], k) for k in range(shards)])
        after = None if state is None else state.copy()
        for k, (columns, (_, after_shard)) in enumerate(zip(columns_of, done, strict=True)):
            out += gradients[k]
            if after is not None and after_shard is not None:
                after.put(columns, after_shard)
        return sum(loss for loss, _ in done), after

    return loss_gradient
