"""The validation of X by itself, under the name of an estimator for its messages."""

import numpy as np
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from skrnn._validation.features import validate_sequences


class RNNSequenceClassifier(BaseEstimator):
    """Nothing but the validation."""

    def fit(self, X, dtype=None):
        self.sequences = validate_sequences(self, X, reset=True, dtype=dtype)
        return self

    def read(self, X, dtype=None):
        return validate_sequences(self, X, reset=False, dtype=dtype)


def fit(X):
    return RNNSequenceClassifier().fit(X)


def steps(sequences):
    """Split the packed steps again, without the column of ones."""
    assert_array_equal(sequences.steps[:, -1], 1)
    return np.split(sequences.steps[:, :-1], np.cumsum(sequences.lengths)[:-1])
