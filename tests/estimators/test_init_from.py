"""Fits that begin at the input and the layers of another estimator."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
WORDS = ["abcab", "bca", "cabb", "ddb", "ccad", "aab"] * 4
LABELS = [word.count("a") > 1 for word in WORDS]
STEPS = [[letter.upper() for letter in word] for word in WORDS]
NUMBERS = [float(len(word)) for word in WORDS]
AT_THE_START = {"hidden_size": 6, "max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0}


def language(**params):
    return RNNNextTokenModel(6, max_iter=3, random_state=0, **params).fit(WORDS)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("embedding_size", [None, 3])
@pytest.mark.parametrize("max_tokens", [None, 2])
@pytest.mark.parametrize(
    ("kind", "y"), [(RNNSequenceClassifier, LABELS), (RNNSequenceRegressor, NUMBERS), (RNNSequenceTagger, STEPS)]
)
def test_input_and_layers_are_taken_over(cell, embedding_size, max_tokens, kind, y):
    source = language(cell=cell, embedding_size=embedding_size, max_tokens=max_tokens, add_end_token=True, n_layers=2)
    few = slice(0, 3)  # without d, which only the source has seen
    model = kind(**AT_THE_START, cell=cell, n_layers=2, bidirectional=False).fit(WORDS[few], y[few], init_from=source)

    assert list(model.vocabulary_) == [*source.classes_, source.column_tokens_[-1]]
    begun, wanted = model.weights_, source.weights_
    known = [*range(len(source.classes_)), len(source.classes_) + 1]  # without END and begin
    for name in begun.keys() - {"head.W_y", "head.b_y", "head.W_t", "head.b_first", "head.b_last"}:
        array = wanted[name]
        if name == "embedding.E":
            array = array[known]
        elif name == "rnn.0.W_x" and embedding_size is None:
            array = array[:, known]
        assert_allclose(begun[name], array, atol=1e-9)


def test_a_tagger_reads_backward_anew():
    source = language()
    model = RNNSequenceTagger(**AT_THE_START).fit(WORDS, STEPS, init_from=source)

    assert_allclose(model.weights_["rnn.0.W_h"], source.weights_["rnn.0.W_h"], atol=1e-9)
    assert not np.allclose(model.weights_["rnn.0.reverse.W_h"], source.weights_["rnn.0.W_h"])


def test_one_another():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(5, 2)) for _ in range(12)]
    source = RNNSequenceRegressor(hidden_size=6, max_iter=3, random_state=1).fit(X, [x.sum() for x in X])
    model = RNNSequenceClassifier(**AT_THE_START).fit(X, [0, 1] * 6, init_from=source)

    assert_allclose(model.weights_["rnn.0.W_x"], source.weights_["rnn.0.W_x"], atol=1e-9)


def test_training_goes_on_from_it():
    source = language(embedding_size=3)
    before = source.weights_["embedding.E"].copy()
    model = RNNSequenceClassifier(6, max_iter=3, random_state=0, warm_start=True).fit(WORDS, LABELS, init_from=source)
    model.fit(WORDS, LABELS).partial_fit(["abd"], [True])

    assert_array_equal(source.weights_["embedding.E"], before)
    assert model.weights_["embedding.E"].shape == (5, 3)
    assert not np.allclose(model.weights_["embedding.E"][0], before[0])


@pytest.mark.parametrize(
    ("params", "X", "init_from", "message"),
    [
        ({"hidden_size": 7}, WORDS, language(), "hidden_size is 7, but init_from has 6. Set hidden_size=6"),
        ({"cell": "lstm"}, WORDS, language(), "cell is 'lstm', but init_from has 'gru'"),
        ({"n_layers": 2}, WORDS, language(), "n_layers is 2, but init_from has 1"),
        ({"n_layers": 2, "bidirectional": True}, WORDS, language(n_layers=2), "bidirectional is True, but init_from"),
        ({"vocabulary": ["a"]}, WORDS, language(), "init_from has a vocabulary of its own, so vocabulary says nothing"),
        ({"max_tokens": 3}, WORDS, language(), "so max_tokens says nothing"),
        ({"embedding_size": 2}, WORDS, language(), "Pass X with the same features, and embedding_size='auto'"),
        ({}, [np.ones((3, 2))] * 24, language(), "X holds numbers, but init_from was fitted on tokens or categories"),
        ({}, WORDS, RNNNextTokenModel(), "init_from is of type RNNNextTokenModel, and no fitted"),
        ({}, WORDS, "model.pickle", "init_from is of type str, and no fitted"),
    ],
)
def test_what_cannot_begin_there(params, X, init_from, message):
    model = RNNSequenceClassifier(**{**AT_THE_START, **params})
    with pytest.raises(ValueError, match=message):
        model.fit(X, LABELS, init_from=init_from)
    assert not hasattr(model, "classes_")


def test_a_continued_fit_begins_nowhere():
    model = RNNSequenceClassifier(**AT_THE_START, warm_start=True).fit(WORDS, LABELS)
    with pytest.raises(ValueError, match="init_from begins a fit, but this one continues the last"):
        model.fit(WORDS, LABELS, init_from=language())


def test_categories_keep_their_numbers():
    """Where the first data have others than the source, or in another order."""
    rng = np.random.default_rng(0)

    def frame(values):
        return pd.DataFrame({"kind": rng.choice(values, 4), "size": rng.normal(size=4)})

    many, few = [frame(["a", "b", "c"]) for _ in range(12)], [frame(["b", "c"]) for _ in range(12)]
    source = RNNSequenceClassifier(6, max_iter=2, embedding_size=3, random_state=0).fit(many, [0, 1] * 6)
    model = RNNSequenceClassifier(**AT_THE_START).fit(few, [0, 1] * 6, init_from=source)

    assert model.categories_["kind"].tolist() == ["a", "b", "c"]
    assert_allclose(model.weights_["embedding.E_0"], source.weights_["embedding.E_0"], atol=1e-9)
    with pytest.raises(ValueError, match=r"X has categories in the columns \['kind'\], but init_from knows no columns"):
        RNNSequenceClassifier(**AT_THE_START).fit(few, [0, 1] * 6, init_from=language())
    with pytest.raises(ValueError, match="vocabulary gives tokens of sequences, but X has columns of categories"):
        RNNSequenceClassifier(**AT_THE_START, vocabulary=["a"]).fit(few, [0, 1] * 6)
