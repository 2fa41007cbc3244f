"""Sequences that arrive step by step: what `start` gives back says what the whole sequences say."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn import END, UNKNOWN, RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger

# Prefixes may hold nothing but unknown tokens.
pytestmark = pytest.mark.filterwarnings(
    "ignore:No token of X is in the vocabulary", "ignore::sklearn.exceptions.ConvergenceWarning"
)

TEXTS = ["abcab", "ca", "bbca", "a", "cabca", "abca", "bc"]
EXACT = {"rtol": 0, "atol": 1e-12}


def fitted(X=TEXTS, **params):
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


def values(dictionary):
    return np.array(list(dictionary.values()))


# Of tokens


def test_updates_equal_the_whole(model):
    texts = ["abca", "xxcb", "bbbb", "cabx"]
    stream = model.start()
    log_proba = np.array([steps[:4] for steps in model.token_log_proba(texts)])

    for t in range(4):
        surprise = stream.update({text: text[t] for text in texts})
        assert list(surprise) == texts
        assert_allclose(values(surprise), -log_proba[:, t], **EXACT)
        proba = stream.predict_proba()
        assert list(proba) == texts
        assert_allclose(values(proba), model.predict_proba([text[: t + 1] for text in texts]), **EXACT)
    assert proba["abca"].shape == (len(model.column_tokens_),)


def test_some_of_the_streams(model):
    stream, seen = model.start(), {}
    for tokens in [
        {"x": "a", 0: "b"},
        {("y", 1): "c"},
        {0: "c", ("y", 1): "b"},
        {"z": "b", "x": "c", 0: "a"},
        {0: "a"},
    ]:
        surprise = stream.update(tokens)
        seen = {**seen, **{key: seen.get(key, "") + token for key, token in tokens.items()}}
        assert list(surprise) == list(tokens)
        assert stream.keys() == list(stream) == list(seen)
        assert_allclose(values(stream.predict_proba()), model.predict_proba(list(seen.values())), **EXACT)
        picked = list(tokens)[::-1]
        assert_allclose(
            values(stream.predict_proba(picked)), model.predict_proba([seen[key] for key in picked]), **EXACT
        )


@pytest.mark.parametrize("name", ["gru", "lstm", "tanh", "relu", "rare"])
def test_surprises_sum_to_score_samples(name):
    model = fitted(**NETWORKS[name])
    stream = model.start()
    for text in ["abx", "", "c"]:  # END closes, and the next token opens anew
        total = sum(stream.update({"a": token})["a"] for token in [*text, END])
        assert -total == pytest.approx(model.score_samples([text])[0], abs=1e-12)
        assert (len(stream), "a" in stream) == (0, False)


def test_some_streams_end_while_others_go_on(gru):
    stream = gru.start()
    stream.update({"a": "a", "b": "b", "c": "c"})
    surprise = stream.update({"a": "b", "b": END, "c": "a", "d": END})
    assert_allclose(surprise["b"], -gru.token_log_proba(["b"])[0][1], **EXACT)
    assert_allclose(surprise["d"], -gru.score_samples([""])[0], **EXACT)
    assert stream.keys() == ["a", "c"]
    assert_allclose(values(stream.predict_proba()), gru.predict_proba(["ab", "ca"]), **EXACT)


def test_unknown_tokens(gru):
    stream, other = gru.start(), gru.start()
    assert stream.update({0: "x"}) == other.update({0: UNKNOWN})
    assert_array_equal(stream.predict_proba()[0], other.predict_proba()[0])
    assert gru.start().update({0: "y"})[0] == pytest.approx(-np.log(gru.predict_proba([""])[0, -1]))


@pytest.mark.parametrize("params", [{}, {"min_frequency": 8}], ids=str)
def test_unknown_tokens_are_errors_where_predict_proba_says_so(params):
    model = fitted(handle_unknown="error", **params)
    stream = model.start()
    try:
        model.predict_proba(["x"])
    except ValueError:
        with pytest.raises(ValueError, match=r"^steps\['b'\] is 'x', which is not in the vocabulary"):
            stream.update({"a": "a", "b": "x"})
        assert len(stream) == 0
    else:
        stream.update({"b": "x"})
        assert_allclose(stream.predict_proba()["b"], model.predict_proba(["x"])[0], **EXACT)


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
@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_kinds_of_tokens(X, tokens, container):
    model = fitted(X)
    stream = model.start()
    stream.update(dict(enumerate(container(tokens))))
    assert_allclose(values(stream.predict_proba()), model.predict_proba([[token] for token in tokens]), **EXACT)


def test_many_streams_that_come_and_go(gru, rng):
    """Slots are used again, and room grows."""
    stream, seen = gru.start(), {}
    for step in range(12):
        tokens = {int(key): str(rng.choice(list("abc"))) for key in rng.integers(300, size=10 * step**2 // 4)}
        surprise = stream.update(tokens)
        texts = [seen.get(key, "") + token for key, token in tokens.items()]
        if tokens:
            wanted = [steps[len(text) - 1] for steps, text in zip(gru.token_log_proba(texts), texts, strict=True)]
            assert_allclose(values(surprise), -np.array(wanted), **EXACT)
        seen |= dict(zip(tokens, texts, strict=True))
        closed = [key for key in seen if rng.random() < 0.3]
        stream.close(closed)
        for key in closed:
            del seen[key]
        assert stream.keys() == list(seen)


def test_a_long_stream_equals_a_long_text(gru, rng):
    text = "".join(rng.choice(list("abc"), size=300))
    stream = gru.start()
    surprises = [stream.update({"a": token})["a"] for token in text]
    assert_allclose(surprises, -gru.token_log_proba([text])[0][:-1], rtol=0, atol=1e-11)


@pytest.mark.parametrize("params", [{}, {"min_frequency": 8}], ids=str)
def test_dtype_is_kept(params):
    stream = fitted(dtype="float32", **params).start()
    assert {value.dtype for value in stream.update({"a": "a", "b": "b"}).values()} == {np.dtype("float32")}
    assert stream.predict_proba()["a"].dtype == np.float32


def test_end_where_it_is_not_modelled():
    stream = fitted(add_end_token=False).start()
    with pytest.raises(ValueError, match=r"^steps\['b'\] is END, but the model was fitted without the ends"):
        stream.update({"a": "a", "b": END})
    assert len(stream) == 0


# Of the others

X = [np.random.default_rng(i).normal(size=(n, 3)) for i, n in enumerate([5, 3, 6, 4, 5, 3, 8, 4])]
LABELS = np.arange(8) % 3
FRAMES = [pd.DataFrame({"x": x[:, 0], "kind": np.where(x[:, 1] > 0, "up", "down"), "y": x[:, 2]}) for x in X]
WORDS = [["up" if step > 0 else "down" for step in x[:, 0]] for x in X]


def classifier(**params):
    return RNNSequenceClassifier(**{"hidden_size": 4, "max_iter": 3, "random_state": 0, **params})


def regressor(**params):
    return RNNSequenceRegressor(**{"hidden_size": 4, "max_iter": 3, "random_state": 0, **params})


TAGGER = RNNSequenceTagger(4, loss="log_loss", bidirectional=False, max_iter=3, random_state=0)
NUMBERS = np.array([x.sum() for x in X])
BATCHES = {
    "classifier": (classifier(), X, LABELS),
    "two layers of lstm": (classifier(cell="lstm", n_layers=2), X, LABELS),
    "mean": (classifier(pooling="mean"), X, LABELS),
    "max": (classifier(pooling="max", cell="tanh"), X, LABELS),
    "float32": (classifier(), [x.astype("float32") for x in X], LABELS),
    "several labels": (classifier(), X, np.eye(3, dtype=int)[LABELS]),
    "words": (classifier(), WORDS, LABELS),
    "vectors of words": (classifier(embedding_size=3), WORDS, LABELS),
    "categories": (classifier(), FRAMES, LABELS),
    "categories by place": (classifier(categorical_features=[1]), [f.to_numpy(object) for f in FRAMES], LABELS),
    "names": (classifier(), [frame[["x", "y"]] for frame in FRAMES], LABELS),
    "one feature": (classifier(), [x[:, 0] for x in X], LABELS),
    "table": (classifier(), np.array([x[:3, 0] for x in X]), LABELS),
    "number": (regressor(), X, NUMBERS),
    "numbers": (regressor(), X, np.array([x[0] for x in X])),
    "gaussian": (regressor(loss="gaussian", pooling="mean"), X, 1000 * NUMBERS),
    "number of each step": (regressor(), X, [x[:, 0] for x in X]),
    "numbers of each step": (regressor(loss="gaussian"), X, [x[:, :2] for x in X]),
    "tagger": (TAGGER, X, [(x[:, 0] > 0).astype(int) for x in X]),
    "tagger of words": (TAGGER, WORDS, WORDS),
}


@pytest.fixture(scope="module", params=BATCHES.values(), ids=BATCHES)
def batch(request):
    model, data, y = request.param
    return model.fit(data, y), data


def predicted_of_beginnings(model, data, lengths):
    """What the model predicts for the first steps of each sequence, at the last of them."""
    beginnings = [x[:n] for x, n in zip(data, lengths, strict=True)]
    predicted = (
        model.predict(beginnings) if isinstance(model, RNNSequenceRegressor) else model.predict_proba(beginnings)
    )
    is_per_step = predicted.dtype == object
    return np.array([steps[-1] for steps in predicted]) if is_per_step else predicted


def step_of(x, t):
    return x.iloc[t] if hasattr(x, "iloc") else x[t]


def test_every_step_equals_the_beginning_of_the_whole(batch):
    model, data = batch
    stream = model.start()
    for t in range(3):
        predicted = stream.update({f"key {i}": step_of(x, t) for i, x in enumerate(data)})
        wanted = predicted_of_beginnings(model, data, [t + 1] * len(data))
        assert list(predicted) == [f"key {i}" for i in range(len(data))]
        eps = 4 * np.finfo(wanted.dtype).eps
        assert_allclose(values(predicted), wanted, rtol=eps, atol=eps * max(1, abs(wanted).max()))
        assert values(predicted).dtype == wanted.dtype


def test_streams_come_and_go(batch):
    model, data = batch
    stream = pickle.loads(pickle.dumps(model.start()))
    n_seen = dict.fromkeys(range(len(data)), 0)
    for keys in ([3, 0], [1, 2, 3], [0], [2, 0, 3, 1]):
        predicted = stream.update({key: step_of(data[key], n_seen[key]) for key in keys})
        n_seen |= {key: n_seen[key] + 1 for key in keys}
        wanted = predicted_of_beginnings(model, [data[key] for key in keys], [n_seen[key] for key in keys])
        assert_allclose(values(predicted), wanted, rtol=1e-5, atol=1e-5 * max(1, abs(wanted).max()))
        stream = pickle.loads(pickle.dumps(stream))
        if 1 in stream:
            stream.close([1])
            n_seen[1] = 0


def test_pickle_in_the_middle(batch):
    model, data = batch
    stream = model.start(max_streams=4)
    for t in (0, 1):
        stream.update({i: step_of(x, t) for i, x in enumerate(data[:4])})
    stream.close([1])
    copied = pickle.loads(pickle.dumps(stream))
    assert (copied.keys(), copied.max_streams) == ([0, 2, 3], 4)
    steps = {i: step_of(data[i], 2) for i in (3, 0, 2, 5)}
    got, wanted = copied.update(steps), stream.update(steps)
    assert list(got) == list(wanted)
    assert_array_equal(values(got), values(wanted), strict=True)


@pytest.mark.parametrize(
    "make",
    [list, tuple, np.array, pd.Series, lambda x: np.asarray(x, object)],
    ids=["list", "tuple", "array", "series", "array of objects"],
)
def test_containers_of_a_step(make):
    model = classifier().fit(X, LABELS)
    wanted = model.predict_proba([x[:1] for x in X])
    assert_allclose(values(model.start().update({i: make(x[0]) for i, x in enumerate(X)})), wanted, **EXACT)
    mixed = {i: make(x[0]) if i % 2 else x[0] for i, x in enumerate(X)}
    assert_allclose(values(model.start().update(mixed)), wanted, **EXACT)


@pytest.mark.parametrize("columns", [["x", "y"], ["x", "kind", "y"]], ids=["numbers", "categories"])
def test_named_values_are_read_by_name(columns):
    data = [frame[columns] for frame in FRAMES]
    model = classifier().fit(data, LABELS)
    wanted = model.predict_proba([frame[:1] for frame in data])
    reversed_ = {i: frame.iloc[0][columns[::-1]] for i, frame in enumerate(data)}
    for steps in (reversed_, {i: step.to_dict() for i, step in reversed_.items()}):
        assert_allclose(values(model.start().update(steps)), wanted, **EXACT)
    for step in ({"x": 1.0}, {**reversed_[0].to_dict(), "z": 1}, pd.Series({"a": 1.0, "b": 2.0}), {}):
        with pytest.raises(ValueError, match=r"^steps\[0\] names .*, but the model was fitted on \['x', "):
            model.start().update({0: step})


# Of all


def test_streams_are_independent_of_each_other_and_of_later_training(gru):
    model = fitted()
    one, two = model.start(), model.start()
    one.update({"a": "a"})
    assert len(two) == 0
    model.partial_fit(TEXTS)
    model.set_params(handle_unknown="error")
    one.update({"a": "x"})
    assert_allclose(one.predict_proba()["a"], gru.predict_proba(["ax"])[0], **EXACT)


def test_what_is_given_back_may_be_overwritten():
    model = classifier().fit(X, LABELS)
    stream, steps = model.start(), {0: X[0][0].copy(), 1: X[1][0].copy()}
    stream.update(steps)[0][:] = 0
    steps[0][:] = 0
    proba = stream.update({0: X[0][1], 1: X[1][1]})
    assert_allclose(values(proba), model.predict_proba([x[:2] for x in X[:2]]), **EXACT)


def test_nothing_to_do(gru):
    stream = gru.start()
    assert stream.update({}) == stream.predict_proba() == stream.predict_proba([]) == {}
    stream.close([])
    assert stream.keys() == []


def test_a_stream_that_is_full(gru):
    stream = gru.start(max_streams=3)
    stream.update({"a": "a", "b": "b"})
    with pytest.raises(ValueError, match=r"^steps would open 4 sequences, but max_streams is 3\. Close some"):
        stream.update({"a": "c", "c": "a", "d": "b"})
    assert stream.keys() == ["a", "b"]
    assert_allclose(values(stream.predict_proba()), gru.predict_proba(["a", "b"]), **EXACT)
    stream.close({"a"})
    stream.update({"c": "a", "d": "b"})
    assert stream.keys() == ["b", "c", "d"]


# Errors


@pytest.mark.parametrize("model", [RNNNextTokenModel(), classifier(), regressor(), TAGGER], ids=type)
def test_a_stream_needs_a_fit(model):
    with pytest.raises(NotFittedError):
        clone(model).start()


@pytest.mark.parametrize("max_streams", [0, -1, 1.5, True, "two"])
def test_bad_max_streams(gru, max_streams):
    with pytest.raises(ValueError, match=f"max_streams is {max_streams!r}, but it must be an integer >= 1"):
        gru.start(max_streams)


def test_models_that_read_from_the_end_have_no_streams():
    for model, y in ((classifier(bidirectional=True), LABELS), (regressor(bidirectional=True), NUMBERS)):
        with pytest.raises(ValueError, match=r"^start needs a model that reads forwards.*bidirectional=False\.$"):
            model.fit(X, y).start()
    chain = clone(TAGGER).set_params(loss="crf").fit(X, [x[:, 0] > 0 for x in X])
    with pytest.raises(ValueError, match=r"^start needs a model whose labels do not depend on later steps.*loss='crf'"):
        chain.start()


@pytest.mark.parametrize("steps", [None, "a", ["a"], np.zeros(2), [("a", "a")], pd.Series({"a": "a"})], ids=type)
def test_steps_are_a_dict(gru, steps):
    with pytest.raises(TypeError, match=r"^steps is .*\. Pass a dict of the next step by the key of its sequence"):
        gru.start().update(steps)


BAD = {
    "text": ("a", r"is a str \('a'\), but a sequence of numbers is needed. Pass 3 numbers"),
    "texts": (["a", "b", "c"], "has dtype"),
    "missing": ([1.0, None, 2.0], "NaN"),
    "nan": ([1.0, np.nan, 2.0], "contains NaN. It is at feature 1"),
    "infinity": (np.array([1.0, 2.0, np.inf]), "contains infinity or a value too large for .* It is at feature 2"),
    "nothing": (None, "is None, but a sequence of numbers is needed"),
    "a number": (1.0, r"has shape \(\), but a step has 3 features. Pass an array of shape \(3,\)"),
    "too few": ([1.0, 2.0], r"has shape \(2,\)"),
    "too many": (np.ones(4), r"has shape \(4,\)"),
    "a sequence": (np.ones((1, 3)), r"has shape \(1, 3\)"),
    "a frame": (pd.DataFrame(np.ones((1, 3))), r"has shape \(1, 3\)"),
    "complex": ([1j, 0, 0], "has dtype complex128. Pass real numbers"),
    "names": ({"x": 1.0, "y": 2.0, "z": 3.0}, "is a dict, but the model knows no names of features"),
    "masked": (np.ma.array([1.0, 2.0, 3.0], mask=[True, False, False]), "masked"),
}


def test_a_number_beyond_the_dtype():
    model = classifier(dtype="float32").fit(X, LABELS)
    for step in ([1.0, 1e300, 0.0], pd.Series([1.0, 1e300, 0.0])):
        with pytest.raises(ValueError, match=r"^Input steps\['a'\] contains infinity or a value too large for dtype"):
            model.start().update({"a": step})


@pytest.mark.parametrize(("step", "message"), BAD.values(), ids=BAD)
def test_bad_steps_change_nothing(step, message):
    model = classifier().fit(X, LABELS)
    stream = model.start()
    stream.update({"a": X[0][0], "b": X[1][0]})
    for steps in ({"a": X[0][1], "c": step}, {"c": step, "b": X[1][1]}, {"c": step}):
        with pytest.raises((TypeError, ValueError), match=rf"steps\['c'\].*{message}"):
            stream.update(steps)
    assert stream.keys() == ["a", "b"]
    proba = stream.update({"b": X[1][1], "a": X[0][1]})
    assert_allclose(values(proba), model.predict_proba([X[1][:2], X[0][:2]]), **EXACT)


@pytest.mark.parametrize(
    "step", [1.0, "up", ["up"], [1.0, "up"], np.ones((1, 3)), FRAMES[0][:1], [["up"], 1.0, 2.0]], ids=str
)
def test_bad_steps_of_categories(step):
    model = classifier().fit(FRAMES, LABELS)
    with pytest.raises(ValueError, match=r"^steps\['a'\] is no row of 3 values, one for each column"):
        model.start().update({"a": step})


@pytest.mark.parametrize("token", [None, ["a", "b"], {}, 1], ids=repr)
def test_bad_tokens_change_nothing(gru, token):
    words = classifier().fit(WORDS, LABELS).start()
    stream = gru.start()
    stream.update({"a": "a", "b": "b"})
    for each in (stream, words):
        with pytest.raises((TypeError, ValueError), match=r"steps\['c'\]"):
            each.update({"a": "a", "c": token})
    assert stream.keys() == ["a", "b"]
    assert len(words) == 0
    assert_allclose(values(stream.predict_proba()), gru.predict_proba(["a", "b"]), **EXACT)


@pytest.mark.parametrize("method", ["close", "predict_proba"])
def test_keys_are_a_list_of_open_ones(gru, method):
    stream = gru.start()
    stream.update({"ab": "a", 1: "b"})
    for keys in ("ab", 1, {"ab": 1}, b"ab", END):
        with pytest.raises(TypeError, match=r"^keys is .*\. Pass a list of the keys that are meant"):
            getattr(stream, method)(keys)
    for keys in (["ab", "c"], [[]], {"c"}):
        with pytest.raises(ValueError, match=r"^keys holds \[('c'|\[\])\], of which no sequence is open"):
            getattr(stream, method)(keys)
    assert stream.keys() == ["ab", 1]
