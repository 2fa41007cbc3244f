"""Files hold plain values, give the same model again, and are read for ever."""

import ast
import copy
import importlib
import io
import json
import os
import pickle
import pickletools
import subprocess
import sys
import warnings
from enum import Enum
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from files import write
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skops.io.exceptions import UntrustedTypesFoundException

import skrnn
from skrnn import (
    EarlyClassifier,
    RNNNextTokenModel,
    RNNSequenceAnomalyDetector,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
)
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer
from skrnn.sequences import to_column

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FEATURES = X = [np.sin(np.arange(n * 2.0)).reshape(n, 2) * (-1) ** n for n in (3, 5, 2, 4, 1, 6, 3, 5)]
Y = ["even" if len(x) % 2 == 0 else "odd" for x in X]
WORDS = ["abc", "bca", "cab", "aab", "ccb", "ab", "b", "cba"]


class Kind(str, Enum):
    FIRST = "first"
    SECOND = "second"


def accuracy(estimator, X, y):
    return estimator.score(X, y)


def classifier(**params):
    return RNNSequenceClassifier(**{"hidden_size": 4, "max_iter": 3, "random_state": 0, **params})


def token_model(**params):
    return RNNNextTokenModel(
        **{"hidden_size": 4, "max_iter": 3, "random_state": 0, "embedding_size": None, "bptt_steps": 4, **params}
    )


def frames():
    return [pd.DataFrame(x, columns=["left", "right"]) for x in X]


CLASSIFIERS = {
    **{f"{cell}, {solver}": (classifier(cell=cell, solver=solver), X, Y) for cell in ("tanh", "relu", "gru", "lstm")
       for solver in ("adam", "sgd", "rmsprop", "lbfgs")},
    "both directions": (classifier(bidirectional=True, n_layers=2, pooling="max", dropout=0.3), X, Y),
    "mean": (classifier(pooling="mean", bptt_steps=2, recompute=True), X, Y),
    "early stopping": (classifier(early_stopping=True, validation_fraction=0.3), X, Y),
    "scorer of the user": (classifier(early_stopping=True, validation_fraction=0.3, scoring=accuracy), X, Y),
    "schedule": (classifier(learning_rate="cosine", batch_size=3), X, Y),
    "adaptive": (classifier(learning_rate="adaptive", tol=10.0, n_iter_no_change=1, solver="sgd"), X, Y),
    "float32": (classifier(), [x.astype(np.float32) for x in X], Y),
    "dtype as an object": (classifier(dtype=np.dtype(np.float32)), X, Y),
    "numbers as labels": (classifier(class_weight={1: 2.0}), X, [len(x) % 2 for x in X]),
    "members of an Enum as labels": (classifier(), X, [Kind.FIRST, Kind.SECOND] * 4),
    "huge labels": (classifier(), X, [2**63 + len(x) % 2 for x in X]),
    "names of columns": (classifier(), frames(), Y),
    "a table": (classifier(), np.arange(40.0).reshape(8, 5), Y),
    "a column": (classifier(), to_column(X), Y),
}  # fmt: skip
SUMS = [10 * x.sum() for x in X]
REGRESSORS = {
    **{
        loss: (RNNSequenceRegressor(4, loss=loss, quantile=0.3, max_iter=3, random_state=0), X, np.abs(SUMS))
        for loss in ("squared_error", "absolute_error", "huber", "poisson", "quantile", "gaussian")
    },
    "numbers of steps": (RNNSequenceRegressor(4, max_iter=3, bidirectional=True, random_state=0), X, X),
    "rows of numbers": (RNNSequenceRegressor(4, max_iter=3, random_state=0), X, np.column_stack([SUMS, SUMS])),
}
LABELS = [["+" if v > 0 else "-" for v in x[:, 0]] for x in X]
TAGGERS = {
    "chain": (RNNSequenceTagger(4, max_iter=3, random_state=0), X, LABELS),
    "labels alone": (
        RNNSequenceTagger(4, loss="log_loss", class_weight={"+": 2}, max_iter=3, random_state=0),
        X,
        LABELS,
    ),
    "ignored labels": (RNNSequenceTagger(4, ignore_label="-", max_iter=3, random_state=0), X, LABELS),
}
TOKENS = {
    **{f"tokens, {cell}": (token_model(cell=cell), WORDS, None) for cell in ("tanh", "relu", "gru", "lstm")},
    "tied": (token_model(embedding_size=4, tie_weights=True, n_layers=2, dropout=0.2), WORDS, None),
    "lists": (token_model(), [list(word) for word in WORDS], None),
    "tuples of integers": (token_model(), [(1, 2, 3), (2**70, 1), (3, 3)], None),
    "arrays": (token_model(dtype="float32"), [np.array([1, 2]), np.array([2, 2, 1])], None),
    "members of an Enum": (token_model(), [[Kind.FIRST, Kind.SECOND], [Kind.SECOND]], None),
    "a table of tokens": (token_model(), np.array([[1, 2, 3], [3, 2, 1]] * 3), None),
    "rare tokens": (token_model(max_tokens=2, add_end_token=False), WORDS, None),
    "tokens, early stopping": (token_model(early_stopping=True, validation_fraction=0.3), WORDS, None),
}
CASES = {**CLASSIFIERS, **REGRESSORS, **TAGGERS, **TOKENS}


