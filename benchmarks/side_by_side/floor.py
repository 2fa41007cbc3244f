"""The floor: the products of a training step alone, as bare np.matmul in the shapes that skrnn gives them.

Per step of time forward W_h h and backward W_h^T d_a; per batch the input projection, the gradients of W_x and W_h and
the head. On one thread, or with the batch's columns split among Python threads, BLAS held at one thread.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from . import work

threadpool_limits(1)


def training(point, cell, n_batches, n_epochs, threads=1):
    """As many batches as the training of the same arguments has."""
    n = -(-point.B // threads)
    shards = [_products(point, cell, n) for _ in range(threads)]
    n_updates = n_batches * n_epochs
    if threads == 1:
        return lambda: [shards[0]() for _ in range(n_updates)]
    pool = ThreadPoolExecutor(threads)
    return lambda: [list(pool.map(lambda shard: shard(), shards)) for _ in range(n_updates)]


def _products(point, cell, n):
    """A function that multiplies for one batch of n columns."""
    F, H, K, _, T = point[:5]
    rows = work.N_GATES[cell] * H
    rng = np.random.default_rng(0)

    def array(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    W_x, W_h, W_y = array(rows, F + 1), array(rows, H), array(K, H)
    x = array(T, n, F + 1)
    a, d_a, h = array(T, rows, n), array(T, rows, n), array(T, H, n)
    t, d_h, logits = array(rows, n), array(H, n), array(K, n)
    d_a_all, h_all, x_all = array(rows, T * n), array(H, T * n), x.reshape(T * n, F + 1)
    d_W_x, d_W_h, d_W_y = np.empty_like(W_x), np.empty_like(W_h), np.empty_like(W_y)
    states, gradients = list(h), list(d_a)
    matmul = np.matmul

    def multiply():
        matmul(W_x, x.transpose(0, 2, 1), a)
        for h_prev in states:
            matmul(W_h, h_prev, t)
        matmul(W_y, states[-1], logits)
        matmul(W_y.T, logits, d_h)
        matmul(logits, states[-1].T, d_W_y)
        for gradient in gradients:
            matmul(W_h.T, gradient, d_h)
        matmul(d_a_all, x_all, d_W_x)
        matmul(d_a_all, h_all.T, d_W_h)

    return multiply
