"""RNNSequenceTagger: labels of steps, chains, what is ignored, and what it says."""

import numpy as np
import pandas as pd
import pytest
from helpers import object_array, raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, check_cv, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceTagger
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

each_loss = pytest.mark.parametrize("loss", ["crf", "log_loss"])


def make(**params):
    return RNNSequenceTagger(**{"hidden_size": 6, "max_iter": 5, "random_state": 0, **params})


@pytest.fixture
def X(rng):
    return [rng.standard_normal((n, 2)) for n in rng.integers(1, 8, 30)]


def signs(X):
    return [["+" if v > 0 else "-" for v in x[:, 0]] for x in X]


def alternating(rng, n):
    """Labels that alternate, of which only the last step tells which they are."""
    X, y = [], []
    for length in rng.integers(4, 9, n):
        labels = (rng.integers(2) + np.arange(length)) % 2
        x = np.zeros((length, 1))
        x[-1] = 2 * labels[-1] - 1
        X.append(x)
        y.append(labels)
    return X, y


# What it learns


@each_loss
def test_it_learns_labels_that_depend_on_both_sides(loss):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n) for n in rng.integers(3, 9, 150)]
    y = [np.roll(x, 1) + np.roll(x, -1) > 0 for x in X]
    for labels in y:
        labels[[0, -1]] = False
    params = {"hidden_size": 16, "max_iter": 60, "batch_size": 25, "learning_rate_init": 0.01, "random_state": 0}
    model = RNNSequenceTagger(loss=loss, **params).fit(X, y)

    assert model.score(X, y) > 0.93
    assert RNNSequenceTagger(loss=loss, bidirectional=False, **params).fit(X, y).score(X, y) < 0.9


def test_a_chain_learns_which_labels_follow_each_other():
    X, y = alternating(np.random.default_rng(0), 100)
    params = {"bidirectional": False, "max_iter": 40, "learning_rate_init": 0.05, "batch_size": 20, "alpha": 0}

    chain, alone = (make(loss=loss, **params).fit(X, y) for loss in ("crf", "log_loss"))

    pairs = chain.weights_["head.W_t"]
    assert pairs[0, 1] > pairs[0, 0] + 1
    assert pairs[1, 0] > pairs[1, 1] + 1
    assert chain.score(X, y) == 1
    assert alone.score(X, y) < 0.8


def test_predictions_of_a_chain_are_the_best_sequence_and_its_marginals(X):
    model = make().fit(X, signs(X))
    proba = model.predict_proba(X)

    assert all(p.shape == (len(x), 2) for p, x in zip(proba, X, strict=True))
    assert_allclose(np.concatenate(proba).sum(axis=1), 1)
    ones = [x for x in X if len(x) == 1]  # of which marginals and the best sequence say the same
    for p, labels in zip(model.predict_proba(ones), model.predict(ones), strict=True):
        assert labels[0] == model.classes_[p[0].argmax()]


@each_loss
def test_the_loss_is_per_labelled_step(loss, X):
    y = signs(X)
    model = make(loss=loss, max_iter=1, early_stopping=True, learning_rate_init=1e-300).fit(X, y, X_val=X, y_val=y)
    assert -model.validation_scores_[0] == pytest.approx(np.log(2), rel=0.3)
    assert model.loss_ == pytest.approx(-model.validation_scores_[0], rel=1e-2)  # and the penalty


@each_loss
def test_ignored_steps_change_nothing(loss, X):
    y = signs(X)
    partly = [["?" if i % 3 == 0 and len(labels) > 1 else v for i, v in enumerate(labels)] for labels in y]
    model = make(loss=loss, ignore_label="?").fit(X, partly)

    assert model.classes_.tolist() == ["+", "-"]
    assert set(np.concatenate(model.predict(X))) <= {"+", "-"}
    flat = np.array([v for labels in partly for v in labels])
    right = np.concatenate(model.predict(X)) == flat
    assert model.score(X, partly) == pytest.approx(right[flat != "?"].mean())
    without = [x for x, labels in zip(X, partly, strict=True) if set(labels) != {"?"}]
    assert len(without) == len(X)
    extra = [*X, np.ones((4, 2))], [*partly, ["?"] * 4]
    for name, value in make(loss=loss, ignore_label="?").fit(*extra).weights_.items():
        assert_array_equal(value, model.weights_[name])


def test_class_weight(X):
    y = signs(X)
    plain, heavy, balanced = (
        make(loss="log_loss", max_iter=20, class_weight=weight).fit(X, y) for weight in (None, {"+": 30}, "balanced")
    )
    share = [np.mean(np.concatenate(model.predict(X)) == "+") for model in (plain, heavy, balanced)]
    assert share[1] > share[0]
    assert heavy._fitted.network.loss.class_weights == (30.0, 1.0)
    counts = {label: sum(labels.count(label) for labels in y) for label in "+-"}
    total = sum(counts.values())
    assert_allclose(balanced._fitted.network.loss.class_weights, [total / (2 * counts[label]) for label in "+-"])


def test_other_class_weights_begin_patience_anew(X):
    model = make(loss="log_loss", warm_start=True).fit(X, signs(X)).fit(X, signs(X))
    assert model._fitted.training.monitor.best_epoch <= 10
    model.set_params(class_weight={"+": 5}).fit(X, signs(X))
    assert model._fitted.training.monitor.best_epoch > 10


