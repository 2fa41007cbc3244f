"""Do the gated cells remember? Two tasks of long time lags, at 50 and 100 steps, for every cell.

Measured, on 2,000 fresh sequences: accuracy, with the epochs and minutes that the training took. A task counts as
solved from 99 % on. Chance is 25 % for temporal order and 12.5 % for delayed copy.

    python benchmarks/long_memory.py

- Temporal order: Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997, experiment 6,
  task 6a. A sequence starts with E and ends with B; in between are random symbols a, b, c, d, except for an X or a Y at
  two places, the first after one to two tenths of the sequence, the second after five to six. The class is the order:
  XX, XY, YX or YY. At 100 steps lengths and places are the paper's (100 to 110, 10 to 20, 50 to 60); at 50 their halves.
- Delayed copy: one of eight tokens is shown, then `delay` tokens drawn from the same eight, which are to be ignored,
  then a bell. The class is the first token. (After "noiseless" and noisy lags of the same paper, experiment 2.)

Symbols are one-hot, in float32. Every training draws its sequences once, and goes over them until the loss of a tenth
that is held out has stopped falling.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNSequenceClassifier, __version__

SETTINGS = dict(
    hidden_size=64,
    learning_rate_init=5e-3,
    batch_size=50,
    max_iter=60,
    early_stopping=True,
    n_iter_no_change=15,
)


def temporal_order(n, n_steps, rng):
    """Sequences (n_steps to 1.1 n_steps, 8), one-hot in the order a b c d X Y E B, and the class of each."""
    tenth = n_steps // 10
    y = rng.integers(4, size=n)
    X = []
    for label in y:
        tokens = rng.integers(4, size=rng.integers(n_steps, n_steps + tenth + 1))
        tokens[rng.integers(tenth, 2 * tenth + 1)] = 4 + label // 2
        tokens[rng.integers(5 * tenth, 6 * tenth + 1)] = 4 + label % 2
        tokens[0], tokens[-1] = 6, 7
        X.append(np.eye(8, dtype=np.float32)[tokens])
    return X, y


def delayed_copy(n, delay, rng):
    """Sequences (delay + 2, 9), one-hot: the token to recall, `delay` random ones, a bell; and the first token."""
    tokens = rng.integers(8, size=(n, delay + 2))
    tokens[:, -1] = 8
    return np.eye(9, dtype=np.float32)[tokens], tokens[:, 0]
