"""Several labels for each sequence, or none."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_predict

from skrnn import RNNSequenceClassifier
from skrnn.core.data.batch import Batcher
from skrnn.core.data.sequences import PackedSequences
from skrnn.core.model.losses import BinaryCrossEntropy
from skrnn.core.model.network import Network
from skrnn.core.workspace import Workspace
from skrnn.inspection import check_gradient

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
X = [rng.normal(size=(n, 2)) for n in rng.integers(1, 7, size=40)]
Y = np.array([[x[:, 0].sum() > 0, x[:, 1].sum() > 0, x[-1, 0] > 0] for x in X]).astype(int)
SMALL = {"hidden_size": 8, "max_iter": 80, "learning_rate_init": 0.02, "random_state": 0}


def test_each_label_is_learned_by_itself():
    model = RNNSequenceClassifier(**SMALL).fit(X, Y)

    assert_array_equal(model.classes_, [0, 1, 2])
    proba = model.predict_proba(X)
    assert proba.shape == (40, 3)
    assert not np.allclose(proba.sum(axis=1), 1)
    assert_array_equal(model.predict(X), proba > 0.5)
    assert_allclose(np.log(proba), model.predict_log_proba(X))
    assert model.score(X, Y) == accuracy_score(Y, model.predict(X)) > 0.9
    assert_allclose(model.decision_function(X), np.log(proba) - np.log1p(-proba), rtol=1e-6)
    loss = -np.where(Y == 1, np.log(proba), np.log1p(-proba)).sum(axis=1).mean()
    later = RNNSequenceClassifier(**SMALL, warm_start=True, alpha=0).fit(X, Y)
    assert_allclose(later.set_params(max_iter=1).fit(X, Y).loss_, loss, rtol=0.2)


def test_the_loss_has_its_gradient():
    network = Network.build("gru", 2, 3, 3, is_multilabel=True)
    sequences = PackedSequences.from_arrays(X[:5], np.float64)
    batch = Batcher().batch(sequences, np.arange(5), Y[:5], rng.uniform(0.5, 1, 5))

    def loss_gradient(params):
        gradient = np.zeros_like(params)
        loss, _ = network.loss_gradient(params, batch, None, Workspace(np.float64), gradient)
        return loss, gradient

    assert check_gradient(loss_gradient, rng.normal(size=network.layout.size), layout=network.layout).passed


@pytest.mark.parametrize("far", [-1e4, 1e4])
def test_the_loss_is_finite_everywhere(far):
    raw = np.full((1, 2, 1), far)
    loss = BinaryCrossEntropy(2).loss_gradient(raw, np.array([[[0, 1]]]), np.ones((1, 1)))

    assert loss == 1e4
    assert_array_equal(np.abs(raw).sum(), 1)


@pytest.mark.parametrize(
    "y",
    [Y.tolist(), Y.astype(bool), Y.astype(float), pd.DataFrame(Y, columns=list("abc")), sparse.csr_matrix(Y)],
    ids=["lists", "bool", "float", "frame", "sparse"],
)
def test_indicators_in_any_container(y):
    params = {**SMALL, "max_iter": 2}

    assert_array_equal(
        RNNSequenceClassifier(**params).fit(X, y).predict_proba(X),
        RNNSequenceClassifier(**params).fit(X, Y).predict_proba(X),
    )


def test_with_everything_around_it():
    model = RNNSequenceClassifier(**{**SMALL, "max_iter": 3}, early_stopping=True, scoring=None)
    model.fit(X, Y, X_val=X, y_val=Y)
    model.set_params(scoring="loss").fit(X, Y)
    grid = GridSearchCV(model.set_params(scoring="accuracy"), {"hidden_size": [2, 4]}, cv=2).fit(X, Y)

    assert cross_val_predict(model, X, Y, cv=2).shape == Y.shape
    assert_array_equal(pickle.loads(pickle.dumps(grid.best_estimator_)).predict(X), grid.predict(X))
    parts = RNNSequenceClassifier(hidden_size=2).partial_fit(X[:20], Y[:20]).partial_fit(X[20:], Y[20:])
    assert parts.n_iter_ == 2


def test_weights_and_repetition_are_the_same():
    weights = np.arange(40) % 3
    repeated = np.repeat(np.arange(40), weights)
    params = {**SMALL, "max_iter": 3}
    weighted = RNNSequenceClassifier(**params).fit(X, Y, sample_weight=weights)

    assert_array_equal(
        weighted.predict_proba(X),
        RNNSequenceClassifier(**params).fit([X[i] for i in repeated], Y[repeated]).predict_proba(X),
    )


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda m: m.set_params(class_weight="balanced").fit(X, Y), "class_weight needs a y of one label for each"),
        (lambda m: m.fit(X, Y * 2), "y should be a 1d array, got an array of shape"),
        (lambda m: m.fit(X, Y).score(X, Y[:, :2]), "y has 2 columns, but the model knows 3 labels"),
        (lambda m: m.fit(X, Y).score(X, Y[:, 0]), "y is one label for each sequence, but the model was fitted on an"),
        (lambda m: m.fit(X, Y[:, 0]).score(X, Y), "y is an indicator matrix, but the model was fitted on one label"),
        (lambda m: m.fit(X, Y[:20]), "inconsistent numbers of samples"),
        (lambda m: m.fit([x[:3] for x in X if len(x) > 2], Y.tolist()), "Use RNNSequenceTagger if they are labels of"),
    ],
)
def test_what_it_is_not(fit, message):
    with pytest.raises(ValueError, match=message):
        fit(RNNSequenceClassifier(hidden_size=2, max_iter=1))
