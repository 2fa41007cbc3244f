"""RNNNextTokenModel: what it takes for tokens, what it learns, what its scores mean, and what it says."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from skrnn import END, UNKNOWN, RNNNextTokenModel
from skrnn.core.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

may_hold_unknown_tokens_only = pytest.mark.filterwarnings("ignore:No token of X is in the vocabulary")

STOCHASTIC = ["adam", "sgd", "rmsprop"]
WORDS = ["abcab", "ca", "bbca", "a", "cabca", "abca", "bc"]
NUMBERS = np.array([[1, 2, 3, 1], [2, 3, 1, 2], [3, 1, 2, 3]])


def make(**params):
    """Make a model that fits in milliseconds."""
    return RNNNextTokenModel(**{"hidden_size": 4, "max_iter": 4, "random_state": 0, **params})


def params_of(model):
    return np.concatenate([array.ravel() for array in model.weights_.values()])


@pytest.fixture(scope="module")
def model():
    """A fitted model with END, without a learned UNKNOWN; tests leave it as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make(max_iter=30).fit(WORDS)


# Learning


@pytest.mark.parametrize("params", [*({"cell": cell} for cell in sorted(CELLS)), {"embedding_size": 3}], ids=str)
def test_learns_a_cycle(params):
    model = make(hidden_size=12, max_iter=60, batch_size=3, **params).fit(["abcabcabc"[k:] for k in range(3)] * 4)

    assert_array_equal(model.predict(["ab", "bcab", "cabca"]), ["c", "c", "b"])
    assert model.predict_proba(["abca"])[0, 1] > 0.9


@pytest.mark.parametrize(
    "params",
    [
        {"solver": "sgd", "learning_rate_init": 0.5},
        {"solver": "rmsprop"},
        {"solver": "lbfgs"},
        {"n_layers": 2},
        {"dropout": 0.1},
        {"embedding_size": 12, "tie_weights": True},
        {"learning_rate": "constant"},
        {"learning_rate": "adaptive"},
        {"dtype": "float32"},
        {"bptt_steps": 2},
    ],
    ids=str,
)
def test_learns_a_cycle_otherwise(params):
    params = {"learning_rate_init": 0.01, **params}
    model = make(hidden_size=12, max_iter=80, batch_size=3, **params).fit(["abcabcabc"[k:] for k in range(3)] * 4)
    assert_array_equal(model.predict(["ab", "bcab", "cabca"]), ["c", "c", "b"])


def test_learns_a_single_text():
    model = make(hidden_size=12, max_iter=40, batch_size=4, bptt_steps=10, add_end_token=False).fit(["abc" * 100])
    assert_array_equal(model.predict(["ab", "bcab", "cabca"]), ["c", "c", "b"])


def test_learns_where_sequences_end():
    model = make(hidden_size=12, max_iter=80, batch_size=4).fit(["aab", "ba"] * 10)
    assert_array_equal(model.predict(["", "aab", "aa", "b", "ba"])[1:], [END, "b", "a", END])


@pytest.mark.parametrize("bptt_steps", [3, 100])
@pytest.mark.parametrize("add_end_token", [True, False])
def test_lbfgs_minimises_the_loss_that_score_measures(bptt_steps, add_end_token):
    """Whatever the sequences' lengths, and however often a line search asks for the loss."""
    model = make(solver="lbfgs", alpha=0, max_iter=40, bptt_steps=bptt_steps, add_end_token=add_end_token)

    model.fit(WORDS)

    assert model.loss_ == pytest.approx(-model.score(WORDS) + np.log1p(-unknown_probability(model, WORDS)), rel=1e-9)
    assert np.all(np.diff(model.loss_curve_) <= 0)
    assert model.loss_ < 0.7 * model.loss_curve_[0]


@pytest.mark.parametrize("solver", STOCHASTIC)
def test_the_first_loss_is_minus_the_score_of_the_initial_parameters(solver):
    model = make(solver=solver, alpha=0, max_iter=1, learning_rate_init=1e-12).fit(WORDS)
    assert model.loss_ == pytest.approx(-model.score(WORDS) + np.log1p(-unknown_probability(model, WORDS)), rel=1e-6)


def test_the_penalty_is_divided_by_the_number_of_tokens():
    without, with_ = (make(alpha=alpha, max_iter=1, learning_rate_init=1e-12).fit(WORDS) for alpha in (0, 5.0))
    squares = sum((array**2).sum() for name, array in with_.weights_.items() if name.split(".")[-1].startswith("W_"))
    n_tokens = sum(len(word) + 1 for word in WORDS)
    assert with_.loss_ - without.loss_ == pytest.approx(0.5 * 5.0 * squares / n_tokens, rel=1e-6)


# Attributes


@pytest.mark.parametrize("solver", [*STOCHASTIC, "lbfgs"])
def test_attributes(solver):
    model = make(solver=solver).fit(WORDS)

    assert_array_equal(model.classes_, ["a", "b", "c"])
    assert model.classes_.dtype == np.dtype("U1")
    assert model.column_tokens_.tolist() == ["a", "b", "c", END, UNKNOWN]
    assert model.vocabulary_ == {"a": 0, "b": 1, "c": 2, END: 3, UNKNOWN: 4}
    assert model.n_iter_ == len(model.loss_curve_) == 4
    assert all(type(loss) is float for loss in model.loss_curve_)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ == min(model.loss_curve_)
    assert model.validation_scores_ is None
    assert not hasattr(model, "n_features_in_")


def test_weights_by_name():
    of_layers = {f"rnn.{k}.{name}" for k in range(2) for name in ("W_x", "W_h", "b", "b_hn")}
    model = make(n_layers=2, embedding_size=None).fit(WORDS)
    assert set(model.weights_) == of_layers | {"head.W_y", "head.b_y"}
    assert make(hidden_size=5).fit(WORDS).weights_["embedding.E"].shape == (6, 5)
    tied = make(embedding_size=4, tie_weights=True).fit(WORDS).weights_
    assert tied["embedding.E"].shape == (6, 4)
    assert "head.W_y" not in tied


