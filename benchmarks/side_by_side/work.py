"""What is timed: the points of the grid, their data, and weights that every library can start from."""

from functools import cache
from typing import NamedTuple

import numpy as np

N_GATES = {"tanh": 1, "gru": 3, "lstm": 4}


class Point(NamedTuple):
    """Features, hidden units, classes, sequences a batch; steps, the same for all or of a distribution."""

    F: int
    H: int
    K: int
    B: int
    low: int
    high: int = 0  # with it the lengths are drawn from low..high
    is_log: bool = False

    def __str__(self):
        steps = str(self.low) if not self.high else f"{self.low}..{self.high}{' log' if self.is_log else ''}"
        return f"{self.F}, {self.H}, {self.K}, {self.B}, {steps}"

    @property
    def max_steps(self):
        return self.high or self.low


FIXED = (
    Point(1, 32, 5, 32, 100),
    Point(10, 64, 10, 32, 100),
    Point(10, 64, 10, 128, 100),
    Point(50, 128, 10, 64, 100),
    Point(64, 256, 10, 128, 100),
    Point(28, 128, 10, 128, 28),
    Point(50, 128, 10, 1, 500),
)
RAGGED = (Point(12, 64, 9, 16, 7, 29), Point(8, 64, 4, 64, 10, 1000, is_log=True))
ONE_STEP = Point(10, 64, 10, 1, 1)
"""For the overhead of a prediction, a difference of two times: lost in the noise where the kernel takes long."""
SEARCH = FIXED[3]
"""What is fitted on a busy machine, and in a search on two processes."""
N_BATCHES = 10
"""Batches an epoch."""
SMALL = Point(3, 8, 4, 6, 5, 9)
"""For the check that all libraries do the same work."""


def lengths_of(point, n, seed=0):
    """Steps (n,) of each sequence."""
    if not point.high:
        return np.full(n, point.low)
    u = np.random.default_rng(seed).random(n)
    if point.is_log:
        return np.exp(np.log(point.low) + u * np.log(point.high / point.low)).round().astype(int)
    return (point.low + u * (point.high - point.low)).round().astype(int)


def draw(point, n, seed=0):
    """Sequences, float32, an array (n, T, F) or a list of arrays (T_i, F), and labels (n,)."""
    rng = np.random.default_rng(seed)
    lengths = lengths_of(point, n, seed)
    steps = rng.standard_normal((lengths.sum(), point.F), dtype=np.float32)
    X = np.split(steps, np.cumsum(lengths)[:-1]) if point.high else steps.reshape(n, point.low, point.F)
    return X, np.arange(n) % point.K  # every class occurs


def padded(X):
    """Padded sequences, zeros behind their ends (n, T, F), and their lengths (n,)."""
    lengths = np.array([len(x) for x in X])
    if isinstance(X, np.ndarray):
        return X, lengths
    full = np.zeros((len(X), lengths.max(), X[0].shape[1]), np.float32)
    for row, x in zip(full, X, strict=True):
        row[: len(x)] = x
    return full, lengths


def batches_of(order, batch_size):
    """An order of sequences, cut into whole batches: (n_batches, batch_size)."""
    return order[: len(order) // batch_size * batch_size].reshape(-1, batch_size)


def weights_of(cell, F, H, K, seed=0):
    """Weights, float32, gates in PyTorch's order (r z n; i f g o), rows as there: W_x (G*H, F), W_h (G*H, H) ..."""
    rng, G = np.random.default_rng(seed), N_GATES[cell]
    shapes = {"W_x": (G * H, F), "W_h": (G * H, H), "b": (G * H,), "b_hn": (H,), "W_y": (K, H), "b_y": (K,)}
    weights = {
        name: rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(H**0.5) for name, shape in shapes.items()
    }
    if cell != "gru":
        weights["b_hn"][:] = 0
    return weights


# Tokens: the characters of Python's standard library

TEXT_SIZE = 5_000_000
COLUMNS, WINDOW = 64, 100
"""Parts of a text that are read at the same time, and characters of each in one batch."""


@cache
def text():
    """One text of `TEXT_SIZE` characters, less where the standard library is smaller."""
    from skrnn.datasets import load_stdlib_text

    return "".join(load_stdlib_text().data)[:TEXT_SIZE]


@cache
def codes():
    """Number of each character of the text, and how many different ones there are."""
    characters, numbers = np.unique(np.frombuffer(text().encode("utf-32-le"), dtype="<U1"), return_inverse=True)
    return numbers.astype(np.int64), len(characters)


def windows(n_windows):
    """Inputs and targets, each (n_windows, WINDOW, COLUMNS)."""
    n_steps = n_windows * WINDOW
    numbers, _ = codes()
    both = (numbers[shift : COLUMNS * n_steps + shift].reshape(COLUMNS, n_windows, WINDOW) for shift in (0, 1))
    return tuple(np.ascontiguousarray(part.transpose(1, 2, 0)) for part in both)
