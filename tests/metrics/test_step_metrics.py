"""Metrics of step labels: by hand, beside seqeval, as scorers, and what they refuse."""

import pickle
import warnings

import numpy as np
import pytest
from helpers import object_array, raises
from sklearn.metrics import f1_score, hamming_loss
from sklearn.model_selection import GridSearchCV, cross_validate

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


@pytest.mark.parametrize(
    ("labels", "default", "strict"),
    [
        ("B-x I-x O", [("x", 0, 1)], [("x", 0, 1)]),
        ("I-x I-x O", [("x", 0, 1)], []),
        ("B-x I-y", [("x", 0, 0), ("y", 1, 1)], [("x", 0, 0)]),
        ("B-x B-x", [("x", 0, 0), ("x", 1, 1)], [("x", 0, 0), ("x", 1, 1)]),
        ("O O", [], []),
    ],
)
def test_spans_by_hand(labels, default, strict):
    from skrnn.metrics import _spans

    assert _spans._spans(labels.split()) == default
    assert _spans._strict_bio(labels.split()) == strict


@pytest.mark.parametrize(
    ("labels", "strict"),
    [
        ("S-x B-x I-x E-x", [("x", 0, 0), ("x", 1, 3)]),
        ("B-x O", []),
        ("B-x I-x S-x", [("x", 2, 2)]),
        ("B-x E-y", []),
        ("I-x E-x", []),
        ("B-x B-x E-x", [("x", 1, 2)]),
    ],
)
def test_strict_spans_with_ends_by_hand(labels, strict):
    from skrnn.metrics import _spans

    assert _spans._strict_iobes(labels.split()) == strict


def test_averages_by_hand():
    y_true = [["B-x", "I-x", "O", "B-y"], ["B-x", "O"]]
    y_pred = [["B-x", "I-x", "O", "O"], ["B-y", "O"]]

    assert span_f1_score(y_true, y_pred) == pytest.approx(2 / 5)
    np.testing.assert_allclose(span_f1_score(y_true, y_pred, average=None), [2 / 3, 0])
    assert span_f1_score(y_true, y_pred, average="macro") == pytest.approx(1 / 3)
    assert span_f1_score(y_true, y_pred, average="weighted") == pytest.approx(4 / 9)
    assert span_f1_score([["O"]], [["O"]]) == 0
    assert span_f1_score([["O"]], [["O"]], zero_division=1.0) == 1


@pytest.mark.parametrize("mode", ["default", "strict"])
@pytest.mark.parametrize("scheme", ["BIO", "IOBES"])
@pytest.mark.parametrize("average", ["micro", "macro", "weighted"])
def test_equal_to_seqeval_on_random_labels(mode, scheme, average, rng):
    metrics = pytest.importorskip("seqeval.metrics")
    schemes = pytest.importorskip("seqeval.scheme")
    labels = ["O", *(f"{prefix}-{kind}" for prefix in scheme if prefix != "O" for kind in ("x", "y-z"))]
    theirs = {"BIO": schemes.IOB2, "IOBES": schemes.IOBES}[scheme]
    kwargs = {"mode": "strict", "scheme": theirs} if mode == "strict" else {}
    for _ in range(150):
        lengths = rng.integers(1, 8, size=3)
        y_true = [rng.choice(labels, n).tolist() for n in lengths]
        y_pred = [[v if rng.random() < 0.6 else rng.choice(labels).item() for v in x] for x in y_true]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                wanted = metrics.f1_score(y_true, y_pred, average=average, zero_division=0, **kwargs)
            except ValueError:  # of no spans at all
                continue
        if np.isnan(wanted):
            continue
        assert span_f1_score(y_true, y_pred, scheme=scheme, mode=mode, average=average) == pytest.approx(wanted)


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


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        (["a", "b"], ["a", "b"], "y_true[0] is 'a'. Pass a list with the labels of each sequence"),
        ("ab", [["a"]], "y_true is 'ab'. Pass a list with the labels of each sequence"),
        ([], [], "y_true is []. Pass a list with the labels of each sequence"),
        ([[]], [[]], "y_true[0] is []. Pass a list with the labels of each sequence"),
        ([["a"]], [["a"], ["b"]], "y_true has 1 sequence, but y_pred has 2"),
        ([["a"], ["b"]], [["a"], ["b", "c"]], "y_pred[1] has 2 labels, but y_true[1] has 1 step"),
    ],
)
@pytest.mark.parametrize("metric", [step_accuracy_score, sequence_accuracy_score, span_f1_score])
def test_messages(metric, y_true, y_pred, message):
    with raises(ValueError, message):
        metric(y_true, y_pred)


def test_messages_of_options():
    with raises(ValueError, "No step counts: all are ignored, or have weight 0. Label at least one."):
        step_accuracy_score([["a"]], [["a"]], ignore_label="a")
    with raises(
        ValueError, "'X-per' is no label of scheme='BIO'. Labels are 'O', or one of the prefixes B, I, a hyphen"
    ):
        span_f1_score([["X-per"]], [["O"]])
    with raises(ValueError, "1 is no label of scheme='BIO'"):
        span_f1_score([[1, 1]], [[1, 1]])
    with raises(ValueError, "'E-x' is no label of scheme='BIO'"):
        span_f1_score([["E-x"]], [["O"]])
    for name in ("scheme", "mode", "average"):
        with raises(ValueError, f"{name} is 'other'. Pass one of ["):
            span_f1_score([["O"]], [["O"]], **{name: "other"})