def test_transform(model):
    states = model.transform([*WORDS, ""])
    assert states.shape == (8, 4)
    assert_array_equal(model.get_feature_names_out(), [f"rnnnexttokenmodel{k}" for k in range(4)])
    logits = states @ model.weights_["head.W_y"].T + model.weights_["head.b_y"]
    proba = model.predict_proba([*WORDS, ""])[:, :4]
    assert_allclose(np.diff(np.log(proba)), np.diff(logits), atol=1e-12)


def test_transform_to_a_frame(model):
    frame = clone(model).set_output(transform="pandas").fit(WORDS).transform(WORDS)
    assert_array_equal(frame.columns, model.get_feature_names_out())


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "score_samples", "score", "perplexity"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError):
        getattr(make(), method)(WORDS)


@pytest.mark.parametrize("name", ["classes_", "column_tokens_", "vocabulary_"])
def test_no_attributes_before_fit(name):
    with pytest.raises(AttributeError, match=f"RNNNextTokenModel has no {name} before it is fitted"):
        getattr(make(), name)


def test_same_seed_same_bits():
    one, two, other = (make(batch_size=3, dropout=0.2, random_state=seed).fit(WORDS) for seed in (1, 1, 2))
    assert_array_equal(params_of(one), params_of(two))
    assert not np.allclose(params_of(one), params_of(other))
    assert one.loss_curve_ == two.loss_curve_


@pytest.mark.parametrize("dtype", [np.float32, "float32", np.dtype("float32"), np.float64, "float64"])
@pytest.mark.parametrize("params", [{}, {"min_frequency": 8}], ids=str)
def test_dtype(dtype, params):
    model = make(dtype=dtype, **params).fit(WORDS)
    kind = np.dtype(dtype)

    assert params_of(model).dtype == kind
    assert model.predict_proba(WORDS).dtype == kind
    assert model.transform(WORDS).dtype == kind
    assert {array.dtype for array in model.token_log_proba(WORDS)} == {kind}
    assert_allclose(model.predict_proba(WORDS).sum(axis=1), 1, rtol=1e-5)


def test_a_long_sequence_keeps_its_sum_in_float32():
    model = make(dtype="float32", max_iter=1).fit(["ab" * 50] * 3)
    text = "ab" * 5_000
    (log_proba,) = model.token_log_proba([text])
    assert model.score_samples([text])[0] == pytest.approx(log_proba.astype(float).sum(), rel=1e-9)


# Kinds of tokens and of containers


CONTAINERS = {
    "texts": ["ab", "bca"],
    "array of texts": np.array(["ab", "bca"]),
    "object array of texts": np.array(["ab", "bca"], dtype=object),
    "series of texts": pd.Series(["ab", "bca"], index=[7, 3]),
    "lists": [["a", "b"], ["b", "c", "a"]],
    "tuples": (("a", "b"), ("b", "c", "a")),
    "arrays": [np.array(["a", "b"]), np.array(["b", "c", "a"])],
    "object arrays": [np.array(["a", "b"], dtype=object), np.array(["b", "c", "a"], dtype=object)],
    "object array of lists": pd.Series([["a", "b"], ["b", "c", "a"]]).to_numpy(),
    "series of lists": pd.Series([["a", "b"], ["b", "c", "a"]], index=[7, 3]),
    "mixed": ["ab", ["b", "c", "a"]],
}


@pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
def test_containers(X):
    wanted, got = make().fit(CONTAINERS["texts"]), make().fit(X)

    assert_array_equal(got.classes_, ["a", "b", "c"])
    assert_array_equal(params_of(got), params_of(wanted))
    assert_array_equal(wanted.score_samples(X), got.score_samples(CONTAINERS["texts"]))


@pytest.mark.parametrize("make_iterable", [iter, lambda X: (x for x in X)], ids=["iterator", "generator"])
def test_an_iterator_is_a_list(make_iterable):
    numbers = [[1, 2], [2, 1, 1]]
    got, wanted = make().fit(make_iterable(numbers)), make().fit(numbers)

    assert_array_equal(params_of(got), params_of(wanted))
    assert got.generate(max_new_tokens=5, random_state=0) == wanted.generate(max_new_tokens=5, random_state=0)


@pytest.mark.parametrize(
    ("X", "classes"),
    [
        ([[3, -1], [3]], np.array([-1, 3])),
        ([[0.5, -1.0], [0.5]], np.array([-1.0, 0.5])),
        ([[True, False], [True]], np.array([False, True])),
        ([["to", "be"], ["or"]], np.array(["be", "or", "to"])),
        ([np.array([1, 2], "u1"), np.array([2], "u1")], np.array([1, 2], "u1")),
        ([[2**60, 2**60 + 1]], np.array([2**60, 2**60 + 1])),
    ],
    ids=["int", "float", "bool", "str", "uint8", "large"],
)
def test_kinds_of_tokens(X, classes):
    model = make(add_end_token=False).fit(X)

    assert_array_equal(model.classes_, classes)
    assert model.classes_.dtype == model.predict(X).dtype == classes.dtype
    assert_array_equal(model.predict_top_k(X, 2).dtype, classes.dtype)
    assert [type(token) for token in model.column_tokens_[:-1]] == [type(token) for token in classes.tolist()]


def test_end_makes_predictions_objects():
    model = make(add_end_token=True).fit(NUMBERS)
    assert model.predict(NUMBERS).dtype == object
    assert {type(token) for token in model.predict_top_k(NUMBERS, 3).ravel()} == {int, type(END)}


@pytest.mark.parametrize(
    "as_table", [np.asarray, pd.DataFrame, lambda X: X.astype(object), lambda X: X.astype(str)], ids=range(4)
)
def test_tables_have_a_width(as_table):
    X = as_table(NUMBERS) if as_table is not pd.DataFrame else pd.DataFrame(NUMBERS, columns=list("pqrs"))
    model = make().fit(X)

    assert model.n_features_in_ == 4
    assert END not in model.column_tokens_.tolist()
    assert model.predict(X).shape == (3,)
    for method in ("predict", "predict_proba", "transform", "score", "score_samples"):
        with pytest.raises(ValueError, match=r"has 3 features, but RNNNextTokenModel is expecting 4|now missing:\n- s"):
            getattr(model, method)(X.iloc[:, :3] if hasattr(X, "iloc") else X[:, :3])