def by_skops(model):
    mine = f"{accuracy.__module__}.accuracy"
    return skops.io.loads(skops.io.dumps(model), trusted=[*skrnn.TRUSTED_TYPES, mine])


def by_joblib(model, tmp_path, mmap_mode=None):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", mmap_mode=mmap_mode)


WAYS = {
    **{f"pickle {n}": lambda model, _, n=n: pickle.loads(pickle.dumps(model, n)) for n in range(2, 6)},
    "cloudpickle": lambda model, _: pickle.loads(cloudpickle.dumps(model)),
    "joblib": by_joblib,
    "memory map": lambda model, path: by_joblib(model, path, mmap_mode="r"),
    "deepcopy": lambda model, _: copy.deepcopy(model),
    "copy": lambda model, _: copy.copy(model),
    "skops": lambda model, _: by_skops(model),
}  # fmt: skip
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
each_case = pytest.mark.parametrize(("model", "X", "y"), CASES.values(), ids=CASES)


def fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return clone(model).fit(X) if y is None else clone(model).fit(X, y)


def predictions(model, X):
    if isinstance(model, RNNSequenceClassifier):
        return [model.predict(X), model.predict_log_proba(X)]
    if isinstance(model, RNNSequenceRegressor):
        return [np.concatenate(list(map(np.atleast_1d, model.predict(X))))]
    if isinstance(model, RNNSequenceTagger):
        return [np.concatenate(model.predict(X)), np.concatenate(model.predict_proba(X))]
    written = model.generate(X[:2], max_new_tokens=5, n_sequences=2, random_state=0)
    surprise = model.start().update({i: x[0] for i, x in enumerate(X[:2])})
    return [model.predict_proba(X), model.score_samples(X), *map(np.asarray, written), list(surprise.values())]


def assert_same(got, wanted, X):
    assert type(got) is type(wanted)
    for a, b in zip(predictions(got, X), predictions(wanted, X), strict=True):
        assert_array_equal(a, b, strict=True)
    for name, value in vars(wanted).items():
        if name not in ("_fitted", *wanted.get_params()):
            assert_array_equal(getattr(got, name), value)
    assert vars(got).keys() == vars(wanted).keys()


@each_way
@each_case
def test_what_comes_back_predicts_and_continues_to_the_same_bits(model, X, y, way, tmp_path):
    model = fitted(model, X, y)

    got = way(model, tmp_path)

    assert_same(got, model, X)
    arguments = (X,) if y is None else (X, y)
    for each in (got, model):
        each.set_params(warm_start=True).fit(*arguments)
        if each.solver != "lbfgs" and not each.early_stopping:
            each.partial_fit(*arguments)
    assert_same(got, model, X)
    assert got.loss_curve_ == model.loss_curve_


