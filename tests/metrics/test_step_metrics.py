"""Metrics of step labels: by hand, beside seqeval, as scorers, and what they refuse."""

import pickle
import warnings

import numpy as np
import pytest
from helpers import object_array, raises
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, f1_score, hamming_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skrnn import RNNSequenceTagger
from skrnn.metrics import make_step_scorer, sequence_accuracy_score, span_f1_score, step_accuracy_score

TRUE = [["a", "b", "b"], ["b"], ["a", "a"]]
PREDICTED = [["a", "b", "a"], ["b"], ["a", "a"]]


def test_accuracies_by_hand():
    assert step_accuracy_score(TRUE, PREDICTED) == pytest.approx(5 / 6)
    assert sequence_accuracy_score(TRUE, PREDICTED) == pytest.approx(2 / 3)
    weights = [1, 2, 0]
    assert step_accuracy_score(TRUE, PREDICTED, sample_weight=weights) == pytest.approx(4 / 5)
    assert sequence_accuracy_score(TRUE, PREDICTED, sample_weight=weights) == pytest.approx(2 / 3)
    assert step_accuracy_score(TRUE, PREDICTED, ignore_label="b") == 1
    assert sequence_accuracy_score(TRUE, PREDICTED, ignore_label="b") == 1
    arrays = object_array([np.array(labels) for labels in PREDICTED])
    assert step_accuracy_score(TRUE, arrays) == pytest.approx(5 / 6)
    assert step_accuracy_score([[1, 0], [1]], [[True, 0.0], [0]]) == pytest.approx(2 / 3)
    assert step_accuracy_score(iter(TRUE), iter(PREDICTED)) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    ("labels", "default", "strict"),
    [
        ("B-x I-x O", [("x", 0, 1)], [("x", 0, 1)]),
        ("I-x I-x O", [("x", 0, 1)], []),
        ("B-x I-y", [("x", 0, 0), ("y", 1, 1)], [("x", 0, 0)]),
        ("B-x B-x", [("x", 0, 0), ("x", 1, 1)], [("x", 0, 0), ("x", 1, 1)]),
        ("O O", [], []),
        ("O I-x O I-y", [("x", 1, 1), ("y", 3, 3)], []),
        ("B-x I-x B-x", [("x", 0, 1), ("x", 2, 2)], [("x", 0, 1), ("x", 2, 2)]),
        ("B-x I-y I-x", [("x", 0, 0), ("y", 1, 1), ("x", 2, 2)], [("x", 0, 0)]),
        ("B-x O I-x", [("x", 0, 0), ("x", 2, 2)], [("x", 0, 0)]),
        ("B-y-z I-y-z", [("y-z", 0, 1)], [("y-z", 0, 1)]),
        ("I-x B-x", [("x", 0, 0), ("x", 1, 1)], [("x", 1, 1)]),
    ],
)
def test_spans_by_hand(labels, default, strict):
    from skrnn.metrics import _spans

    assert _spans._spans(labels.split()) == default
    assert _spans._strict_bio(labels.split()) == strict


@pytest.mark.parametrize(
    ("labels", "default", "strict"),
    [
        ("S-x B-x I-x E-x", [("x", 0, 0), ("x", 1, 3)], [("x", 0, 0), ("x", 1, 3)]),
        ("B-x O", [("x", 0, 0)], []),
        ("B-x I-x S-x", [("x", 0, 1), ("x", 2, 2)], [("x", 2, 2)]),
        ("B-x E-y", [("x", 0, 0), ("y", 1, 1)], []),
        ("I-x E-x", [("x", 0, 1)], []),
        ("B-x B-x E-x", [("x", 0, 0), ("x", 1, 2)], [("x", 1, 2)]),
        ("E-x E-x I-x", [("x", 0, 0), ("x", 1, 1), ("x", 2, 2)], []),
        ("S-x I-x E-x", [("x", 0, 0), ("x", 1, 2)], [("x", 0, 0)]),
        ("B-x E-x E-x", [("x", 0, 1), ("x", 2, 2)], [("x", 0, 1)]),
    ],
)
def test_spans_with_ends_by_hand(labels, default, strict):
    from skrnn.metrics import _spans

    assert _spans._spans(labels.split()) == default
    assert _spans._strict_iobes(labels.split()) == strict


def test_averages_by_hand():
    y_true = [["B-x", "I-x", "O", "B-y"], ["B-x", "O"]]
    y_pred = [["B-x", "I-x", "O", "O"], ["B-y", "O"]]

    assert span_f1_score(y_true, y_pred) == pytest.approx(2 / 5)
    np.testing.assert_allclose(span_f1_score(y_true, y_pred, average=None), [2 / 3, 0])
    assert span_f1_score(y_true, y_pred, average="macro") == pytest.approx(1 / 3)
    assert span_f1_score(y_true, y_pred, average="weighted") == pytest.approx(4 / 9)
    assert span_f1_score([["O"]], [["O"]]) == 0
    for average in ("micro", "macro", "weighted"):
        assert span_f1_score([["O"]], [["O"]], average=average, zero_division=1) == 1
        assert span_f1_score([["O"]], [["B-x"]], average=average, zero_division=1) == 0
    assert span_f1_score([["O"]], [["O"]], average=None).shape == (0,)