# What it takes


@pytest.mark.parametrize("loss", ["crf", "log_loss"])
def test_containers_of_labels(loss, X):
    y = signs(X)
    wanted = make(loss=loss).fit(X, y)
    for labels in (
        tuple(y),
        object_array([np.array(v) for v in y]),
        [pd.Series(v, index=range(3, 3 + len(v))) for v in y],
    ):
        model = make(loss=loss).fit(X, labels)
        assert model.loss_curve_ == wanted.loss_curve_
        assert_array_equal(np.concatenate(model.predict(X)), np.concatenate(wanted.predict(X)))


def test_equal_lengths_stay_arrays_of_arrays(rng):
    X = rng.standard_normal((20, 4, 1))
    y = (X[:, :, 0] > 0).astype(int)
    model = make().fit(X, y)

    assert model.predict(X).shape == model.predict_proba(X).shape == (20,)
    assert cross_val_predict(make(), X, object_array(list(y)), cv=2).shape == (20,)


def test_in_searches_and_pipelines(X):
    y = signs(X)
    pipeline = make_pipeline(SequenceScaler(), make(max_iter=2))

    assert len(cross_val_score(pipeline, X, y, cv=3)) == 3
    search = GridSearchCV(pipeline, {"rnnsequencetagger__loss": ["crf", "log_loss"]}, cv=2).fit(X, y)
    assert 0 <= search.best_score_ <= 1
    assert not is_classifier(make())
    assert type(check_cv(3, y, classifier=is_classifier(make()))).__name__ == "KFold"
    assert clone(make(ignore_label="?")).get_params()["ignore_label"] == "?"


def test_weights_repeat_sequences_to_the_bit(X):
    y, weights = signs(X), np.arange(30) % 3
    rows = np.repeat(np.arange(30), weights)

    weighted = make().fit(X, y, sample_weight=weights)
    repeated = make().fit([X[i] for i in rows], [y[i] for i in rows])

    for name, value in weighted.weights_.items():
        assert_array_equal(value, repeated.weights_[name])


# What it says


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (lambda X, y: None, ValueError, "RNNSequenceTagger requires y to be passed, but the target y is None"),
        (lambda X, y: "abc", TypeError, "y is 'abc' (str). Pass a list with the labels of each sequence"),
        (lambda X, y: [v[0] for v in y], TypeError, "y[0] is "),
        (lambda X, y: list(range(30)), TypeError, "y[0] is 0. Pass a list with the labels of each sequence"),
        (lambda X, y: y[:-1], ValueError, "inconsistent numbers of samples: X has 30 sequences, but y has 29"),
        (lambda X, y: [*y[:3], y[3][:-1], *y[4:]], ValueError, "y[3] has "),
        (
            lambda X, y: [*y[:-1], [None] * len(y[-1])],
            TypeError,
            "y[29][0]: argument must be a string or a number",
        ),
        (lambda X, y: [*y[:-1], [1.5] * len(y[-1])], ValueError, "Unknown label type: continuous. y[29]"),
        (lambda X, y: [*y[:-1], [1] * len(y[-1])], ValueError, "y mixes labels that cannot be sorted"),
        (lambda X, y: pd.DataFrame({"a": ["x"] * 30}), TypeError, "y is "),
    ],
)
def test_bad_labels(bad, error, message, X):
    y = signs(X)
    model = make(warm_start=True).fit(X, y)
    before = model._fitted

    with raises(error, message):
        model.fit(X, bad(X, y))

    assert model._fitted is before


def test_labels_that_are_not_known(X):
    y = signs(X)
    model = make(warm_start=True).fit(X, y)
    other = [list(labels) for labels in y]
    other[4][-1] = "new"

    with raises(
        ValueError, f"y[4][{len(y[4]) - 1}] is 'new', which is not one of the classes ['+', '-'] that came before"
    ):
        model.fit(X, other)
    assert model.score(X, other) < 1
    with raises(ValueError, "classes must be passed on the first call to partial_fit"):
        make().partial_fit(X, y)
    assert make().partial_fit(X, y, classes=["+", "-", "new"]).partial_fit(X, other).classes_.tolist() == [
        "+",
        "-",
        "new",
    ]


def test_parameters_that_contradict_each_other(X):
    y = signs(X)
    with raises(ValueError, "class_weight needs loss='log_loss'"):
        make(class_weight={"+": 2}).fit(X, y)
    with raises(ValueError, "class_weight needs loss='log_loss'"):
        make(class_weight={"+": 2}).partial_fit(X, y, classes=["+", "-"])
    with raises(ValueError, "partial_fit does not support class_weight='balanced'"):
        make(loss="log_loss", class_weight="balanced").partial_fit(X, y, classes=["+", "-"])
    with raises(ValueError, "y has no label but ignore_label='+'. Label at least one step."):
        make(ignore_label="+").fit(X, [["+"] * len(x) for x in X])
    model = make(ignore_label="+").fit(X, y)
    with raises(ValueError, "y has no label but ignored ones, so there is nothing to score"):
        model.score(X, [["+"] * len(x) for x in X])