@each_case
def test_without_training_state_predicts_the_same_and_cannot_continue(model, X, y):
    model = fitted(model, X, y)
    arguments = (X,) if y is None else (X, y)

    small = model.without_training_state()

    assert_same(small, model, X)
    assert_same(pickle.loads(pickle.dumps(small)), model, X)
    assert np.shares_memory(small._fitted.params, model._fitted.params)
    message = r"cannot continue this RNN\w+: it has no training state, which without_training_state\(\) leaves out"
    with pytest.raises(ValueError, match=f"^fit with warm_start=True {message}"):
        clone(small).set_params(warm_start=True).__class__.fit(small.set_params(warm_start=True), *arguments)
    if small.solver != "lbfgs":
        small.set_params(early_stopping=False)
        with pytest.raises(ValueError, match=f"^partial_fit {message}"):
            small.partial_fit(*arguments)
    assert small.set_params(warm_start=False, early_stopping=model.early_stopping).fit(*arguments)
    assert_array_equal(small._fitted.params, model._fitted.params)


def test_without_training_state_is_a_quarter():
    model = RNNSequenceClassifier(32, max_iter=2, random_state=0).fit(X, Y)

    sizes = [len(pickle.dumps(each)) for each in (model, model.without_training_state())]

    assert sizes[1] < 0.3 * sizes[0]
    with pytest.raises(NotFittedError):
        RNNSequenceClassifier().without_training_state()


def globals_of(data):
    """Full names of all that a pickle asks for by name."""
    found, texts = set(), []
    for opcode, argument, _ in pickletools.genops(data):
        if isinstance(argument, str):
            texts.append(argument)
        if opcode.name == "GLOBAL":
            found.add(argument.replace(" ", "."))
        if opcode.name == "STACK_GLOBAL":
            found.add(".".join(texts[-2:]))
    return found


@each_case
def test_a_file_names_the_estimator_arrays_and_what_the_user_passed(model, X, y):
    """At protocol 0 every global is written in full, so that none is read from the memo."""
    found = globals_of(pickle.dumps(fitted(model, X, y), protocol=0))

    found -= {"copy_reg._reconstructor", "__builtin__.object", "_codecs.encode"}  # how protocol 0 writes objects, bytes
    ours = {name for name in found if not name.startswith("numpy")}
    mine = {f"{accuracy.__module__}.accuracy"} if callable(getattr(model, "scoring", None)) else set()
    assert ours == {f"skrnn.{type(model).__name__}"} | mine
    numpy_names = {name.rpartition(".")[2] for name in found if name.startswith("numpy")}
    parameters = {value.__name__ for value in model.get_params().values() if isinstance(value, type)}  # of the user
    assert numpy_names <= {"ndarray", "dtype", "_reconstruct", "_frombuffer"} | parameters


@each_case
def test_skops_is_to_trust_the_estimator_only(model, X, y):
    untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(fitted(model, X, y)))

    mine = {f"{accuracy.__module__}.accuracy"} if callable(getattr(model, "scoring", None)) else set()
    mine |= {"numpy.dtype"} if isinstance(model.dtype, np.dtype) else set()
    assert set(untrusted) == {f"skrnn.{type(model).__name__}"} | mine


def scaler():
    return SequenceScaler().set_output(transform="pandas")