@pytest.mark.parametrize("mode", ["default", "strict"])
@pytest.mark.parametrize("scheme", ["BIO", "IOBES"])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted", None])
def test_equal_to_seqeval_on_random_labels(mode, scheme, average, rng):
    metrics = pytest.importorskip("seqeval.metrics")
    schemes = pytest.importorskip("seqeval.scheme")
    labels = ["O", *(f"{prefix}-{kind}" for prefix in scheme if prefix != "O" for kind in ("x", "y-z"))]
    theirs = {"BIO": schemes.IOB2, "IOBES": schemes.IOBES}[scheme]
    kwargs = {"mode": "strict", "scheme": theirs} if mode == "strict" else {}
    n_compared = 0
    for k in range(150):
        lengths = rng.integers(1, 8, size=3)
        y_true = [rng.choice(labels if k % 10 else ["O"], n).tolist() for n in lengths]  # some without a span
        y_pred = [[v if rng.random() < 0.6 else rng.choice(labels).item() for v in x] for x in y_true]
        zero = k % 2
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = metrics.f1_score(y_true, y_pred, average=average, zero_division=zero, **kwargs)
        if np.isnan(wanted).any():  # a mean over no kinds
            continue
        options = {"scheme": scheme, "mode": mode, "average": average, "zero_division": zero}
        np.testing.assert_allclose(span_f1_score(y_true, y_pred, **options), wanted, strict=average is None)
        n_compared += 1
    assert n_compared > 100


def tagged(rng):
    X = [rng.standard_normal((n, 1)) for n in rng.integers(1, 6, 30)]
    return X, [["+" if v > 0 else "-" for v in x[:, 0]] for x in X]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scorers_join_steps(rng):
    X, y = tagged(rng)
    model = RNNSequenceTagger(4, max_iter=5, random_state=0)
    loss = make_step_scorer(hamming_loss, greater_is_better=False)
    scoring = {"f1": make_step_scorer(f1_score, pos_label="+"), "loss": loss}

    results = cross_validate(model, X, y, scoring=scoring, cv=3)
    search = GridSearchCV(model, {"hidden_size": [2, 3]}, scoring=pickle.loads(pickle.dumps(scoring["f1"])), cv=2)

    assert (results["test_f1"] >= 0).all()
    assert (results["test_loss"] <= 0).all()
    assert 0 <= search.fit(X, y).best_score_ <= 1
    flat = [np.concatenate(labels) for labels in (y, model.fit(X, y).predict(X))]
    assert scoring["f1"](model, X, y) == f1_score(*flat, pos_label="+")
    weights = np.arange(1.0, 31)
    wanted = f1_score(*flat, pos_label="+", sample_weight=np.repeat(weights, [len(x) for x in X]))
    assert scoring["f1"](model, X, y, sample_weight=weights) == wanted


class Rounding(BaseEstimator):
    """Predicts the first feature of each step, rounded."""

    def __init__(self, shift=0):
        self.shift = shift

    def fit(self, X, y, sample_weight=None):
        return self

    def predict(self, X):
        return object_array([np.round(x[:, 0]).astype(int) + self.shift for x in X])


def share(y_true, y_pred):
    return float(np.mean(y_true == y_pred))


def numbered(rng):
    X = [rng.uniform(0, 2, (n, 1)) for n in rng.integers(1, 6, 12)]
    return X, [(x[:, 0] > 1).astype(int).tolist() for x in X], np.arange(1.0, 13)


def test_scorers_ask_for_weights_as_those_of_sklearn(rng):
    X, y, weights = numbered(rng)
    with config_context(enable_metadata_routing=True):
        asked = {
            "weighted": make_step_scorer(accuracy_score).set_score_request(sample_weight="sw"),
            "plain": make_step_scorer(accuracy_score).set_score_request(sample_weight=False),
        }
        results = cross_validate(Rounding(), X, y, scoring=asked, cv=KFold(2), params={"sw": weights})

    pairs = y[:6], Rounding().predict(X[:6])
    assert results["test_plain"][0] == step_accuracy_score(*pairs)
    assert results["test_weighted"][0] == pytest.approx(step_accuracy_score(*pairs, sample_weight=weights[:6]))


def test_a_metric_without_weights_gets_none(rng):
    X, y, weights = numbered(rng)
    searches = [
        GridSearchCV(Rounding(), {"shift": [0, 1]}, scoring=make_step_scorer(metric), cv=2, error_score="raise")
        for metric in (share, accuracy_score)
    ]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that `share` takes no weights
        best = [search.fit(X, y, sample_weight=weights).best_score_ for search in searches]

    unweighted = searches[0].fit(X, y).best_score_
    assert best[0] == unweighted != best[1]


