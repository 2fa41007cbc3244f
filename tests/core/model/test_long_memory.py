"""Gated cells remember over dozens of steps; benchmarks/long_memory.py has up to 100."""

import numpy as np
import pytest

from skrnn import RNNSequenceClassifier

N_TOKENS, N_DISTRACTORS, DELAY = 4, 4, 30
ONE_HOT = np.eye(N_TOKENS + N_DISTRACTORS + 1, dtype=np.float32)  # the last one rings the bell


def delayed_copy(n, rng, delays):
    """A token, distractors, a bell: which token was it?"""
    targets = rng.integers(N_TOKENS, size=n)
    distractors = [rng.integers(N_TOKENS, N_TOKENS + N_DISTRACTORS, size=delay) for delay in delays]
    X = [ONE_HOT[np.r_[k, d, N_TOKENS + N_DISTRACTORS]] for k, d in zip(targets, distractors, strict=True)]
    return X, targets


@pytest.mark.filterwarnings("ignore:RNNSequenceClassifier stopped after max_iter")
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_delayed_copy(cell, rng):
    X, y = delayed_copy(400, rng, delays=rng.integers(2, DELAY + 1, size=400))
    X_test, y_test = delayed_copy(500, rng, delays=np.full(500, DELAY))
    model = RNNSequenceClassifier(32, cell=cell, batch_size=25, learning_rate_init=5e-3, max_iter=12, random_state=0)

    assert model.fit(X, y).score(X_test, y_test) > 0.99