def test_tables_keep_their_column_names():
    X = pd.DataFrame(NUMBERS, columns=list("pqrs"))
    model = make().fit(X)
    assert_array_equal(model.feature_names_in_, list("pqrs"))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[list("qprs")])


def test_lists_of_one_length_are_no_table():
    model = make().fit(NUMBERS.tolist())
    assert not hasattr(model, "n_features_in_")
    assert END in model.column_tokens_.tolist()
    assert model.predict(NUMBERS[:, :2]).shape == (3,)


def test_a_table_and_its_rows_are_the_same_sequences():
    table, rows = make().fit(NUMBERS), make(add_end_token=False).fit(list(NUMBERS))
    assert_array_equal(params_of(table), params_of(rows))
    assert_array_equal(table.score_samples(NUMBERS), table.score_samples(NUMBERS.tolist()))
    assert table.predict([[1, 2]]).shape == (1,)


def test_a_fit_on_lists_forgets_the_table():
    model = make().fit(pd.DataFrame(NUMBERS, columns=list("pqrs"))).fit(WORDS)
    assert not hasattr(model, "n_features_in_")
    assert not hasattr(model, "feature_names_in_")


@pytest.mark.parametrize("add_end_token", [True, False])
@pytest.mark.parametrize("X", [WORDS, NUMBERS], ids=["texts", "table"])
def test_add_end_token(add_end_token, X):
    model = make(add_end_token=add_end_token).fit(X)
    assert (END in model.vocabulary_) == add_end_token
    n_steps = [len(x) + add_end_token for x in X]
    assert [len(log_proba) for log_proba in model.token_log_proba(X)] == n_steps
    assert [len(rank) for rank in model.token_rank(X)] == n_steps


# Unknown tokens


def unknown_probability(model, X, weights=None):
    """1 / (N + V)."""
    weights = np.ones(len(X)) if weights is None else weights
    n_steps = np.array([len(x) for x in X]) + (END in model.vocabulary_)
    return 1 / (weights @ n_steps + len(model.classes_))


@pytest.mark.parametrize("add_end_token", [True, False])
@pytest.mark.parametrize("weights", [None, np.array([1, 2, 0.5, 1, 1, 3, 0])])
def test_the_probability_of_unknown_tokens_is_a_constant(add_end_token, weights):
    model = make(add_end_token=add_end_token).fit(WORDS, sample_weight=weights)
    proba = model.predict_proba([*WORDS, "", "xy"])

    assert_allclose(proba[:, -1], unknown_probability(model, WORDS, weights), rtol=1e-12)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
    assert model.token_log_proba(["a?a"])[0][1] == pytest.approx(np.log(proba[0, -1]))


@may_hold_unknown_tokens_only
@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"min_frequency": 2}, "abc"),
        ({"min_frequency": 3}, "ab"),
        ({"min_frequency": 0.25}, "ab"),
        ({"min_frequency": 0.4}, "a"),
        ({"max_tokens": 2}, "ab"),
        ({"max_tokens": 1}, "a"),
        ({"max_tokens": 3, "min_frequency": 3}, "ab"),
    ],
    ids=str,
)
def test_rare_tokens_are_learned_as_unknown(params, kept):
    X = ["aaaa", "ab", "bbccd"]  # a 5, b 3, c 2, d 1: 11 in all
    model = make(hidden_size=12, max_iter=150, batch_size=1, **params).fit(X)

    assert_array_equal(model.classes_, list(kept))
    n_unknown = sum(token not in kept for x in X for token in x)
    assert model.predict_proba(["", *X]).shape == (4, len(kept) + 2)
    learned = np.exp(np.concatenate(model.token_log_proba(X)))
    is_unknown = np.array([token not in kept for x in X for token in [*x, "a"]])
    assert n_unknown == is_unknown.sum() > 0
    assert learned[is_unknown].mean() > 0.5
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)
    assert_array_equal(model.score_samples(["bbccd"]), model.score_samples(["bbcc?"]))


def test_max_tokens_keeps_the_first_of_equals():
    assert_array_equal(make(max_tokens=2).fit(["cbcab", "a"]).classes_, ["a", "b"])


def test_frequencies_are_weighted():
    model = make(min_frequency=3).fit(["aab", "c"], sample_weight=[1.5, 2.9])
    assert_array_equal(model.classes_, ["a"])


def test_unknown_is_never_predicted():
    model = make(hidden_size=12, max_iter=60, min_frequency=3, batch_size=1).fit(["aaaqwert"] * 2)
    assert model.predict_proba(["aaaqw"])[0].argmax() == 2
    assert model.predict(["aaaqw"])[0] in ("a", END)
    assert UNKNOWN not in model.predict_top_k(["aaaqw"], 2).ravel().tolist()


@may_hold_unknown_tokens_only
def test_perplexity_is_finite_with_unknown_tokens(model):
    assert np.isfinite(model.perplexity(["xyz", "ab", ""]))
    assert np.all(np.isfinite(model.score_samples(["xyz", "ab", ""])))
    assert set(model.token_rank(["xyz"])[0]) <= set(range(1, 6))


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score", "score_samples", "transform", "token_rank"])
def test_unknown_tokens_may_be_errors(method):
    model = make(handle_unknown="error").fit(WORDS)
    with pytest.raises(ValueError, match=r"X\[1\] holds 'x', which is not in the vocabulary\. Leave it out, or use "):
        getattr(model, method)(["ab", "axb"])


def test_an_unknown_token_in_a_prompt_may_be_an_error():
    model = make(handle_unknown="error").fit(WORDS)
    with pytest.raises(ValueError, match=r"prompts\[0\] holds 'x', which is not in the vocabulary"):
        model.generate(["x"], max_new_tokens=1)


