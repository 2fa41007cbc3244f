"""ONNX Runtime computes what the estimators do, from the exported model alone."""

import json

import numpy as np
import pandas as pd
import pytest
from integration.libraries import need
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import (
    END,
    EarlyClassifier,
    RNNNextTokenModel,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
)
from skrnn.datasets import load_japanese_vowels, load_names
from skrnn.export import to_onnx
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import from_padded, to_padded

onnx = need("onnx")
onnxruntime = need("onnxruntime")

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
LENGTHS = [5, 1, 9, 4, 4, 2, 7, 3]
CELLS = ["tanh", "relu", "gru", "lstm"]
TINY = {"hidden_size": 4, "max_iter": 1, "tol": 0, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def numbers(rng):
    return [rng.standard_normal((n, 3)) for n in LENGTHS]


def shaken(model, rng):
    """The fitted model with other weights, none of which is zero."""
    for array in model.weights_.values():
        array += 0.4 * rng.standard_normal(array.shape)
    return model


def session_of(onnx_model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, too
    return onnxruntime.InferenceSession(onnx_model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(onnx_model, lengths, **inputs):
    """Outputs by name."""
    session = session_of(onnx_model)
    inputs["lengths"] = np.asarray(lengths, np.int64)
    return dict(zip([value.name for value in session.get_outputs()], session.run(None, inputs), strict=True))


def padded(X, dtype=np.float64, pad_value=np.nan):
    X, lengths = to_padded(X, pad_value=pad_value)
    return {"X": X.astype(dtype), "lengths": lengths}


def padded_ids(sequences, pad_value=-3):
    lengths = [len(ids) for ids in sequences]
    X = np.full((len(sequences), max(lengths)), pad_value, np.int64)
    for row, ids in zip(X, sequences, strict=True):
        row[: len(ids)] = ids
    return {"X": X, "lengths": lengths}


def metadata_of(onnx_model):
    return {entry.key: json.loads(entry.value) for entry in onnx_model.metadata_props}


def assert_steps_close(found, lengths, wanted):
    assert len(found) == len(wanted)
    for ours, theirs in zip(from_padded(found, lengths), wanted, strict=True):
        assert_allclose(ours.reshape(theirs.shape), theirs, **CLOSE)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_classifier_of_every_shape(cell, bidirectional, n_layers, pooling, numbers, rng):
    y = ["a", "b", "c", "b"] * 2
    model = RNNSequenceClassifier(cell=cell, bidirectional=bidirectional, n_layers=n_layers, pooling=pooling, **TINY)
    model = shaken(model.fit(numbers, y), rng)

    found = run(to_onnx(model), **padded(numbers))

    assert_allclose(found["probabilities"], model.predict_proba(numbers), **CLOSE)
    assert_array_equal(found["label"], model.predict(numbers))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("opset", [None, 18, 21])
def test_dtype_is_that_of_the_model(dtype, opset, numbers, rng):
    model = shaken(RNNSequenceClassifier(dtype=dtype, **TINY).fit(numbers, [0, 1] * 4), rng)
    onnx_model = to_onnx(model, opset=opset)

    found = run(onnx_model, **padded(numbers, dtype))

    assert onnx_model.opset_import[0].version == (opset or 18)
    assert found["probabilities"].dtype == dtype
    assert_allclose(found["probabilities"], model.predict_proba(numbers), **CLOSE)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_rounding_errors_of_states_without_bounds_do_not_grow(bidirectional, rng):
    X = [rng.standard_normal((n, 3)) for n in (300, 1, 120)]
    model = RNNSequenceRegressor(cell="relu", n_layers=2, bidirectional=bidirectional, **TINY).fit(X, [1.0, 2.0, 3.0])

    assert_allclose(run(to_onnx(model), **padded(X))["variable"], model.predict(X), rtol=1e-10)


@pytest.mark.parametrize(
    "classes", [["b", "a", "long"], [3, 7, -1], [1.0, 2.0, 4.0], [True, False, True], np.array([1, 2, 9], np.uint8)]
)
def test_labels_have_the_dtype_of_classes(classes, numbers, rng):
    y = np.array([classes[k] for k in (0, 1, 2, 0, 1, 2, 2, 0)])
    model = shaken(RNNSequenceClassifier(**TINY).fit(numbers, y), rng)
    onnx_model = to_onnx(model)

    label = run(onnx_model, **padded(numbers))["label"]

    assert_array_equal(label, model.predict(numbers))
    assert label.dtype == (object if y.dtype.kind == "U" else y.dtype)
    assert metadata_of(onnx_model) == {"estimator": "RNNSequenceClassifier", "classes": model.classes_.tolist()}


def test_one_class_and_several_labels(numbers, rng):
    of_one = shaken(RNNSequenceClassifier(**TINY).fit(numbers, ["only"] * 8), rng)
    found = run(to_onnx(of_one), **padded(numbers))
    assert found["label"].tolist() == ["only"] * 8
    assert_allclose(found["probabilities"], np.ones((8, 1)))

    indicators = rng.integers(0, 2, (8, 4))
    model = shaken(RNNSequenceClassifier(**TINY).fit(numbers, indicators), rng)
    found = run(to_onnx(model), **padded(numbers))
    assert_allclose(found["probabilities"], model.predict_proba(numbers), **CLOSE)
    assert_array_equal(found["label"], model.predict(numbers))


TOKENS = {
    "one-hot": {"embedding_size": None},
    "columns of W_x": {"embedding_size": None, "hidden_size": 1, "cell": "tanh"},
    "columns of both directions": {"embedding_size": None, "hidden_size": 1, "cell": "tanh", "bidirectional": True},
    "vectors": {"embedding_size": 3, "bidirectional": True, "n_layers": 2},
}


@pytest.mark.parametrize("options", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize("min_frequency", [None, 2], ids=["unseen", "learned"])
def test_tokens_are_ids(options, min_frequency, rng):
    texts = ["".join(rng.choice(list("abcdef"), n)) for n in LENGTHS] + ["q"]
    model = RNNSequenceClassifier(**{**TINY, **options}, min_frequency=min_frequency).fit(texts, [0, 1, 2] * 3)
    onnx_model = to_onnx(shaken(model, rng))
    metadata = metadata_of(onnx_model)
    id_of = {token: k for k, token in enumerate(metadata["vocabulary"])}
    texts = [*texts, "axyb"]

    for unknown in (metadata["unknown"], -1, 99):
        found = run(onnx_model, **padded_ids([[id_of.get(token, unknown) for token in text] for text in texts]))
        assert_allclose(found["probabilities"], model.predict_proba(texts), **CLOSE)
        assert_array_equal(found["label"], model.predict(texts))


def test_unknown_tokens_are_an_error_where_they_are_one():
    model = RNNSequenceClassifier(handle_unknown="error", **TINY).fit(["abc", "ba"], [0, 1])
    onnx_model = to_onnx(model)

    run(onnx_model, **padded_ids([[0, 1, 2], [0]]))
    with pytest.raises(Exception, match="tokens_must_be_in_the_vocabulary"):
        run(onnx_model, **padded_ids([[0, 1, 3], [0]]))


@pytest.mark.parametrize("has_numbers", [True, False])
@pytest.mark.parametrize("embedding_size", [None, 2])
def test_categories_beside_numbers(embedding_size, has_numbers, rng):
    def frame(n):
        codes, names = rng.integers(0, 3, n).astype(float), rng.choice(["x", "y", "z", "w"], n)
        table = pd.DataFrame({"code": codes, "a": rng.normal(size=n), "name": names, "b": rng.normal(size=n)})
        return table if has_numbers else table[["code", "name"]]

    X = [frame(n) for n in LENGTHS]
    options = {"categorical_features": ["name", "code"], "embedding_size": embedding_size, **TINY}
    model = shaken(RNNSequenceClassifier(**options).fit(X, [0, 1] * 4), rng)
    X = [*X, frame(3).replace({"name": {"x": "none", "y": "none"}})]
    onnx_model = to_onnx(model)
    metadata = metadata_of(onnx_model)
    assert metadata["columns"] == (["a", "b"] if has_numbers else [])
    assert [kind["column"] for kind in metadata["categories"]] == ["name", "code"]

    codes = [
        np.array(
            [
                [kind["vocabulary"].index(v) if v in kind["vocabulary"] else kind["unknown"] for v in x[kind["column"]]]
                for kind in metadata["categories"]
            ]
        ).T
        for x in X
    ]
    inputs = {"categories": to_padded(codes)[0].astype(np.int64), "lengths": list(map(len, X))}
    if has_numbers:
        inputs["X"] = to_padded([x[metadata["columns"]].to_numpy() for x in X], pad_value=np.nan)[0]
    found = run(onnx_model, **inputs)

    assert_allclose(found["probabilities"], model.predict_proba(X), **CLOSE)


@pytest.mark.parametrize("opset", [18, 21])
@pytest.mark.parametrize("n_outputs", [0, 1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson", "quantile", "gaussian"])
def test_regressor_predicts_in_units_of_y(loss, n_outputs, opset, numbers, rng):
    y = rng.gamma(2, 30, (8, n_outputs) if n_outputs else 8)
    options = {"quantile": 0.7} if loss == "quantile" else {}
    model = shaken(RNNSequenceRegressor(loss=loss, **options, **TINY).fit(numbers, _as_passed(y, loss)), rng)

    found = run(to_onnx(model, opset=opset), **padded(numbers))

    wanted = model.predict(numbers, return_std=True) if loss == "gaussian" else [model.predict(numbers)]
    assert len(found) == len(wanted)
    for ours, theirs in zip(found.values(), wanted, strict=True):
        assert ours.shape == theirs.shape
        assert_allclose(ours, theirs, **CLOSE)


def _as_passed(y, loss):
    return y.ravel() if loss == "poisson" and y.shape[1:] == (1,) else y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("z", [-30, -14, 0, 90, 1000])
def test_small_and_large_deviations_are_exact(z, dtype, numbers):
    model = RNNSequenceRegressor(loss="gaussian", dtype=dtype, **TINY).fit(numbers, np.arange(8.0))
    model.weights_["head.W_y"][1] = 0
    model.weights_["head.b_y"][1] = z

    found = run(to_onnx(model), **padded(numbers, dtype))

    assert_allclose(found["std"], model.predict(numbers, return_std=True)[1], rtol=1e-6)


@pytest.mark.parametrize("n_outputs", [0, 2])
@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gaussian"])
def test_regressor_of_steps(loss, n_outputs, numbers, rng):
    y = [1e5 * rng.random((n, n_outputs) if n_outputs else n) for n in LENGTHS]
    model = shaken(RNNSequenceRegressor(loss=loss, bidirectional=True, **TINY).fit(numbers, y), rng)

    found = run(to_onnx(model), **padded(numbers))

    wanted = model.predict(numbers, return_std=True) if loss == "gaussian" else [model.predict(numbers)]
    for ours, theirs in zip(found.values(), wanted, strict=True):
        assert ours.ndim == 2 + (n_outputs > 0)
        for a, b in zip(from_padded(ours, LENGTHS), theirs, strict=True):
            assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_tagger_of_single_labels(cell, numbers, rng):
    y = [rng.choice(["noun", "verb", "else"], n) for n in LENGTHS]
    model = shaken(RNNSequenceTagger(cell=cell, loss="log_loss", n_layers=2, **TINY).fit(numbers, y), rng)

    found = run(to_onnx(model), **padded(numbers))

    assert_steps_close(found["probabilities"], LENGTHS, model.predict_proba(numbers))
    for ours, theirs in zip(found["label"], model.predict(numbers), strict=True):
        assert ours[: len(theirs)].tolist() == theirs.tolist()


def best_path(emissions, transitions, first, last):
    """The path of the largest score, of all paths."""
    T, K = emissions.shape
    paths = np.indices((K,) * T).reshape(T, -1)
    scores = emissions[np.arange(T)[:, None], paths].sum(axis=0) + first[paths[0]] + last[paths[-1]]
    return paths[:, (scores + transitions[paths[:-1], paths[1:]].sum(axis=0)).argmax()]


def test_tagger_of_a_chain_gives_its_scores(numbers, rng):
    y = [rng.choice(["B", "I", "O"], n) for n in LENGTHS]
    model = shaken(RNNSequenceTagger(**TINY).fit(numbers, y), rng)

    found = run(to_onnx(model), **padded(numbers))

    classes, (emissions, *scores) = np.array(metadata_of(to_onnx(model))["classes"]), found.values()
    assert list(found) == ["emissions", "transitions", "start_transitions", "end_transitions"]
    for of_sequence, labels in zip(from_padded(emissions, LENGTHS), model.predict(numbers), strict=True):
        assert classes[best_path(of_sequence, *scores)].tolist() == labels.tolist()


MODELS_OF_TOKENS = {
    "one-hot": {"embedding_size": None},
    "two layers of vectors": {"embedding_size": 3, "n_layers": 2},
    "tied": {"embedding_size": 4, "tie_weights": True, "n_layers": 2},
    "unknown learned": {"min_frequency": 2},
    "endless": {"add_end_token": False},
    "float32": {"dtype": "float32"},
}


def states_of(model, n):
    """What a sequence begins with."""
    names = ["h_0", "c_0"] if model.cell == "lstm" else ["h_0"]
    zero = np.zeros((model.n_layers, n, model.hidden_size), model.dtype if model.dtype != "auto" else "float64")
    return dict.fromkeys(names, zero)


@pytest.mark.parametrize("options", MODELS_OF_TOKENS.values(), ids=MODELS_OF_TOKENS)
@pytest.mark.parametrize("cell", CELLS)
def test_token_model_as_a_whole_and_step_by_step(cell, options, rng):
    texts = ["".join(rng.choice(list("abcde"), n)) for n in LENGTHS] + ["q"]
    model = shaken(RNNNextTokenModel(cell=cell, **{**TINY, **options}).fit(texts), rng)
    onnx_model = to_onnx(model)
    metadata, session = metadata_of(onnx_model), session_of(onnx_model)
    id_of = {token: k for k, token in enumerate(metadata["vocabulary"])}
    texts = [*texts, "abz", ""]
    ids = [[metadata["begin"], *(id_of.get(token, metadata["unknown"]) for token in text)] for text in texts]
    assert metadata.get("end") == model.vocabulary_.get(END)

    found = run(onnx_model, **padded_ids(ids), **states_of(model, len(texts)))

    log_proba = [steps[-1] for steps in from_padded(found["log_probabilities"], list(map(len, ids)))]
    assert_allclose(np.exp(log_proba), model.predict_proba(texts), **CLOSE)
    scored = [[*of_text[1:], *([metadata["end"]] if "end" in metadata else [])] for of_text in ids]
    for steps, targets, wanted in zip(found["log_probabilities"], scored, model.token_log_proba(texts), strict=True):
        assert_allclose(steps[np.arange(len(targets)), targets], wanted, **CLOSE)

    state, (longest,) = states_of(model, 1), [of_text for of_text in ids if len(of_text) == 10]
    for id_, wanted in zip(longest, found["log_probabilities"][ids.index(longest)], strict=False):
        inputs = {"X": np.array([[id_]]), "lengths": np.array([1]), **state}
        log_proba, *after = session.run(None, inputs)
        assert_allclose(log_proba[0, 0], wanted, **CLOSE)
        state = dict(zip(state, after, strict=True))


@pytest.mark.parametrize("wrap", [lambda model: GridSearchCV(model, {}, cv=2), FrozenEstimator])
def test_searches_and_frozen_estimators_are_what_is_in_them(wrap, numbers):
    pipeline = make_pipeline(SequenceScaler(), RNNSequenceClassifier(**TINY)).fit(numbers, [0, 1] * 4)

    wrapped = to_onnx(wrap(pipeline).fit(numbers, [0, 1] * 4))

    assert wrapped.SerializeToString() == to_onnx(pipeline).SerializeToString()


@pytest.mark.parametrize("dtype", ["auto", "float32"])
def test_a_pipeline_scales_inside(dtype, numbers, rng):
    X = [1e8 + 5 * x for x in numbers]  # float32 alone would round all of that away
    scalers = make_pipeline(SequenceScaler(), SequenceScaler(with_mean=False))
    pipeline = make_pipeline(scalers, "passthrough", RNNSequenceClassifier(dtype=dtype, **TINY))
    pipeline.fit(X, [0, 1] * 4)
    shaken(pipeline[-1], rng)

    found = run(to_onnx(pipeline), **padded(X))

    assert_allclose(found["probabilities"], pipeline.predict_proba(X), **CLOSE)
    assert found["probabilities"].dtype == ("float64" if dtype == "auto" else dtype)


def test_a_scaler_of_extreme_numbers(numbers):
    X = [1e300 * x for x in numbers]
    pipeline = make_pipeline(SequenceScaler(), RNNSequenceClassifier(**TINY)).fit(X, [0, 1] * 4)

    assert_allclose(run(to_onnx(pipeline), **padded(X))["probabilities"], pipeline.predict_proba(X), **CLOSE)


def test_names_of_columns_are_told(numbers):
    frames = [pd.DataFrame(x, columns=["p", "q", "r"]) for x in numbers]
    assert metadata_of(to_onnx(RNNSequenceClassifier(**TINY).fit(frames, [0, 1] * 4)))["columns"] == ["p", "q", "r"]
    table = pd.DataFrame([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]], columns=["t0", "t1", "t2"])
    cells = pd.DataFrame({"cells": [x[:, 0] for x in numbers]})
    for X, y in ((table, [0, 1]), (table[["t1"]], [0, 1]), (cells, [0, 1] * 4)):
        assert "columns" not in metadata_of(to_onnx(RNNSequenceClassifier(**TINY).fit(X, y)))


def test_nothing_is_computed_in_vain(numbers):
    graph = to_onnx(RNNSequenceClassifier(**TINY).fit(numbers, [0, 1] * 4)).graph
    read = {name for node in graph.node for name in node.input} | {value.name for value in graph.output}

    assert all(read & set(node.output) for node in graph.node)
    assert {value.name for value in [*graph.input, *graph.initializer]} <= read


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_empty_sequences_and_batches_are_errors(cell, numbers):
    onnx_model = to_onnx(RNNSequenceClassifier(cell=cell, **TINY).fit(numbers, [0, 1] * 4))

    for lengths in ([], [0, 2], [2, -1]):
        with pytest.raises(Exception, match="needs_a_sequence_and_steps_in_each"):
            run(onnx_model, lengths, X=np.zeros((len(lengths), 3, 3)))
    with pytest.raises(Exception, match="sequence_lens"):
        run(onnx_model, [4, 1], X=np.zeros((2, 3, 3)))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_numbers_that_are_not_finite_are_errors(value, numbers):
    onnx_model = to_onnx(RNNSequenceClassifier(pooling="max", **TINY).fit(numbers, [0, 1] * 4))
    inputs = padded(numbers)

    inputs["X"][2, 8] = value
    with pytest.raises(Exception, match="X_must_be_finite_in_float32"):
        run(onnx_model, **inputs)


def test_what_cannot_be_exported_is_named(numbers):
    y = [0, 1] * 4
    model = RNNSequenceClassifier(**TINY).fit(numbers, y)
    other = make_pipeline(FunctionTransformer(), RNNSequenceClassifier(**TINY)).fit(numbers, y)
    tokens = make_pipeline(SequenceScaler(), RNNSequenceClassifier(input_type="tokens", **TINY)).fit(
        [x[:, 0] for x in numbers], y
    )

    with pytest.raises(NotImplementedError, match="step FunctionTransformer, which cannot be exported"):
        to_onnx(other)
    with pytest.raises(NotImplementedError, match="scales what the estimator reads as tokens"):
        to_onnx(tokens)
    with pytest.raises(TypeError, match="model is, or ends with, SequenceScaler"):
        to_onnx(make_pipeline(SequenceScaler()).fit(numbers))
    with pytest.raises(TypeError, match="model is, or ends with, EarlyClassifier"):
        to_onnx(EarlyClassifier(model))
    with pytest.raises(NotFittedError):
        to_onnx(RNNSequenceClassifier())
    for opset in (17, 1000, 18.5, "18"):
        with pytest.raises(ValueError, match="opset is"):
            to_onnx(model, opset=opset)


def test_japanese_vowels_are_all_predicted_alike():
    X, y = load_japanese_vowels(return_X_y=True)
    X_test, _ = load_japanese_vowels(subset="test", return_X_y=True)
    model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(16, max_iter=10, random_state=0)).fit(X, y)

    found = run(to_onnx(model), **padded(X_test))

    assert len(X_test) == 370
    assert_array_equal(found["label"], model.predict(X_test))
    assert_allclose(found["probabilities"], model.predict_proba(X_test), **CLOSE)


def test_names_within_1e_5_nats_per_token():
    names = load_names().data[:2000]
    model = RNNNextTokenModel(32, max_iter=1, random_state=0).fit(names)
    onnx_model = to_onnx(model)
    metadata = metadata_of(onnx_model)
    id_of = {token: k for k, token in enumerate(metadata["vocabulary"])}
    ids = [[metadata["begin"], *map(id_of.__getitem__, name)] for name in names]

    found = run(onnx_model, **padded_ids(ids), **states_of(model, len(names)))["log_probabilities"]

    for steps, of_name, wanted in zip(found, ids, model.token_log_proba(names), strict=True):
        targets = [*of_name[1:], metadata["end"]]
        assert_allclose(steps[np.arange(len(targets)), targets], wanted, rtol=0, atol=1e-5)