@pytest.mark.parametrize("is_fitted", [True, False])
@pytest.mark.parametrize(
    ("model", "method"),
    [
        (scaler(), "transform"),
        (make_pipeline(scaler(), classifier()), "predict_proba"),
        (RNNSequenceAnomalyDetector(RNNSequenceRegressor(3, loss="gaussian", max_iter=2), random_state=0), "predict"),
        (make_pipeline(SequenceImputer(), StepTransformer(StandardScaler())), "transform"),
        (SequenceSummarizer(), "transform"),
    ],
    ids=["scaler", "pipeline", "detector", "imputer and steps", "summarizer"],
)
def test_the_published_types_suffice_for_scalers_and_pipelines(model, method, is_fitted):
    X = [np.vstack([x, x]) for x in FEATURES]
    model = clone(model).fit(X, Y) if is_fitted else clone(model)

    got = skops.io.loads(skops.io.dumps(model), trusted=skrnn.TRUSTED_TYPES)

    assert repr(got) == repr(model)
    if is_fitted:
        for a, b in zip(getattr(got, method)(X), getattr(model, method)(X), strict=True):
            assert_array_equal(a, b)


def test_each_published_type_is_needed_by_some_file():
    others = [RNNSequenceAnomalyDetector(), SequenceImputer(), SequenceSummarizer(), StepTransformer(StandardScaler())]
    others += [EarlyClassifier(RNNSequenceClassifier()), fitted(*REGRESSORS["squared_error"]).start()]
    models = [scaler(), *others, fitted(*TOKENS["tied"]).start(), *(fitted(*case) for case in CASES.values())]
    found = {name for model in models for name in skops.io.get_untrusted_types(data=skops.io.dumps(model))}

    assert set(skrnn.TRUSTED_TYPES) == found - {f"{accuracy.__module__}.accuracy"}
    assert isinstance(skrnn.TRUSTED_TYPES, tuple)
    assert list(skrnn.TRUSTED_TYPES) == sorted(set(skrnn.TRUSTED_TYPES))


def test_every_estimator_is_among_the_published_types():
    public = [getattr(module, name) for module in (skrnn, skrnn.preprocessing) for name in module.__all__]
    estimators = {cls for cls in public if isinstance(cls, type) and issubclass(cls, BaseEstimator)}

    assert {f"{cls.__module__}.{cls.__name__}" for cls in estimators} < set(skrnn.TRUSTED_TYPES)


@pytest.mark.parametrize("name", skrnn.TRUSTED_TYPES)
def test_a_published_type_is_a_class_that_a_file_makes_of_plain_values(name):
    module, _, attribute = name.rpartition(".")
    cls = getattr(importlib.import_module(module), attribute)

    assert isinstance(cls, type)
    if cls is not np.dtype:
        assert cls.__reduce_ex__ is object.__reduce_ex__
        assert cls.__reduce__ is object.__reduce__


@pytest.mark.parametrize("case", ["early stopping", "tied"])
def test_what_a_file_would_run_is_not_trusted(case):
    model = fitted(*CASES[case])
    for harmful in (model.set_params(scoring=os.system), make_pipeline(FunctionTransformer(os.system), model)):
        with pytest.raises(UntrustedTypesFoundException, match="system"):
            skops.io.loads(skops.io.dumps(harmful), trusted=skrnn.TRUSTED_TYPES)