@pytest.mark.parametrize("embedding_size", [None, 3])
def test_a_token_never_seen_says_little(embedding_size):
    """Its random weights would say anything: they are zero."""
    model = make(embedding_size=embedding_size, max_iter=1, alpha=0).fit(WORDS)
    name = "rnn.0.W_x" if embedding_size is None else "embedding.E"
    weights = model.weights_[name].T if embedding_size is None else model.weights_[name]
    assert_array_equal(weights[model.vocabulary_[UNKNOWN]], 0)
    assert np.abs(weights[:-2]).min() > 0


# Scores


@pytest.fixture(scope="module", params=[{}, {"add_end_token": False}, {"min_frequency": 5}], ids=str)
def scored(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make(max_iter=10, **request.param).fit(WORDS)


TEXTS = ["abc", "", "cabxa", "b", "aaaaaaaa"]


def test_scores_follow_from_predict_proba_prefix_by_prefix(scored):
    has_end = END in scored.vocabulary_
    log_proba, ranks = scored.token_log_proba(TEXTS), scored.token_rank(TEXTS)

    for text, got, rank in zip(TEXTS, log_proba, ranks, strict=True):
        targets = [*text, END] if has_end else list(text)
        assert len(got) == len(rank) == len(targets)
        for t, target in enumerate(targets):
            (proba,) = scored.predict_proba([text[:t]])
            column = scored.vocabulary_.get(target, scored.vocabulary_[UNKNOWN])
            assert got[t] == pytest.approx(np.log(proba[column]), abs=1e-12)
            assert rank[t] == 1 + (proba > proba[column]).sum()


def test_scores_follow_from_each_other(scored):
    weights = np.array([1, 0.5, 2, 0, 3])
    log_proba, samples = scored.token_log_proba(TEXTS), scored.score_samples(TEXTS)
    n_tokens = np.array([len(of_text) for of_text in log_proba])

    assert samples.dtype == np.float64
    assert_allclose(samples, [of_text.sum() for of_text in log_proba], atol=1e-12)
    assert scored.score(TEXTS) == pytest.approx(samples.sum() / n_tokens.sum())
    assert scored.score(TEXTS, None, weights) == pytest.approx(weights @ samples / (weights @ n_tokens))
    assert scored.score(TEXTS, sample_weight=weights) == scored.score(TEXTS, None, weights)
    assert scored.perplexity(TEXTS, weights) == pytest.approx(np.exp(-scored.score(TEXTS, None, weights)))
    assert type(scored.score(TEXTS)) is type(scored.perplexity(TEXTS)) is float
    assert scored.score(TEXTS) <= 0


def test_top_k_sorts_predict_proba(scored):
    proba = scored.predict_proba(TEXTS)[:, :-1]
    for k in range(1, proba.shape[1] + 1):
        columns = np.argsort(-proba, axis=1, kind="stable")[:, :k]
        assert_array_equal(scored.predict_top_k(TEXTS, k), scored.column_tokens_[columns])
    assert_array_equal(scored.predict(TEXTS), scored.predict_top_k(TEXTS, 1)[:, 0])


def test_the_empty_prefix_is_legal(scored):
    for method in ("predict", "predict_proba", "transform", "score_samples", "token_log_proba", "token_rank"):
        assert len(getattr(scored, method)([""])) == len(getattr(scored, method)([[]])) == 1
    assert_array_equal(scored.predict_proba([""]), scored.predict_proba([[]]))
    (text,) = scored.generate([""], max_new_tokens=2, temperature=0)
    assert text == scored.generate("", max_new_tokens=2, temperature=0)


NETWORKS = {
    "tanh": {"cell": "tanh"},
    "relu": {"cell": "relu"},
    "gru": {"n_layers": 2, "min_frequency": 5},
    "lstm": {"cell": "lstm", "n_layers": 2, "embedding_size": 8, "tie_weights": True},
    "endless": {"add_end_token": False},
}
LONG_TEXTS = ["abcb" * 70 + "x", *TEXTS, "cab" * 13, "", "bca" * 70, "x"]


@pytest.fixture(scope="module", params=NETWORKS.values(), ids=NETWORKS)
def network(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = make(hidden_size=8, max_iter=10, **request.param).fit(WORDS)
    if model.cell == "relu":
        model.weights_["rnn.0.W_h"][:] *= 0.5  # a state that grows for hundreds of steps has errors as large
    return model


@may_hold_unknown_tokens_only
def test_a_score_is_what_its_tokens_its_prefixes_and_its_stream_say(network):
    """In logarithms, where products are sums."""
    of_tokens = [log_proba.sum() for log_proba in network.token_log_proba(LONG_TEXTS)]
    of_prefixes, of_streams = [], []
    for text in LONG_TEXTS:
        targets = [*text, END] if END in network.vocabulary_ else [*text]
        proba = network.predict_proba([text[:t] for t in range(len(targets))] or [""])
        assert_allclose(proba.sum(axis=1), 1, rtol=0, atol=1e-10)
        columns = [network.vocabulary_.get(token, network.vocabulary_[UNKNOWN]) for token in targets]
        of_prefixes.append(np.log(proba[np.arange(len(columns)), columns]).sum())
        stream = network.start()
        of_streams.append(-sum(float(stream.update({0: token})[0]) for token in targets))

    scores = network.score_samples(LONG_TEXTS)

    assert_allclose(scores, of_tokens, rtol=0, atol=1e-10)
    assert_allclose(scores, of_prefixes, rtol=0, atol=1e-10)
    assert_allclose(scores, of_streams, rtol=0, atol=1e-10)


@may_hold_unknown_tokens_only
@pytest.mark.parametrize(
    "method",
    ["predict_proba", "predict", "predict_top_k", "score_samples", "token_log_proba", "token_rank", "transform"],
)
def test_a_sequence_gives_the_same_among_others(network, method, rng):
    """Whatever their order, and however much longer they are: they are its padding."""

    def of(X):
        return getattr(network, method)(X, *([2] if method == "predict_top_k" else []))

    order = rng.permutation(len(LONG_TEXTS))
    one_by_one = [of([text])[0] for text in LONG_TEXTS]

    for got, wanted in [
        (of(LONG_TEXTS), one_by_one),
        (of([LONG_TEXTS[i] for i in order]), [one_by_one[i] for i in order]),
    ]:
        for value, value_wanted in zip(got, wanted, strict=True):
            if method in ("predict", "predict_top_k"):
                assert_array_equal(value, value_wanted)
            else:
                assert_allclose(value, value_wanted, rtol=0, atol=1e-10)


def test_probabilities_of_all_sequences_sum_to_one():
    """With END a model is a distribution over sequences; here over those that end soon enough."""
    model = make(hidden_size=8, max_iter=60).fit(["a", "b", ""] * 5)
    texts = [""]
    for _ in range(5):
        texts += [text + token for text in texts for token in "ab?" if len(text + token) <= 5]
    texts = sorted(set(texts))
    total = np.exp(model.score_samples(texts)).sum()
    assert 0.99 < total <= 1 + 1e-9


# Weights


CLASSES_OF_WEIGHTS = [{}, {"cell": "lstm"}, {"embedding_size": 3}, {"solver": "lbfgs"}, {"min_frequency": 4}]


@pytest.mark.parametrize("params", CLASSES_OF_WEIGHTS, ids=str)
def test_weights_repeat_sequences(params, rng):
    weights = np.array([1, 2, 1, 3, 1, 1, 2])
    repeated = rng.permutation(np.repeat(np.arange(7), weights))

    weighted = make(**params).fit(WORDS, sample_weight=weights)
    repeating = make(**params).fit([WORDS[i] for i in repeated])

    assert_array_equal(weighted.classes_, repeating.classes_)
    assert_allclose(weighted.predict_proba(TEXTS), repeating.predict_proba(TEXTS), rtol=1e-9)
    assert weighted.loss_curve_ == pytest.approx(repeating.loss_curve_, rel=1e-9)


@pytest.mark.parametrize("params", [*CLASSES_OF_WEIGHTS, {"batch_size": 2}, {"early_stopping": True}], ids=str)
def test_weight_zero_is_absence(params):
    X = [*WORDS, "zzz", "aza"]
    weights = np.r_[np.arange(1, 8), 0, 0]

    weighted = make(**params).fit(X, sample_weight=weights)
    without = make(**params).fit(WORDS, sample_weight=weights[:7])

    assert_array_equal(weighted.column_tokens_, without.column_tokens_)
    assert_array_equal(weighted.predict_proba(TEXTS), without.predict_proba(TEXTS))


def test_only_ratios_of_weights_matter():
    """Without the penalty; but for the probability of unknown tokens, which counts tokens."""
    one, two = (make(alpha=0).fit(WORDS, sample_weight=k * np.arange(1, 8)) for k in (1, 1024))
    assert_array_equal(params_of(one), params_of(two))


def test_half_the_weight_is_half_the_evidence():
    model = make(max_iter=150, learning_rate_init=0.02, n_iter_no_change=150, alpha=0, add_end_token=False)
    model.fit(["a", "b"], sample_weight=[3, 1])
    assert model.predict_proba([""])[0, :2] == pytest.approx([0.75 * (1 - 1 / 6), 0.25 * (1 - 1 / 6)], abs=0.01)


# Continuing


@pytest.mark.parametrize("params", [{}, {"batch_size": 3}, {"dropout": 0.3}, {"solver": "sgd"}], ids=str)
def test_warm_start_goes_on(params):
    params = {"learning_rate": "constant", **params}
    whole = make(max_iter=7, **params).fit(WORDS)
    first = make(max_iter=3, warm_start=True, **params).fit(WORDS)
    first.set_params(max_iter=4).fit(WORDS)

    assert_array_equal(params_of(first), params_of(whole))
    assert first.loss_curve_ == whole.loss_curve_


def test_partial_fit_is_an_epoch():
    params = {"learning_rate": "constant", "batch_size": 3, "max_iter": 3, "handle_unknown": "error"}
    whole, parts = make(**params).fit(WORDS), make(**params)
    for _ in range(3):
        parts.partial_fit(WORDS)

    assert_array_equal(params_of(parts), params_of(whole))
    assert parts.n_iter_ == 3


def test_partial_fit_with_the_vocabulary():
    model = make(vocabulary=["d", "a", "c", "b"]).partial_fit(["ab"]).partial_fit(["cd", "dx"])

    assert_array_equal(model.classes_, list("dacb"))
    assert model.predict_proba(["ab"]).shape == (1, 5)  # UNKNOWN, and no END of a single text


@pytest.mark.parametrize("tokens", [[*"dacb"], np.array([*"dacb"]), tuple("dacb"), pd.Series([*"dacb"])])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_vocabulary_comes_in_any_container(tokens, method):
    model = getattr(make(vocabulary=tokens), method)(["ab"])

    assert_array_equal(model.classes_, list("dacb"))
    assert_array_equal(pickle.loads(pickle.dumps(model)).classes_, list("dacb"))


def test_what_a_given_vocabulary_lacks_is_unknown():
    model = make(vocabulary=["b", "a"]).fit(["abx", "ab"])

    assert model._fitted.reading.vocabulary.learns_unknown
    assert not make(vocabulary=["b", "a"]).fit(["aba"])._fitted.reading.vocabulary.learns_unknown
    with pytest.raises(ValueError, match=r"X\[0\] holds 'x', which is not in the vocabulary"):
        make(vocabulary=["b", "a"], handle_unknown="error").fit(["abx", "ab"])


def test_partial_fit_learns_later_tokens_as_unknown():
    model = make(hidden_size=8, learning_rate="constant", learning_rate_init=0.05)
    model.partial_fit(["ab"] * 5)
    for _ in range(60):
        model.partial_fit(["axb"] * 5)

    assert_array_equal(model.classes_, ["a", "b"])
    assert model.token_log_proba(["axb"])[0][1] > np.log(0.5)
    assert_allclose(model.predict_proba(["a"]).sum(), 1)


@pytest.mark.parametrize("how", ["partial_fit", "warm_start"])
def test_going_on_with_new_tokens_after_fit(how):
    """fit gave UNKNOWN no column to learn with. What it cannot learn it must refuse, or leave out of the loss."""
    model = make(warm_start=True).fit(WORDS)
    before = params_of(model).copy()

    try:
        model.partial_fit(["axb", "ab"]) if how == "partial_fit" else model.fit(["axb", "ab"])
    except ValueError as error:
        assert "not in the vocabulary" in str(error)  # noqa: PT017 - either is right
        assert_array_equal(params_of(model), before)
    else:
        assert_array_equal(model.classes_, ["a", "b", "c"])
        assert np.all(np.isfinite(params_of(model)))
        assert_allclose(model.predict_proba(["ax"]).sum(), 1)


def test_going_on_with_new_tokens_may_be_an_error():
    model = make(handle_unknown="error").partial_fit(["ab"])
    with pytest.raises(ValueError, match=r"X\[1\] holds 'x', which is not in the vocabulary"):
        model.partial_fit(["ab", "ax"])


def test_a_vocabulary_may_fall_short_of_the_data():
    with pytest.raises(ValueError, match=r"X\[0\] holds 'b', which is not in the vocabulary"):
        make(vocabulary=["a"], handle_unknown="error").partial_fit(["ab"])


def test_the_shape_of_the_network_cannot_change():
    model = make(warm_start=True).fit(WORDS)
    with pytest.raises(ValueError, match=r"hidden_size cannot change while training continues: it is 5, but was "):
        model.set_params(hidden_size=5).fit(WORDS)


def test_fit_without_warm_start_begins_anew():
    model = make().fit(["xyz"])
    assert_array_equal(params_of(model.fit(WORDS)), params_of(make().fit(WORDS)))


# Early stopping


def test_held_out_sequences_decide():
    model = make(early_stopping=True, validation_fraction=0.3, max_iter=60, n_iter_no_change=3, tol=0.01).fit(WORDS)

    assert len(model.validation_scores_) == model.n_iter_ < 60
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.best_loss_ is None


def test_x_val_decides():
    model = make(early_stopping=True, max_iter=12).fit(WORDS, X_val=["cab", "xa", "b"])

    assert model.best_validation_score_ == pytest.approx(model.score(["cab", "xa", "b"]), rel=1e-12)


@pytest.mark.parametrize("add_end_token", [True, False])
def test_the_tail_of_a_single_text_decides(add_end_token):
    text, params = "abc" * 20, {"early_stopping": True, "validation_fraction": 0.25, "add_end_token": add_end_token}
    model = make(max_iter=6, learning_rate="constant", **params).fit([text])

    n = round((60 + add_end_token) * 0.75)
    head = make(max_iter=1, learning_rate="constant", add_end_token=False).fit([text[:n]])
    assert len(model.validation_scores_) == 6
    assert all(-2 < score < -0.01 for score in model.validation_scores_)
    if not add_end_token:
        assert model.loss_curve_[0] == pytest.approx(head.loss_curve_[0], rel=1e-9)
    assert model.validation_scores_[-1] > model.validation_scores_[0]


def test_early_stopping_is_reproducible_on_a_single_text():
    one, two = (make(early_stopping=True).fit(["abcb" * 20]).validation_scores_ for _ in range(2))
    assert one == two


def test_a_custom_scorer_decides():
    seen = []

    def scorer(estimator, X, y=None):
        assert estimator.predict_proba(X).shape == (len(X), 5)
        seen.append([list(x) for x in X])
        return -estimator.perplexity(X)

    model = make(early_stopping=True, scoring=scorer).fit(WORDS, X_val=["cab", "b", "xa"])

    assert seen == [[["c", "a", "b"], ["b"], ["x", "a"]]] * 4  # unknown tokens included
    assert model.best_validation_score_ == pytest.approx(-model.perplexity(["cab", "b", "xa"]))


def test_a_custom_scorer_gets_held_out_sequences():
    seen = []

    def scorer(estimator, X, y=None):
        seen.append(["".join(x) for x in X])
        return estimator.score(X)

    model = make(early_stopping=True, validation_fraction=0.4, scoring=scorer).fit(WORDS)

    assert len(seen) == 4
    assert len(seen[0]) == 3
    assert set(seen[0]) < set(WORDS)
    assert model.best_validation_score_ == pytest.approx(model.score(seen[0]))


def test_the_scorer_none_is_the_loss():
    one, two = (make(early_stopping=True, scoring=scoring).fit(WORDS) for scoring in (None, "loss"))
    assert one.validation_scores_ == two.validation_scores_


# scikit-learn's tools


def test_grid_search_over_ragged_lists():
    search = GridSearchCV(make(), {"hidden_size": [2, 5], "cell": ["gru", "lstm"]}, cv=2).fit(WORDS)

    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.score(WORDS) == search.best_estimator_.score(WORDS)
    assert len(cross_val_score(make(), [[1, 2], [2], [1]], cv=3)) == 3


class LowerCase(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return [x.lower() for x in X]


def test_pipeline():
    pipeline = make_pipeline(LowerCase(), make()).fit([word.upper() for word in WORDS])
    assert_array_equal(params_of(pipeline[-1]), params_of(make().fit(WORDS)))
    assert pipeline.score(WORDS) == pipeline[-1].score(WORDS)


def test_pipeline_routes_weights_and_validation():
    weights = np.arange(1, 8)
    upper = [word.upper() for word in WORDS]
    with config_context(enable_metadata_routing=True):
        model = make(early_stopping=True).set_fit_request(sample_weight=True, X_val=True)
        model.set_score_request(sample_weight=True)
        pipeline = Pipeline([("lower", LowerCase()), ("model", model)], transform_input=["X_val"])
        pipeline.fit(upper, sample_weight=weights, X_val=upper[:3])
        score = pipeline.score(upper, sample_weight=weights)

    wanted = make(early_stopping=True).fit(WORDS, sample_weight=weights, X_val=WORDS[:3])
    assert_array_equal(params_of(pipeline[-1]), params_of(wanted))
    assert score == wanted.score(WORDS, sample_weight=weights)


def test_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")

    assert_array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert loaded.column_tokens_.tolist() == model.column_tokens_.tolist()
    assert_array_equal(loaded.partial_fit(WORDS).loss_curve_[:-1], model.loss_curve_)


@pytest.mark.parametrize("token", [END, UNKNOWN], ids=repr)
@pytest.mark.parametrize("duplicate", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy])
def test_special_tokens_are_one_of_a_kind(token, duplicate):
    assert duplicate(token) is token
    assert duplicate([token])[0] is token
    assert repr(token) in ("END", "UNKNOWN")


# A failure changes nothing


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "X", [[], ["ab", 3], [["a", None]], "abc", ["ab", [1]], np.zeros((3, 0)), [""]], ids=lambda X: repr(X)[:20]
)
def test_a_failed_fit_leaves_the_estimator_as_it_was(method, X):
    model = make(add_end_token=False).fit(WORDS)
    before, params = copy.deepcopy(vars(model)), params_of(model).copy()

    with pytest.raises((ValueError, TypeError)):
        getattr(model, method)(X)

    assert vars(model).keys() == before.keys()
    assert model.loss_curve_ == before["loss_curve_"]
    assert_array_equal(model.classes_, ["a", "b", "c"])
    assert_array_equal(params_of(model), params)


def test_a_failing_scorer_leaves_the_estimator_as_it_was():
    def fail(estimator, X, y=None):
        raise RuntimeError("no score today")

    model = make(early_stopping=True, scoring=fail)
    with pytest.raises(RuntimeError, match="no score today"):
        model.fit(WORDS)
    assert vars(model).keys() == vars(clone(model)).keys()


def test_a_loss_that_is_not_finite_keeps_nothing_from_the_first_epoch():
    model = make(solver="sgd", learning_rate_init=1e300, max_grad_norm=None, batch_size=1, cell="relu")
    with pytest.raises(ValueError, match=r"not finite|The loss became (nan|inf) in epoch 1.* Lower learning_rate_init"):
        model.fit(WORDS * 3)
    assert not hasattr(model, "classes_")


# What it says


MESSAGES = {
    "bare str": ("abc", r"X is a str, but a list of sequences is needed\. Pass \[text\] if X is one text\."),
    "nothing": ([], r"X is empty: at least one sequence is needed\."),
    "None": (None, r"X is None, but a list of sequences is needed\."),
    "number": (5, r"X is 5, but a list of sequences is needed\."),
    "flat": ([1, 2], r"X\[0\] is 1, but every item must be a sequence of tokens, or a str\."),
    "missing": (["ab", None], r"X\[1\] is None, but every item must be a sequence of tokens, or a str\."),
    "bytes": ([b"ab"], r"X\[0\] is b'ab', but every item must be a sequence of tokens, or a str\."),
    "dict": ([{"a": 1}], r"X\[0\] is a dict, which has no order\. Pass a list of tokens\."),
    "nested": ([[1, [2]]], r"X\[0\], position 1: argument must be a string or a number, got \[2\] \(list\)\."),
    "null": ([["a"], [1, None]], r"X\[1\], position 1: argument must be a string or a number, got None \(NoneType\)\."),
    "special": ([["a", END]], r"X\[0\], position 1: argument must be a string or a number, got END \(SpecialToken\)"),
    "mixed": ([["a", 1]], r"X\[0\] mixes strings with other tokens\. Convert them, for example with str\."),
    "two kinds": (["ab", [1]], r"X\[0\] holds strings and X\[1\] numbers\. Tokens must be all of one kind"),
    "2-D item": ([np.ones((2, 2))], r"X\[0\] has 2 dimensions \(shape \(2, 2\)\)\. A sequence of tokens has one\."),
    "dates": ([np.array(["2020"], "M8[D]")], r"X\[0\] has dtype datetime64\[D\]\. Tokens must be strings, numbers or "),
    "NaN": ([[1.0], [2.0, np.nan]], r"Input X\[1\] contains NaN or infinity, at position 1\. Tokens must be finite\."),
    "1-D": (np.arange(3), r"Expected 2D array, got 1D array instead"),
    "3-D": (np.zeros((2, 2, 2)), r"Found array with dim 3"),
    "a frame without columns": (pd.DataFrame(index=range(3)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum"),
    "no columns": (np.zeros((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required"),
    "all empty": (["", []], r"X holds no token: every sequence is empty\. Pass at least one that is not\."),
}


@pytest.mark.parametrize(("X", "message"), MESSAGES.values(), ids=MESSAGES)
def test_bad_input(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make().fit(X)


@pytest.mark.parametrize("name", ["bare str", "nothing", "None", "number", "flat", "nested", "mixed", "NaN", "3-D"])
def test_bad_input_to_a_fitted_model(name, model):
    X, message = MESSAGES[name]
    model = make().fit([[1.0, 2.0]] * 3) if name == "NaN" else model
    for method in (model.predict, model.predict_proba, model.transform, model.score, model.token_rank):
        with pytest.raises((ValueError, TypeError), match=message):
            method(X)


def test_bad_validation_data_is_called_x_val():
    with pytest.raises(ValueError, match=r"X_val is a str, but a list .* Pass \[text\] if X_val is one text"):
        make(early_stopping=True).fit(WORDS, X_val="abc")
    with pytest.raises(ValueError, match=r"X_val\[1\] holds 'x', which is not in the vocabulary"):
        make(early_stopping=True, handle_unknown="error").fit(WORDS, X_val=["a", "x"])


def test_validation_data_without_a_token():
    with pytest.raises(ValueError, match=r"X_val has no token to score"):
        make(early_stopping=True, add_end_token=False).fit(WORDS, X_val=["", ""])


def test_an_empty_sequence_needs_end():
    message = (
        "A sequence is empty and its end is not modelled, so it holds nothing to learn. Leave it out, or use add_end"
    )
    with pytest.raises(ValueError, match=message):
        make(add_end_token=False).fit(["ab", ""])
    assert make().fit(["ab", ""]).score_samples([""])[0] < 0


def test_nothing_to_score():
    model = make(add_end_token=False).fit(WORDS)
    assert_array_equal(model.score_samples(["", "a"])[:1], [0])
    with pytest.raises(ValueError, match=r"X has no token to score\. Pass at least one sequence that is not empty"):
        model.score(["", ""])


@pytest.mark.parametrize("k", [0, 5, -1, 1.5, "two", None])
def test_bad_k(model, k):
    with pytest.raises((ValueError, TypeError), match=r"k is .* Pass .*1 <= k <= 4"):
        model.predict_top_k(WORDS, k)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"tie_weights": True, "embedding_size": None}, "tie_weights=True needs embedding_size=4, .* got None"),
        ({"tie_weights": True, "embedding_size": 3}, "tie_weights=True needs embedding_size=4, .* got 3"),
        (
            {"dtype": np.dtype("int32")},
            r"dtype is dtype\('int32'\). Pass 'auto', np.float64 or np.float32, or their names",
        ),
        ({"dtype": "float16"}, "The 'dtype' parameter of RNNNextTokenModel must be"),
        ({"min_frequency": 100}, r"min_frequency=100 is more than the most frequent token has \(9 of 23\)\. Lower it"),
        ({"min_frequency": 1.5}, "The 'min_frequency' parameter of RNNNextTokenModel must be"),
        ({"max_tokens": 0}, "The 'max_tokens' parameter of RNNNextTokenModel must be"),
        ({"handle_unknown": "ignore"}, "The 'handle_unknown' parameter of RNNNextTokenModel must be"),
        ({"add_end_token": "yes"}, "The 'add_end_token' parameter of RNNNextTokenModel must be"),
        ({"bptt_steps": 0}, "The 'bptt_steps' parameter of RNNNextTokenModel must be"),
        ({"scoring": "accuracy"}, "The 'scoring' parameter of RNNNextTokenModel must be"),
        ({"solver": "lbfgs", "early_stopping": True}, "solver='lbfgs' does not support early_stopping=True"),
        ({"solver": "lbfgs", "dropout": 0.1}, "solver='lbfgs' needs dropout=0"),
    ],
    ids=lambda params: str(params)[:40],
)
def test_bad_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(WORDS)


def test_x_val_needs_early_stopping():
    with pytest.raises(ValueError, match=r"X_val is passed to fit, but early_stopping is False"):
        make().fit(WORDS, X_val=WORDS)


def test_partial_fit_has_no_early_stopping():
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        make(early_stopping=True).partial_fit(WORDS)
    assert not hasattr(make(solver="lbfgs"), "partial_fit")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"vocabulary": []}, "vocabulary is empty"),
        ({"vocabulary": ["a", "b", "a"]}, "vocabulary holds 'a' twice"),
        ({"vocabulary": ["a", "b"], "max_tokens": 2}, "max_tokens=2 chooses tokens from the data, but vocabulary"),
        ({"vocabulary": ["a", "b"], "min_frequency": 2}, "min_frequency=2 chooses tokens from the data"),
        ({"vocabulary": "ab"}, "The 'vocabulary' parameter of RNNNextTokenModel must be"),
        ({"vocabulary": ["a", 1]}, "vocabulary mixes strings with other tokens"),
    ],
)
def test_bad_vocabularies(params, message):
    with pytest.raises(ValueError, match=message):
        make(**params).fit(WORDS)