def test_scorers_say_what_they_are():
    scorer = make_step_scorer(f1_score, average="macro")

    assert repr(scorer) == "make_scorer(f1_score of steps, response_method='predict', average=macro)"
    assert repr(pickle.loads(pickle.dumps(scorer))) == repr(scorer)


def test_messages_of_scorers(rng):
    X, y, weights = numbered(rng)
    scorer = make_step_scorer(accuracy_score)

    with raises(TypeError, "metric is 'f1'. Pass a function of labels, such as sklearn.metrics.f1_score."):
        make_step_scorer("f1")
    with raises(ValueError, "sample_weight has 11 entries, but y_true has 12 sequences."):
        scorer(Rounding(), X, y, sample_weight=weights[1:])
    with raises(ValueError, "Negative values in sample_weight: sample_weight[0] is -1."):
        scorer(Rounding(), X, y, sample_weight=-weights)
    with raises(ValueError, "y_true[0] is 1. Pass a list with the labels of each sequence"):
        scorer(Rounding(), X, [1] * 12)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        (["a", "b"], ["a", "b"], "y_true[0] is 'a'. Pass a list with the labels of each sequence"),
        ("ab", [["a"]], "y_true is 'ab'. Pass a list with the labels of each sequence"),
        ([], [], "y_true is []. Pass a list with the labels of each sequence"),
        ([[]], [[]], "y_true[0] is []. Pass a list with the labels of each sequence"),
        ([["a"]], [["a"], ["b"]], "y_true has 1 sequence, but y_pred has 2"),
        ([["a"], ["b"]], [["a"], ["b", "c"]], "y_pred[1] has 2 labels, but y_true[1] has 1 step"),
        ([["a"]], [[]], "y_pred[0] has 0 labels, but y_true[0] has 1 step"),
        ([["a"]], [], "y_true has 1 sequence, but y_pred has 0"),
        (None, [["a"]], "y_true is None. Pass a list with the labels of each sequence"),
        (np.array("a"), [["a"]], "y_true is array('a'"),
        ([np.array("a")], [["a"]], "y_true[0] is array('a'"),
        ([["O"]], [[3]], "y_true[0][0] is 'O', but y_pred[0][0] is 3: texts and numbers are never equal. Convert one"),
        ([[1.5]], [[1.5]], "y_true[0] must hold class labels, one for each step: integers"),
        ([np.ones((2, 2), int)], [[1, 1]], "an array of shape (2, 2) instead. Pass one label for each step."),
    ],
)
@pytest.mark.parametrize("metric", [step_accuracy_score, sequence_accuracy_score, span_f1_score])
def test_messages(metric, y_true, y_pred, message):
    with raises(ValueError, message):
        metric(y_true, y_pred)


def test_messages_of_options():
    with raises(ValueError, "No step counts: all are ignored, or have weight 0. Label at least one."):
        step_accuracy_score([["a"]], [["a"]], ignore_label="a")
    with raises(ValueError, "sample_weight has 2 entries, but y_true has 1 sequences."):
        sequence_accuracy_score([["a"]], [["a"]], sample_weight=[1, 1])
    with raises(TypeError, "ignore_label is ['a']. Pass one label, or None."):
        step_accuracy_score([["a"]], [["a"]], ignore_label=["a"])
    for value in ("warn", 2, np.nan, None):
        with raises(ValueError, f"zero_division is {value!r}. Pass a number from 0 to 1."):
            span_f1_score([["O"]], [["O"]], zero_division=value)
    advice = "Labels are 'O', or one of the prefixes B, I, a hyphen and a kind, such as 'B-person'."
    for label in ("X-per", "E-x", "B", "B-", "Bx", "b-x", "-x", ""):
        for mode in ("default", "strict"):
            with raises(ValueError, f"y_true[1][2] is {label!r}, which is no label of scheme='BIO'. {advice}"):
                span_f1_score([["O"], ["O", "B-x", label, label]], [["O"], ["O"] * 4], mode=mode)
    with raises(ValueError, "y_pred[0][0] is 'X-x', which is no label of scheme='IOBES'. Labels are 'O', or one of"):
        span_f1_score([["E-x"]], [["X-x"]], scheme="IOBES")
    with raises(ValueError, "y_true[0][0] is 1, which is no label of scheme='BIO'"):
        span_f1_score([[1, 1]], [[1, 1]])
    with raises(ValueError, "scheme is ['BIO']. Pass one of"):
        span_f1_score([["O"]], [["O"]], scheme=["BIO"])
    for name in ("scheme", "mode", "average"):
        with raises(ValueError, f"{name} is 'other'. Pass one of ["):
            span_f1_score([["O"]], [["O"]], **{name: "other"})
