"""Tokens as input of classifier, regressor and tagger: what they are read as, and what of others."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import UNKNOWN, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn.core.model.inputs import TokenInput

WORDS = ["abcab", "bca", "cabb", "b", "ccab", "aab", "bbc", "cab"] * 3
LABELS = [word.count("a") > 1 for word in WORDS]


def one_hot(words, tokens="abc"):
    """With a last column for UNKNOWN, which no word has."""
    return [np.array([[float(token == letter) for letter in tokens] + [0.0] for token in word]) for word in words]


def targets(kind):
    if kind is RNNSequenceTagger:
        return [[letter.upper() for letter in word] for word in WORDS]
    return LABELS if kind is RNNSequenceClassifier else [float(len(word)) for word in WORDS]


def predicted(model, X):
    method = model.predict if isinstance(model, RNNSequenceRegressor) else model.predict_proba
    return np.concatenate([np.atleast_1d(value) for value in method(X)])


KINDS = [RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger]
SMALL = {"hidden_size": 4, "max_iter": 5, "random_state": 0, "batch_size": 6}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_tokens_are_one_hot_rows(kind, cell, bidirectional, monkeypatch):
    monkeypatch.setattr(TokenInput, "is_one_hot", False)  # so that both begin at the same weights
    params = {**SMALL, "cell": cell, "bidirectional": bidirectional, "alpha": 0.0, "embedding_size": None}
    of_tokens = kind(**params).fit(WORDS, targets(kind))
    of_rows = kind(**params).fit(one_hot(WORDS), targets(kind))

    assert_allclose(predicted(of_tokens, WORDS), predicted(of_rows, one_hot(WORDS)), rtol=1e-9)
    assert_allclose(of_tokens.loss_curve_, of_rows.loss_curve_, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("embedding_size", [None, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_training_never_showed_says_nothing(kind, embedding_size, bidirectional):
    model = kind(**SMALL, embedding_size=embedding_size, bidirectional=bidirectional, vocabulary=list("zabc"))
    model.fit(WORDS, targets(kind))

    assert model.vocabulary_ == {"z": 0, "a": 1, "b": 2, "c": 3, UNKNOWN: 4}
    weights = model.weights_
    if embedding_size:
        rows = weights["embedding.E"]
    else:
        rows = np.hstack([weights[name].T for name in weights if name.startswith("rnn.0") and name.endswith("W_x")])
    assert not rows[[0, 4]].any()
    assert rows[[1, 2, 3]].all()
    assert_array_equal(predicted(model, ["az"]), predicted(model, ["a?"]))


@pytest.mark.parametrize("kind", KINDS)
def test_rare_tokens_are_learned_as_unknown(kind):
    model = kind(**SMALL, max_tokens=2).fit(WORDS, targets(kind))

    assert list(model.vocabulary_) == ["a", "b", UNKNOWN]
    assert model.weights_["rnn.0.W_x"][:, 2].any()
    assert_array_equal(predicted(model, ["acb"]), predicted(model, ["a!b"]))


@pytest.mark.parametrize(
    "X",
    [
        [list(word) for word in WORDS],
        [tuple(word) for word in WORDS],
        [np.array(list(word)) for word in WORDS],
        [pd.Series(list(word)) for word in WORDS],
        [pd.Series(list(word), dtype="category") for word in WORDS],
        pd.Series(WORDS),
        np.array(WORDS, dtype=object),
        np.array(WORDS),
    ],
    ids=["lists", "tuples", "arrays", "series", "categories", "series of texts", "objects", "array of texts"],
)
def test_text_in_any_container(X):
    model = RNNSequenceClassifier(**SMALL).fit(WORDS, LABELS)

    assert_array_equal(RNNSequenceClassifier(**SMALL).fit(X, LABELS).predict_proba(X), model.predict_proba(WORDS))


def test_a_table_of_text():
    X = pd.DataFrame([list("abc"), list("bca"), list("cab")] * 4, columns=["x", "y", "z"])
    model = RNNSequenceClassifier(**SMALL).fit(X, [0, 1, 0] * 4)

    assert model.n_features_in_ == 3
    assert_array_equal(model.predict_proba(X), model.predict_proba(X.to_numpy().tolist()))


def test_a_column_of_texts_is_no_table_of_tokens():
    frame = pd.DataFrame({"text": WORDS})
    with pytest.warns(UserWarning, match=r"X is a table of one column"):
        RNNSequenceClassifier(**SMALL).fit(frame, LABELS)
    assert list(RNNSequenceClassifier(**SMALL).fit(frame["text"], LABELS).vocabulary_) == ["a", "b", "c", UNKNOWN]


def test_numbers_may_be_tokens():
    X = [[3, 5], [5], [3, 3, 5]] * 4
    model = RNNSequenceClassifier(**SMALL, input_type="tokens").fit(X, [0, 1, 0] * 4)

    assert list(model.vocabulary_) == [3, 5, UNKNOWN]
    assert not hasattr(model, "n_inputs_")
    assert RNNSequenceClassifier(**SMALL).fit(X, [0, 1, 0] * 4).n_inputs_ == 1
    with pytest.raises(TypeError, match=r"X\[0\] holds strings, but the model was fitted on numbers"):
        model.predict(["ab"])


def test_every_part_of_a_data_set_is_read_alike():
    """Whatever the texts say, and whether or not a part has equal lengths."""
    X, y = [list("12"), list("345"), list("1"), list("2")] * 6, [0, 1, 0, 1] * 6
    grid = GridSearchCV(RNNSequenceClassifier(**SMALL), {"embedding_size": [None, 2]}, cv=3).fit(X, y)

    assert grid.score(X, y) > 0.4
    assert cross_val_predict(RNNSequenceClassifier(**SMALL), X, y, cv=3).shape == (24,)
    assert len(cross_val_score(clone(grid.best_estimator_), X, y, cv=2)) == 2


def test_in_a_pipeline():
    pipe = make_pipeline(FunctionTransformer(lambda X: [word.lower() for word in X]), RNNSequenceClassifier(**SMALL))
    pipe.fit([word.upper() for word in WORDS], LABELS, rnnsequenceclassifier__sample_weight=np.ones(len(WORDS)))

    assert_array_equal(pipe.predict(["ABA"]), pipe.predict(["aba"]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("embedding_size", [None, 2])
def test_files_keep_the_vocabulary(kind, embedding_size):
    model = kind(**SMALL, embedding_size=embedding_size).fit(WORDS, targets(kind))
    read = pickle.loads(pickle.dumps(model))

    assert read.vocabulary_ == model.vocabulary_
    assert_array_equal(predicted(read, WORDS), predicted(model, WORDS))


def test_tokens_of_sequences_that_weigh_nothing_are_unknown():
    weights = np.ones(len(WORDS))
    weights[[i for i, word in enumerate(WORDS) if "c" in word]] = 0
    model = RNNSequenceClassifier(**SMALL).fit(WORDS, LABELS, sample_weight=weights)

    assert list(model.vocabulary_) == ["a", "b", UNKNOWN]
    assert not model.weights_["rnn.0.W_x"][:, 2].any()


def test_a_scorer_gets_the_tokens():
    seen = []

    def scorer(model, X, y):
        seen.append(X)
        return model.score(X, y)

    RNNSequenceClassifier(**SMALL, early_stopping=True, scoring=scorer).fit(WORDS, LABELS)

    assert set(seen[0]) <= set(WORDS)


def test_another_text_may_be_an_error():
    model = RNNSequenceClassifier(**SMALL, handle_unknown="error").fit(WORDS, LABELS)
    with pytest.raises(ValueError, match=r"X\[1\] holds '\?', which is not in the vocabulary"):
        model.predict(["ab", "a?"])
    with pytest.warns(UserWarning, match=r"No token of X is in the vocabulary"):
        RNNSequenceClassifier(**SMALL).fit(WORDS, LABELS).predict(["??"])


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([*WORDS[1:], ""], ValueError, r"X\[23\] is empty: every sequence needs at least one token"),
        ([*WORDS[1:], [1, 2]], ValueError, r"holds strings and X\[23\] numbers"),
        ([*WORDS[1:], ["a", 1]], ValueError, r"X\[23\] mixes strings with other tokens"),
        ("".join(WORDS), ValueError, r"X is a str, but a list of sequences is needed"),
    ],
)
def test_what_is_no_sequence_of_tokens(X, error, message):
    with pytest.raises(error, match=message):
        RNNSequenceClassifier(**SMALL).fit(X, LABELS)


def test_features_after_tokens():
    model = RNNSequenceClassifier(**SMALL).fit(WORDS, LABELS)
    with pytest.raises(ValueError, match=r"X\[0\] has 2 dimensions"):
        model.predict([np.ones((3, 2))])


def test_text_is_no_feature():
    with pytest.raises(ValueError, match="numbers are needed"):
        RNNSequenceClassifier(**SMALL, input_type="features").fit([list("ab"), list("c")], [0, 1])
