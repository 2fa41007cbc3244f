"""What the loops of all cells have in common: small loops over one or two blocks of numbers.

With more blocks in one loop the compiler cannot tell that they do not overlap, and computes number by number.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Floats, Ints
from .functions import sigmoid, tanh
from .loops import part


@part
def add_to(a: Floats, b: Floats) -> None:
    """Add b (n,) to a (n,)."""
    for k in range(a.size):
        a[k] += b[k]


@part
def tanh_of(a: Floats) -> None:
    """Overwrite a (n,) with its hyperbolic tangent."""
    for k in range(a.size):
        a[k] = tanh(a[k])


@part
def relu_of(a: Floats) -> None:
    """Overwrite a (n,) with what is positive of it; NaN stays."""
    zero = a.dtype.type(0)
    for k in range(a.size):
        a[k] = zero if a[k] < zero else a[k]


@part
def sigmoid_of(a: Floats) -> None:
    """Overwrite a (n,) with its logistic function."""
    for k in range(a.size):
        a[k] = sigmoid(a[k])


@part
def flush(a: Floats, least: float) -> None:
    """Overwrite with zero what is below `least` in size; NaN stays."""
    zero = a.dtype.type(0)
    for k in range(a.size):
        a[k] = zero if abs(a[k]) < least else a[k]


@part
def add_output_gradient(d_h: Floats, d_output: Floats, columns: Ints, t: int) -> None:
    """Add to d_h (H, n) the gradient (L, H, n) of step t, in the columns (L, 2) that have one."""
    first, last = columns[t, 0], columns[t, 1]
    if first < last:
        for i in range(d_h.shape[0]):
            for j in range(first, last):
                d_h[i, j] += d_output[t, i, j]


@part
def add_product(
    d_a: Floats, columns: Floats, is_last: bool, d_block: Floats, block: Floats, n_filled: int, d_W: Floats, u: Floats
) -> int:
    """Add the product of a step's d_a (rows, n) and columns (m, n) to d_W (rows, m): how full the blocks are then.

    A product of few columns is no work beside the sum, so they are collected in blocks (rows, N) and (m, N), unless
    these have no columns. `u` is scratch of the shape of d_W.
    """
    n, N = d_a.shape[1], d_block.shape[1]
    if N == 0:
        np.dot(d_a, columns.T, u)
    else:
        put(d_a, d_block, n_filled)
        put(columns, block, n_filled)
        n_filled += n
        if n_filled < N and not is_last:
            return n_filled
        d_block[:, n_filled:] = 0
        block[:, n_filled:] = 0
        np.dot(d_block, block.T, u)
    add_to(d_W.reshape(-1), u.reshape(-1))
    return 0


@part
def multiply(W: Floats, h: Floats, x: Floats) -> Floats:
    """Product of W (rows, H + K) with the states h (H, n) and the inputs x (n, K) below them."""
    H, n = h.shape
    K = x.shape[1]
    product = np.empty((len(W), n), W.dtype)
    if K == 0:
        np.dot(W, h, product)
        return product
    columns = np.empty((H + K, n), W.dtype)
    columns[:H] = h
    for i in range(K):
        for j in range(n):
            columns[H + i, j] = x[j, i]
    np.dot(W, columns, product)
    return product


@part
def put(step: Floats, out: Floats, first: int) -> None:
    """Copy a step (rows, n) into columns of out (rows, N), from the first on."""
    for i in range(step.shape[0]):
        for j in range(step.shape[1]):
            out[i, first + j] = step[i, j]
