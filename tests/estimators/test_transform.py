"""The pooled states that classifier and regressor give other estimators."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 9, size=30)]
Y = np.arange(30) % 3
SMALL = {"hidden_size": 4, "max_iter": 5, "random_state": 0}


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_the_head_predicts_from_it(pooling, bidirectional, n_layers):
    model = RNNSequenceClassifier(**SMALL, pooling=pooling, bidirectional=bidirectional, n_layers=n_layers).fit(X, Y)
    states, weights = model.transform(X), model.weights_

    assert states.shape == (30, 8 if bidirectional else 4)
    raw = states @ weights["head.W_y"].T + weights["head.b_y"]
    assert_allclose(model.predict_log_proba(X), log_softmax(raw, axis=1), rtol=1e-9)


def test_its_columns_have_names():
    model = RNNSequenceRegressor(**SMALL, bidirectional=True).fit(X, Y)

    assert_array_equal(model.get_feature_names_out(), [f"rnnsequenceregressor{k}" for k in range(8)])


def test_it_has_the_dtype_of_the_network():
    model = RNNSequenceClassifier(**SMALL).fit([x.astype(np.float32) for x in X], Y)

    assert model.transform(X).dtype == np.float32


def test_features_for_another_estimator():
    pipe = make_pipeline(RNNSequenceClassifier(**SMALL), LogisticRegression()).fit(X, Y)

    assert pipe.predict(X).shape == (30,)
    assert_array_equal(pipe[0].transform(X), pipe[0].fit_transform(X, Y))


def test_of_tokens():
    model = RNNSequenceClassifier(**SMALL).fit(["ab", "ba", "b"], [0, 1, 0])

    assert model.transform(["ab"]).shape == (1, 4)


def test_nothing_is_pooled_where_each_step_has_a_number():
    model = RNNSequenceRegressor(**SMALL).fit(X, [x[:, 0] for x in X])
    with pytest.raises(ValueError, match="transform needs a model that pools, but this RNNSequenceRegressor was"):
        model.transform(X)
    assert not hasattr(RNNSequenceTagger(), "transform")
