"""Conformal predictors of crepes around classifiers and regressors."""

import numpy as np
import pytest
from integration.libraries import need
from numpy.testing import assert_array_equal

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor
from skrnn.sequences import to_column

need("crepes")
from crepes import WrapClassifier, WrapRegressor  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
Y = np.arange(120) % 2
X = [rng.normal(2 * label, 1, size=(n, 2)) for label, n in zip(Y, rng.integers(2, 6, 120))]

each_container = pytest.mark.parametrize("container", [list, to_column])


@each_container
def test_sets_of_classes(container):
    network = RNNSequenceClassifier(4, max_iter=15, learning_rate_init=0.05, random_state=0)
    wrapped = WrapClassifier(network)
    wrapped.fit(container(X[:40]), Y[:40])

    wrapped.calibrate(container(X[40:80]), Y[40:80], seed=0)
    p_values = wrapped.predict_p(container(X[80:]), seed=0)
    sets = wrapped.predict_set(container(X[80:]), confidence=0.9, seed=0)

    assert p_values.shape == (40, 2)
    assert_array_equal(wrapped.predict(container(X)), network.predict(X))
    assert np.mean([label in labels for label, labels in zip(Y[80:], sets, strict=True)]) > 0.75
    assert wrapped.evaluate(container(X[80:]), Y[80:], confidence=0.9, seed=0)["error"] < 0.25


@each_container
def test_intervals(container):
    sums = np.array([x[:, 0].mean() for x in X])
    wrapped = WrapRegressor(RNNSequenceRegressor(4, max_iter=15, learning_rate_init=0.05, random_state=0))
    wrapped.fit(container(X[:40]), sums[:40])

    wrapped.calibrate(container(X[40:80]), sums[40:80])
    intervals = wrapped.predict_int(container(X[80:]), confidence=0.9)

    assert intervals.shape == (40, 2)
    assert ((intervals[:, 0] <= sums[80:]) & (sums[80:] <= intervals[:, 1])).mean() > 0.75
