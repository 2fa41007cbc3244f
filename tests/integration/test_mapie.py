"""Conformal predictors of MAPIE, of models that are fitted already and of others."""

import numpy as np
import pytest
from integration.libraries import need
from numpy.testing import assert_array_equal

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor
from skrnn.sequences import to_column

need("mapie")
from mapie.classification import CrossConformalClassifier, SplitConformalClassifier  # noqa: E402
from mapie.regression import CrossConformalRegressor, SplitConformalRegressor  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

rng = np.random.default_rng(0)
Y = np.arange(120) % 2
X = [rng.normal(2 * label, 1, size=(n, 2)) for label, n in zip(Y, rng.integers(2, 6, 120))]
PULSES = [x[:, 0] for x in X]
MEANS = np.array([pulse.mean() for pulse in PULSES])
SETTINGS = {"hidden_size": 4, "max_iter": 15, "learning_rate_init": 0.05, "random_state": 0}


class ClassifierByRow(RNNSequenceClassifier):
    """Reads the sequences whose row numbers it is given: MAPIE tries a prediction of zeros first."""

    def fit(self, rows, y, sample_weight=None):
        return super().fit(look_up(rows), y, sample_weight)

    def predict(self, rows):
        return super().predict(look_up(rows))

    def predict_proba(self, rows):
        return super().predict_proba(look_up(rows))


def look_up(rows):
    return to_column(X)[rows[:, 0].astype(int)]


def covers(sets, y):
    return sets[np.arange(len(y)), y, 0].mean() > 0.75


@pytest.mark.parametrize("prefit", [True, False])
def test_sets_of_classes(prefit):
    column, network = to_column(PULSES), RNNSequenceClassifier(**SETTINGS)
    split = SplitConformalClassifier(
        network.fit(column[:40], Y[:40]) if prefit else network, confidence_level=0.9, prefit=prefit
    )
    if not prefit:
        split.fit(column[:40], Y[:40])

    predicted, sets = split.conformalize(column[40:80], Y[40:80]).predict_set(column[80:])

    assert_array_equal(predicted, network.fit(PULSES[:40], Y[:40]).predict(PULSES[80:]))
    assert covers(sets, Y[80:])


@pytest.mark.parametrize("prefit", [True, False])
def test_intervals(prefit):
    column, network = to_column(PULSES), RNNSequenceRegressor(**SETTINGS)
    split = SplitConformalRegressor(
        network.fit(column[:40], MEANS[:40]) if prefit else network, confidence_level=0.9, prefit=prefit
    )
    if not prefit:
        split.fit(column[:40], MEANS[:40])

    _, intervals = split.conformalize(column[40:80], MEANS[40:80]).predict_interval(column[80:])

    low, high = intervals[:, :, 0].T
    assert ((low <= MEANS[80:]) & (MEANS[80:] <= high)).mean() > 0.75


def test_cross_validation_of_several_features():
    column = to_column(X)
    cross = CrossConformalClassifier(RNNSequenceClassifier(**SETTINGS), confidence_level=0.9, cv=3)
    cross.fit_conformalize(column[:80], Y[:80])
    assert covers(cross.predict_set(column[80:])[1], Y[80:])

    cross = CrossConformalRegressor(RNNSequenceRegressor(**SETTINGS), confidence_level=0.9, cv=3)
    cross.fit_conformalize(column[:80], MEANS[:80])
    assert cross.predict_interval(column[80:])[1].shape == (40, 2, 1)


def test_row_numbers_for_several_features():
    rows = np.arange(120)[:, np.newaxis]
    fitted = ClassifierByRow(**SETTINGS).fit(rows[:40], Y[:40])
    assert fitted.n_features_in_ == 1

    split = SplitConformalClassifier(fitted, confidence_level=0.9, prefit=True)
    predicted, sets = split.conformalize(rows[40:80], Y[40:80]).predict_set(rows[80:])

    assert_array_equal(predicted, RNNSequenceClassifier(**SETTINGS).fit(X[:40], Y[:40]).predict(X[80:]))
    assert covers(sets, Y[80:])
