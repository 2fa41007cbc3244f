"""Sequences that arrive token by token: what `start` gives back says what the whole sequences say."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skrnn import END, UNKNOWN, RNNNextTokenModel

# Prefixes may hold nothing but unknown tokens.
pytestmark = pytest.mark.filterwarnings("ignore:No token of X is in the vocabulary")

TEXTS = ["abcab", "ca", "bbca", "a", "cabca", "abca", "bc"]
EXACT = {"rtol": 0, "atol": 1e-12}


def fitted(X=TEXTS, **params):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return RNNNextTokenModel(**{"hidden_size": 6, "max_iter": 10, "random_state": 0, **params}).fit(X)


NETWORKS = {
    "gru": {},
    "lstm": {"cell": "lstm", "n_layers": 2},
    "tanh": {"cell": "tanh", "embedding_size": 3},
    "relu": {"cell": "relu"},
    "rare": {"min_frequency": 8},
    "endless": {"add_end_token": False},
}


@pytest.fixture(scope="module", params=NETWORKS.values(), ids=NETWORKS)
def model(request):
    return fitted(**request.param)


@pytest.fixture(scope="module")
def gru():
    return fitted()


def test_updates_equal_the_whole(model):
    texts = ["abca", "xxcb", "bbbb", "cabx"]
    stream = model.start(4)
    assert_allclose(stream.proba, model.predict_proba([""] * 4), **EXACT)
    log_proba = np.array([steps[:4] for steps in model.token_log_proba(texts)])

    for t in range(4):
        proba, surprise = stream.update([text[t] for text in texts])
        assert_allclose(proba, model.predict_proba([text[: t + 1] for text in texts]), **EXACT)
        assert_allclose(surprise, -log_proba[:, t], **EXACT)
        assert_array_equal(stream.proba, proba)
    assert proba.shape == (4, len(model.column_tokens_))
    assert surprise.shape == (4,)


def test_one_stream_takes_one_token(gru):
    one, listed = gru.start(), gru.start(1)
    for got, wanted in zip(one.update("a"), listed.update(["a"]), strict=True):
        assert_array_equal(got, wanted)
    assert one.n_streams == 1


def test_a_subset_of_the_streams(model):
    stream = model.start(3)
    seen = ["", "", ""]
    for tokens, index in [("ab", [2, 0]), ("c", [1]), ("cb", [0, 1]), ("bca", None), ("a", 2)]:
        proba, _ = stream.update(list(tokens), index)
        touched = range(3) if index is None else np.atleast_1d(index)
        for token, i in zip(tokens, touched, strict=True):
            seen[i] += token
        assert_allclose(proba, model.predict_proba([seen[i] for i in touched]), **EXACT)
        assert_allclose(stream.proba, model.predict_proba(seen), **EXACT)


@pytest.mark.parametrize("index", [None, [0], [2, 1], 1, np.array([0, 2])], ids=str)
def test_reset(gru, index):
    stream = gru.start(3)
    stream.update(list("abc"))
    stream.update(list("bca"))

    assert stream.reset(index) is stream

    seen = np.array(["ab", "bc", "ca"])
    seen[index if index is not None else slice(None)] = ""
    assert_allclose(stream.proba, gru.predict_proba(seen), **EXACT)
    proba, _ = stream.update(list("aaa"))
    assert_allclose(proba, gru.predict_proba([text + "a" for text in seen]), **EXACT)


@pytest.mark.parametrize("empty", [[], np.array([], dtype=int)], ids=["list", "array"])
def test_no_streams_at_all(gru, empty):
    stream = gru.start(2)
    before = stream.proba
    proba, surprise = stream.update([], empty)
    assert (proba.shape, surprise.shape) == ((0, 5), (0,))
    stream.reset(empty)
    assert_array_equal(stream.proba, before)


@pytest.mark.parametrize("name", ["gru", "lstm", "tanh", "relu", "rare"])
def test_surprises_sum_to_score_samples(name):
    model = fitted(**NETWORKS[name])
    stream = model.start(1)
    for text in ["abx", "", "c"]:  # END begins anew
        total = sum(stream.update(token)[1][0] for token in [*text, END])
        assert -total == pytest.approx(model.score_samples([text])[0], abs=1e-12)
    assert_allclose(stream.proba, model.predict_proba([""]), **EXACT)


def test_some_streams_end_while_others_go_on(gru):
    stream = gru.start(3)
    stream.update(list("abc"))
    proba, surprise = stream.update(["b", END, "a"])
    assert_allclose(proba, gru.predict_proba(["ab", "", "ca"]), **EXACT)
    assert_allclose(surprise[1], -gru.token_log_proba(["b"])[0][1], **EXACT)


def test_unknown_tokens(gru):
    stream, other = gru.start(1), gru.start(1)
    for got, wanted in zip(stream.update("x"), other.update(UNKNOWN), strict=True):
        assert_array_equal(got, wanted)
    assert stream.update("y")[1][0] == pytest.approx(-np.log(gru.predict_proba([""])[0, -1]))


@pytest.mark.parametrize("params", [{}, {"min_frequency": 8}], ids=str)
def test_unknown_tokens_are_errors_where_predict_proba_says_so(params):
    model = fitted(handle_unknown="error", **params)
    stream = model.start(1)
    before = stream.proba
    try:
        model.predict_proba(["x"])
    except ValueError:
        with pytest.raises(ValueError, match=r"tokens\[0\] is 'x', which is not in the vocabulary"):
            stream.update("x")
        assert_array_equal(stream.proba, before)
    else:
        assert_allclose(stream.update("x")[0], model.predict_proba(["x"]), **EXACT)


@pytest.mark.parametrize(
    ("X", "tokens"),
    [
        ([[1, 2], [2, 1]], [2, 1]),
        ([[0.5, 1.5]], [1.5, 0.5]),
        ([[True, False]], [False, True]),
        ([["to", "be"]], ["be", "to"]),
    ],
    ids=["int", "float", "bool", "words"],
)
@pytest.mark.parametrize("container", [list, tuple, np.array])
def test_kinds_of_tokens(X, tokens, container):
    model = fitted(X)
    proba, _ = model.start(2).update(container(tokens))
    assert_allclose(proba, model.predict_proba([[token] for token in tokens]), **EXACT)
    assert_array_equal(model.start().update(tokens[0])[0], model.start().update([tokens[0]])[0])


def test_many_streams(gru, rng):
    tokens = rng.choice(list("abc"), size=(500, 6))
    stream = gru.start(500)
    for column in tokens.T:
        proba, surprise = stream.update(column)
    assert_allclose(proba, gru.predict_proba(["".join(row) for row in tokens]), **EXACT)
    assert_allclose(surprise, [-steps[5] for steps in gru.token_log_proba(["".join(row) for row in tokens])], **EXACT)


def test_a_long_stream_equals_a_long_text(gru, rng):
    text = "".join(rng.choice(list("abc"), size=300))
    stream = gru.start()
    surprises = [stream.update(token)[1][0] for token in text]
    assert_allclose(surprises, -gru.token_log_proba([text])[0][:-1], rtol=0, atol=1e-11)


def test_pickle_in_the_middle(model):
    stream = model.start(2)
    stream.update(list("ab"))
    copied = pickle.loads(pickle.dumps(stream))
    for got, wanted in zip(copied.update(list("ca")), stream.update(list("ca")), strict=True):
        assert_array_equal(got, wanted)
    copied.update(list("bb"))
    assert_allclose(stream.proba, model.predict_proba(["ac", "ba"]), **EXACT)


def test_streams_are_independent_of_each_other_and_of_later_training(gru):
    model = fitted()
    one, two = model.start(), model.start()
    one.update("a")
    assert_allclose(two.proba, gru.predict_proba([""]), **EXACT)
    model.partial_fit(TEXTS)
    assert_allclose(one.update("b")[0], gru.predict_proba(["ab"]), **EXACT)


def test_what_is_given_back_may_be_overwritten(gru):
    stream = gru.start(1)
    stream.proba[:] = 0
    proba, surprise = stream.update("a")
    proba[:], surprise[:] = 0, 0
    assert_allclose(stream.proba, gru.predict_proba(["a"]), **EXACT)


@pytest.mark.parametrize("params", [{}, {"min_frequency": 8}], ids=str)
def test_dtype_is_kept(params):
    proba, surprise = fitted(dtype="float32", **params).start(2).update(list("ab"))
    assert proba.dtype == surprise.dtype == np.float32


# Errors


def test_a_stream_needs_a_fit():
    with pytest.raises(NotFittedError):
        RNNNextTokenModel().start()


@pytest.mark.parametrize("n_streams", [0, -1, 1.5, True, "two", None])
def test_bad_n_streams(gru, n_streams):
    with pytest.raises(ValueError, match=f"n_streams is {n_streams!r}, but it must be an integer >= 1"):
        gru.start(n_streams)


@pytest.mark.parametrize("index", [[0, 0], [3], [-1], [0.7], [True, False], [True, False, True]], ids=str)
@pytest.mark.parametrize("method", ["update", "reset"])
def test_bad_index(gru, index, method):
    """Nothing is rounded, and a mask is not taken for numbers."""
    stream = gru.start(3)
    arguments = [["a"] * len(index)] if method == "update" else []
    with pytest.raises((ValueError, TypeError), match=r"index is .*: pass distinct integers from 0 to 2"):
        getattr(stream, method)(*arguments, index)


@pytest.mark.parametrize("tokens", ["a", ["a"], ["a", "b", "c"], []], ids=repr)
def test_a_token_for_each_stream(gru, tokens):
    n = 1 if isinstance(tokens, str) else len(tokens)
    with pytest.raises(ValueError, match=f"tokens has {n} entries for 2 streams. Pass one token for each"):
        gru.start(2).update(tokens)


def test_end_where_it_is_not_modelled():
    stream = fitted(add_end_token=False).start()
    with pytest.raises(ValueError, match=r"END came, but the model was fitted without it \(add_end_token\)"):
        stream.update(END)


@pytest.mark.parametrize("token", [None, ["a", "b"], {}], ids=repr)
def test_bad_tokens_change_nothing(gru, token):
    stream = gru.start(2)
    stream.update(list("ab"))
    with pytest.raises((TypeError, ValueError), match="tokens"):
        stream.update(["a", token])
    assert_allclose(stream.proba, gru.predict_proba(["a", "b"]), **EXACT)
