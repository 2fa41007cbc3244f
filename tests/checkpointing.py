"""What the tests of checkpoints share: estimators with random numbers in every epoch, and fits that are cut off."""

import numpy as np
import pytest
from numpy.testing import assert_equal
from sklearn.base import clone

from skrnn import RNNSequenceClassifier
from skrnn.callbacks import Checkpoint, load_checkpoint

RNG = np.random.default_rng(0)
X = [RNG.standard_normal((n, 2)) for n in RNG.integers(1, 7, size=18)]
Y = np.array(["down", "up"])[[int(x[:, 0].sum() > 0) for x in X]]
STEADY = {"learning_rate": "constant"}


def make(cls=RNNSequenceClassifier, **params):
    """An estimator with random numbers in every epoch, and a plateau every few epochs."""
    defaults = {"hidden_size": 3, "max_iter": 8, "batch_size": 5, "dropout": 0.2, "random_state": 0}
    params = {**defaults, "learning_rate_init": 0.02, "tol": 0.3, "n_iter_no_change": 2, **params}
    if params["random_state"] == "a generator":
        params["random_state"] = np.random.RandomState(3)
    return cls(**params)


class PowerFailureError(Exception):
    """Ends a process, more or less."""


class CutOff:
    """Ends a fit after so many epochs, as a crash would."""

    def __init__(self, after):
        self.after = after

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "epoch" and context.task_id + 1 == self.after:
            raise PowerFailureError


def cut_off(model, after, path, *arguments, every=1, **options):
    """Fit until the crash, and load what it left."""
    model = clone(model).set_callbacks(Checkpoint(path, every_n_epochs=every), CutOff(after))
    with pytest.raises(PowerFailureError):
        model.fit(*arguments, **options)
    return load_checkpoint(path)


def state_of(model):
    """All that is fitted, as plain values."""
    state = model.__getstate__()
    state["attributes"].pop("_skl_callbacks", None)
    if isinstance(model.random_state, np.random.RandomState):
        state["attributes"]["random_state"] = model.random_state.get_state(legacy=False)
    return state


def assert_same(model, other):
    assert_equal(state_of(model), state_of(other))


SLOW = make(hidden_size=30, n_layers=2, max_iter=40, tol=0, n_iter_no_change=100, early_stopping=True)