def is_plain(value):
    """Numbers, text, arrays of those, and lists and dicts of all that."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biufU" or all(map(is_plain, value.tolist()))
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(entry) for name, entry in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or type(value) in (bool, int, float, str)


@each_case
def test_the_state_is_plain_values(model, X, y):
    model = fitted(model, X, y)
    state = model.__getstate__()

    state["attributes"] = {name: value for name, value in state["attributes"].items() if name not in model.get_params()}
    assert set(state) == {"format", "skrnn_version", "attributes", "fitted"}
    assert is_plain(state)


def test_a_network_is_rebuilt_equal():
    for model, X, y in CASES.values():
        model = fitted(model, X, y)
        assert pickle.loads(pickle.dumps(model))._fitted.network == model._fitted.network


@pytest.mark.parametrize("model", [classifier(), token_model()])
def test_an_estimator_that_is_not_fitted(model, tmp_path):
    for way in WAYS.values():
        assert way(model, tmp_path).get_params() == model.get_params()


def test_a_stream_is_plain_values_and_continues(tmp_path):
    model = fitted(*TOKENS["tied"])
    stream = model.start(3)
    stream.update({"x": "a", 7: "b"})

    for way in WAYS.values():
        stopped, read = copy.deepcopy(stream), way(copy.deepcopy(stream), tmp_path)
        assert (len(read), read.max_streams) == (2, 3)
        for tokens in ({"x": "b", 7: "c"}, {"y": "a", "x": "a"}):
            assert read.update(tokens) == stopped.update(tokens)
    state = stream.__getstate__()
    assert type(state.pop("model")) is type(model)
    assert is_plain(state)
    untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(stream))
    assert untrusted == ["skrnn.RNNNextTokenModel", "skrnn.TokenStream"]


@pytest.mark.parametrize("path", sorted(write.FOLDER.glob("format_*.pickle")), ids=lambda path: path.stem)
def test_files_of_every_format_are_read_for_ever(path):
    model = pickle.loads(path.read_bytes())

    predicted = write.predicted(model, path.stem.removeprefix("format_1_"))
    assert_allclose(predicted, np.load(path.with_suffix(".npy")), atol=1e-12)
    assert len(model.set_params(warm_start=True, max_iter=1).loss_curve_) == 3


def test_there_is_a_file_of_the_present_format():
    names = {path.stem for path in write.FOLDER.glob("*.pickle")}
    assert {f"format_{skrnn._files.FORMAT}_{name}" for name in write.ESTIMATORS} <= names


@pytest.mark.parametrize("case", ["early stopping", "tied"])
def test_formats_that_are_not_known(case):
    model = fitted(*CASES[case])
    name, state = type(model).__name__, model.__getstate__()

    def load(state):
        type(model).__new__(type(model)).__setstate__(state)

    versions = rf"format 7, written by skrnn 9\.1, but skrnn {skrnn.__version__} reads format 1\. Read it with that"
    with pytest.raises(ValueError, match=rf"^The file holds a {name} in {versions}"):
        load({**state, "format": 7, "skrnn_version": "9.1"})
    unknown = rf"^The file holds a {name} in no known format: .* skrnn {skrnn.__version__} reads format 1\. Fit the"
    for other in ({"hidden_size": 3}, None, [1]):
        with pytest.raises(ValueError, match=unknown):
            load(other)


SCRIPT = """
import pickle, sys
sys.stdout.buffer.write(pickle.dumps(pickle.load(sys.stdin.buffer)))
"""


def beyond_avx2():
    """Features of this CPU for which NumPy has code of its own."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return [name for name in found if name.startswith("AVX512") or name == "X86_V4"]


@pytest.mark.parametrize("case", ["lstm, adam", "both directions", "tied"])
def test_a_file_does_not_depend_on_the_cpu(case):
    """What a process that has none of the CPU's wide instructions reads and writes again is the same, byte for byte."""
    X, model = CASES[case][1], fitted(*CASES[case])
    data = pickle.dumps(model)
    written = []
    for disabled in ([], beyond_avx2()):
        environment = {
            **os.environ,
            "NPY_DISABLE_CPU_FEATURES": " ".join(disabled),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], input=data, env=environment, capture_output=True, check=True
        )
        written.append(done.stdout)

    assert written[0] == written[1]
    for a, b in zip(predictions(pickle.loads(written[1]), X), predictions(model, X), strict=True):
        assert_array_equal(a, b)


def test_no_value_stands_twice():
    """What can be made of other values is not written: the parameters once, and no attribute of the data."""
    state = fitted(*CASES["lstm, adam"]).__getstate__()

    assert not state["attributes"].keys() & {"classes_", "n_inputs_", "n_features_in_", "weights_", "_fitted"}
    stream = io.BytesIO()
    pickle.dump(state, stream)
    assert json.dumps(state["fitted"]["network"])


def test_arrays_are_read_without_pickles():
    calls = [
        call
        for path in Path(skrnn.__file__).parent.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "np.load"
    ]

    assert calls
    assert all("allow_pickle=False" in ast.unparse(call) for call in calls)