def test_a_text_too_short_to_split():
    with pytest.raises(ValueError, match=r"X is one sequence of 1 tokens: too short to hold out validation_fraction="):
        make(early_stopping=True).fit(["a"])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1], "sample_weight has 2 entries, but X has 7 sequences"),
        ([1, 1, 1, -1, 1, 1, 1], r"Negative values in sample_weight: sample_weight\[3\] is -1"),
        ([0] * 7, "All weights in sample_weight are zero"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_bad_weights(model, weights, message, method):
    with pytest.raises(ValueError, match=message):
        getattr(model if method == "score" else make(), method)(WORDS, sample_weight=weights)


# A single text is learned from in slices at the same time


def test_a_single_text_is_cut_into_batch_size_parts(monkeypatch):
    from skrnn.core.data.samplers import TruncatedBPTT

    widths, original = [], TruncatedBPTT.batches

    def batches(*args, **kwargs):
        for batch, share in original(*args, **kwargs):
            widths.append(len(batch.indices))
            yield batch, share

    monkeypatch.setattr(TruncatedBPTT, "batches", batches)

    make(max_iter=1, batch_size=4, bptt_steps=10, add_end_token=False).fit(["abcd" * 40])

    assert widths == [4] * 4  # 160 tokens: four columns of forty, in windows of ten


def test_more_columns_than_sequences_are_nothing_to_warn_of():
    """batch_size counts slices of a long text."""
    make(max_iter=1, batch_size=4, bptt_steps=10).fit(["abcd" * 40])


def test_dtype_may_change_between_fits_but_not_while_training_goes_on():
    model = make(early_stopping=True, dtype="float64").fit(WORDS)

    model.set_params(dtype="float32").fit(WORDS)
    assert model.predict_proba(WORDS).dtype == np.float32

    model.set_params(dtype="float64", warm_start=True)
    with pytest.raises(
        ValueError, match="dtype cannot change while training continues: it is 'float64', but was 'float32'"
    ):
        model.fit(WORDS)


@pytest.mark.parametrize(("X", "has_end"), [(["abcab"], False), (["abcab", "abc"], True), ([["a", "b"]], False)])
def test_the_only_end_is_not_modelled(X, has_end):
    assert (END in make().fit(X).vocabulary_) == has_end
    assert END in make(add_end_token=True).fit(X).vocabulary_
    assert END not in make(add_end_token=False).fit(X).vocabulary_


def test_a_column_of_texts_is_no_table_of_tokens():
    with pytest.warns(UserWarning, match="X is a table of one column, so every sequence is one token, such as 'abc'"):
        make().fit(pd.DataFrame({"text": ["abc", "ab"]}))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        make(learning_rate="cosine").fit(pd.DataFrame({"letter": ["a", "b"]}))


def test_how_a_text_begins_is_learned_where_it_is_cut():
    """Any of the letters may come first in a part, and so after nothing."""
    text = "ab" * 500
    model = make(hidden_size=8, learning_rate_init=0.05, max_iter=15).fit([text])
    first = model.predict_proba([""])[0]

    assert first[0] > 0.9  # parts of an even length all begin with a
    assert_allclose(model.predict_proba(["a"])[0][1], 1, atol=0.05)
