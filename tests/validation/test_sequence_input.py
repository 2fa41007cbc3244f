"""X in every entry point alike: no container without an order, no mask dropped, no column swapped, no raw sentence."""

import re
from collections import OrderedDict, UserDict
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier
from skrnn._validation.input_types import holds_text
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer
from skrnn.sequences import to_padded

pl = pytest.importorskip("polars")
pytest.importorskip("pyarrow")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def sequences(n=4, n_features=2):
    rng = np.random.default_rng(1)
    return [rng.normal(size=(2 + i % 3, n_features)) for i in range(n)]


Y = np.array([0, 1, 0, 1])


def classifier(**params):
    return RNNSequenceClassifier(**{"hidden_size": 3, "max_iter": 2, "random_state": 0, **params})


def fitted(X):
    return classifier(warm_start=True).fit(X, Y)


def y_for(X):
    return np.arange(X.shape[0] if sparse.issparse(X) else len(X)) % 2 if hasattr(X, "__len__") else Y


# Every way in: called with X, after a fit on `known` where it needs one.
ENTRIES = {
    "fit": lambda X, known: classifier().fit(X, y_for(X)),
    "warm start": lambda X, known: fitted(known).fit(X, y_for(X)),
    "first partial_fit": lambda X, known: classifier().partial_fit(X, y_for(X), classes=[0, 1]),
    "partial_fit": lambda X, known: fitted(known).partial_fit(X, y_for(X)),
    "predict": lambda X, known: fitted(known).predict(X),
    "predict_proba": lambda X, known: fitted(known).predict_proba(X),
    "predict_log_proba": lambda X, known: fitted(known).predict_log_proba(X),
    "score": lambda X, known: fitted(known).score(X, y_for(X)),
    "X_val": lambda X, known: classifier(early_stopping=True).fit(known, Y, X_val=X, y_val=y_for(X)),
    "scaler fit": lambda X, known: SequenceScaler().fit(X),
    "scaler fit_transform": lambda X, known: SequenceScaler().fit_transform(X),
    "scaler partial_fit": lambda X, known: SequenceScaler().fit(known).partial_fit(X),
    "transform": lambda X, known: SequenceScaler().fit(known).transform(X),
    "inverse_transform": lambda X, known: SequenceScaler().fit(known).inverse_transform(X),
    "imputer fit": lambda X, known: SequenceImputer(missing_values=-999).fit(X),
    "imputer transform": lambda X, known: SequenceImputer(missing_values=-999).fit(known).transform(X),
    "summarizer fit": lambda X, known: SequenceSummarizer().fit(X),
    "summarizer transform": lambda X, known: SequenceSummarizer().fit(known).transform(X),
    "to_padded": lambda X, known: to_padded(X),
}
CHECKED_AGAINST_A_FIT = [
    name
    for name in ENTRIES
    if name not in ("fit", "first partial_fit", "scaler fit_transform", "to_padded") and not name.endswith(" fit")
]
every_entry = pytest.mark.parametrize("entry", ENTRIES)


def name_in(entry):
    return "X_val" if entry == "X_val" else "X"


def assert_refuses(entry, X, error, message, known=None):
    """`message` is a pattern, in which X stands for the name that the entry has for it."""
    with pytest.raises(error, match=re.sub(r"\bX\b", name_in(entry), message)) as caught:
        ENTRIES[entry](X, sequences() if known is None else known)
    assert len(str(caught.value)) < 700


# Containers without an order


class NoLength:
    """Only an iterator."""

    def __iter__(self):
        return iter([1.0, 2.0])


@every_entry
@pytest.mark.parametrize(
    "X",
    [
        {(1.0, 2.0), (3.0, 4.0)},
        frozenset({(1.0, 2.0)}),
        dict(enumerate(sequences())),
        OrderedDict(enumerate(sequences())),
        UserDict(enumerate(sequences())),
        dict(enumerate(sequences())).values(),
        {(1.0, 2.0): 1}.keys(),
        {1.0: 2.0}.items(),
        iter(sequences()),
        map(np.asarray, sequences()),
        NoLength(),
        object(),
        5,
        None,
    ],
    ids=lambda X: type(X).__name__,
)
def test_what_is_no_list(entry, X):
    if X is None and entry == "X_val":
        pytest.skip("not given")
    assert_refuses(entry, X, TypeError, r"^X is .*\. Pass an array or a list of sequences\.")


@every_entry
@pytest.mark.parametrize(
    "make",
    [
        set,
        frozenset,
        dict.fromkeys,
        lambda x: dict.fromkeys(x).keys(),
        lambda x: {0: x}.values(),
        iter,
        UserDict.fromkeys,
    ],
    ids=["set", "frozenset", "dict", "keys", "values", "iterator", "UserDict"],
)
@pytest.mark.parametrize("container", [list, tuple, lambda items: pd.Series(items, dtype=object)])
def test_an_item_that_is_no_sequence(entry, make, container):
    items = [np.ones((2, 1)), make([1.0, 2.0])]
    assert_refuses(
        entry,
        container(items),
        TypeError,
        r"^X\[1\] is an? .*, but a sequence of numbers is needed\. Pass arrays of shape",
        sequences(n_features=1),
    )


@every_entry
def test_rows_that_are_sets(entry):
    assert_refuses(
        entry, [[{1.0, 2.0}, {3.0, 4.0}]], TypeError, r"^X\[0\] cannot be read as an array of numbers: .*'set'"
    )


# Masks


@every_entry
@pytest.mark.parametrize(
    ("X", "name"),
    [
        (np.ma.masked_equal([[1.0, 2.0], [3.0, 999.0]], 999), "X"),
        (np.ma.masked_equal(np.arange(8.0).reshape(2, 2, 2), 3), "X"),
        ([np.ones((2, 2)), np.ma.masked_equal([[1.0, 2.0], [3.0, 999.0]], 999)], r"X\[1\]"),
        ([np.ones(2), np.ma.masked_equal([1.0, 999.0], 999)], r"X\[1\]"),
        ([[1.0, 2.0], [1.0, np.ma.masked]], "X"),
        ([np.ones(2), [1.0, np.ma.masked]], r"X\[1\]"),
        ([np.ones((2, 2)), [np.ma.masked_equal([1, 999], 999), [1, 2]]], r"X\[1\]"),
        ([np.ma.masked_all(2), np.ones(2)], r"X\[0\]"),
    ],
    ids=["2-D", "3-D", "2-D item", "1-D item", "constant in a table", "constant", "row of an item", "all masked"],
)
def test_masked_entries(entry, X, name):
    assert_refuses(entry, X, TypeError, f"^{name} has masked entries, .*skrnn.sequences.from_padded, which reads masks")


@pytest.mark.parametrize("mask", [np.ma.nomask, False], ids=["nomask", "False"])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 2)])
def test_nothing_masked_is_a_plain_array(mask, shape):
    X = np.arange(np.prod(shape), dtype=float).reshape(shape)
    masked = np.ma.array(X, mask=mask)
    assert_array_equal(SequenceScaler().fit_transform(masked), SequenceScaler().fit_transform(X))
    assert_array_equal(SequenceScaler().fit_transform(list(masked)), SequenceScaler().fit_transform(list(X)))


# Column names


def pandas_frame(values, columns):
    return pd.DataFrame(values, columns=columns)


def polars_frame(values, columns):
    return pl.DataFrame(values, schema=columns)


frame_makers = pytest.mark.parametrize("frame", [pandas_frame, polars_frame])
CONTAINERS = {"list": list, "tuple": tuple, "Series": lambda items: pd.Series(items, dtype=object)}


@frame_makers
@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("entry", CHECKED_AGAINST_A_FIT)
@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["y", "x"], "Feature names must be in the same order as they were in fit"),
        (["x", "z"], "Feature names unseen at fit time:\n- z"),
    ],
)
def test_other_columns_than_in_fit(frame, container, entry, columns, sentence):
    known = [frame(x, ["x", "y"]) for x in sequences()]
    ENTRIES[entry](container(known), known)
    X = container([frame(x, columns) for x in sequences()])
    message = f"^The feature names should match those that were passed during fit.\n{sentence}(.*\n)*"
    assert_refuses(entry, X, ValueError, f"{message}These are the columns of X\\[0\\]", known)


@frame_makers
@every_entry
@pytest.mark.parametrize("columns", [["y", "x"], ["x", "z"]])
def test_columns_differ_within_a_call(frame, entry, columns):
    X = [frame(x, ["x", "y"] if i < 2 else columns) for i, x in enumerate(sequences())]
    message = rf"^X\[2\] has the columns {re.escape(str(columns))}, X\[0\] has the columns"
    assert_refuses(entry, X, ValueError, f"{message}.*the same, in one order: pass ", X[:1] * 4)


@frame_makers
@every_entry
def test_frames_beside_arrays(frame, entry):
    x = sequences()
    known = [frame(item, ["x", "y"]) for item in x]
    assert_refuses(entry, [known[0], x[1]], ValueError, r"^X\[1\] has no column names, X\[0\] has the col", known)
    assert_refuses(entry, [x[0], known[1]], ValueError, r"^X\[1\] has the columns .*, X\[0\] has no col", known)


@pytest.mark.parametrize("columns", [[1, 2], pd.MultiIndex.from_tuples([("a", 1), ("a", 0)]), [0.5, 1.5]], ids=repr)
def test_labels_that_are_no_names_are_compared_within_a_call_only(columns):
    X = [pd.DataFrame(x, columns=columns) for x in sequences()]
    model = fitted(X)
    assert not hasattr(model, "feature_names_in_")
    model.predict(sequences())
    with pytest.raises(ValueError, match=r"^X\[1\] has the columns"):
        model.predict([X[0], X[1][X[1].columns[::-1]]])


@every_entry
@pytest.mark.parametrize("container", ["table", "list"])
def test_columns_of_one_name(entry, container):
    if entry == "to_padded":
        pytest.skip("names no features")
    frame = pd.DataFrame(np.ones((3, 2)), columns=["x", "x"])
    X, name = (frame, "X") if container == "table" else ([frame, frame], r"X\[0\]")
    assert_refuses(entry, X, ValueError, rf"^{name} has 2 columns named 'x'\. Rename them, or drop all but one\.")


def test_numbered_columns_are_no_names():
    X = [pd.DataFrame(x) for x in sequences()]
    assert_array_equal(fitted(X).predict([X[0], *sequences()[1:]]), fitted(sequences()).predict(X))


def test_labels_of_mixed_kinds():
    X = [pd.DataFrame(x, columns=["a", 1]) for x in sequences()]
    with pytest.raises(TypeError, match="Feature names are only supported if all input features have string names"):
        fitted(X)


@frame_makers
@pytest.mark.parametrize("make", [fitted, SequenceScaler().fit], ids=["classifier", "scaler"])
def test_names_are_kept_until_the_next_fit(frame, make):
    X = [frame(x, ["x", "y"]) for x in sequences()]
    model = make(X)
    assert model.feature_names_in_.tolist() == ["x", "y"]
    assert (model.n_features_in_, model.n_inputs_) == (2, 2)
    fit = [sequences(), Y] if isinstance(model, RNNSequenceClassifier) else [sequences()]
    assert not hasattr(
        model.set_params(**dict.fromkeys({"warm_start"} & set(model.get_params()), False)).fit(*fit),
        "feature_names_in_",
    )


@pytest.mark.parametrize("entry", CHECKED_AGAINST_A_FIT)
@pytest.mark.parametrize("kind", [list, np.stack, pd.Series], ids=["list", "3-D", "Series"])
def test_one_side_without_names_warns_as_scikit_learn_does(entry, kind):
    arrays = [x[:2] for x in sequences()]
    frames = [pd.DataFrame(x, columns=["x", "y"]) for x in arrays]
    name = name_in(entry)
    with pytest.warns(
        UserWarning, match=f"^{name} does not have valid feature names, but .* was fitted with feature"
    ) as caught:
        ENTRIES[entry](kind(arrays), frames)
    assert caught[0].filename == __file__
    with pytest.warns(
        UserWarning, match=f"^{name} has feature names, but .* was fitted without feature names"
    ) as caught:
        ENTRIES[entry](frames, arrays)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("scoring", ["loss", "accuracy", None])
@pytest.mark.parametrize("own_split", [False, True])
def test_the_estimator_is_silent_about_its_own_calls(scoring, own_split):
    X = [pd.DataFrame(x, columns=["x", "y"]) for x in sequences(20)]
    y = np.arange(20) % 2
    validation = {"X_val": X, "y_val": y} if own_split else {}
    model = classifier(early_stopping=True, scoring=scoring, validation_fraction=0.2).fit(X, y, **validation)
    assert model.feature_names_in_.tolist() == ["x", "y"]


@frame_makers
def test_a_pipeline_keeps_the_names(frame):
    X = [frame(x, ["x", "y"]) for x in sequences()]
    pipeline = make_pipeline(SequenceScaler(), classifier()).fit(X, Y)
    assert pipeline[-1].feature_names_in_.tolist() == ["x", "y"]
    assert pipeline[:-1].get_feature_names_out().tolist() == ["x", "y"]
    with pytest.raises(ValueError, match="The feature names should match"):
        pipeline.predict([frame(x, ["y", "x"]) for x in sequences()])


def test_names_of_steps_and_of_features_are_not_compared():
    table = pd.DataFrame(np.ones((4, 3)), columns=["t0", "t1", "t2"])
    frames = [pd.DataFrame({"pulse": x[:, 0]}) for x in sequences()]
    fitted(table).predict(frames)
    fitted(frames).predict(table)


def test_names_of_series_are_no_columns():
    X = [pd.Series(x[:, 0], name=f"s{i}") for i, x in enumerate(sequences())]
    assert not hasattr(fitted(X), "feature_names_in_")


# dtypes


FLOAT32 = {
    "f4": lambda x: x.astype("f4"),
    "big-endian": lambda x: x.astype(">f4"),
    "strided": lambda x: np.repeat(x.astype("f4"), 2, axis=0)[::2],
    "frame": lambda x: pd.DataFrame(x.astype("f4")),
    "nullable": lambda x: pd.DataFrame(x.astype("f4")).astype("Float32"),
    "Arrow": lambda x: pd.DataFrame(x.astype("f4")).astype("float[pyarrow]"),
    "polars": lambda x: pl.DataFrame(x.astype("f4")),
}
FLOAT64 = {
    "f4 and i1": lambda x: pd.DataFrame({"a": x[:, 0].astype("f4"), "b": np.ones(len(x), "i1")}),
    "f4 and i1 in polars": lambda x: pl.DataFrame({"a": x[:, 0].astype("f4"), "b": np.ones(len(x), "i1")}),
    "nullable f4 and i1": lambda x: (
        pd.DataFrame({"a": x[:, 0]}).astype("Float32").assign(b=pd.array([1] * len(x), dtype="Int8"))
    ),
    "f2": lambda x: x.astype("f2"),
    "big-endian": lambda x: x.astype(">f8"),
    "longdouble": lambda x: x.astype(np.longdouble),
    "mixed": lambda x: pd.DataFrame({"a": x[:, 0].astype("f4"), "b": x[:, 1]}),
    "list": lambda x: x.tolist(),
    "nullable": lambda x: pd.DataFrame(x).astype("Float64"),
    "Arrow": lambda x: pd.DataFrame(x).astype("double[pyarrow]"),
    "decimals": lambda x: [[Decimal(float(v)) for v in row] for row in x],
    "fractions": lambda x: [[Fraction(float(v)) for v in row] for row in x],
}


@pytest.mark.parametrize(
    ("convert", "dtype"),
    [*((f, np.float32) for f in FLOAT32.values()), *((f, np.float64) for f in FLOAT64.values())],
    ids=[f"float32-{k}" for k in FLOAT32] + [f"float64-{k}" for k in FLOAT64],
)
def test_float32_only_if_all_of_X_is(convert, dtype):
    X = [convert(x) for x in sequences()]
    reference = [np.asarray(convert(x), dtype) for x in sequences()]
    assert fitted(X)._fitted.params.dtype == dtype
    padded = to_padded(X)[0]
    assert padded.dtype == dtype
    assert padded.dtype.isnative
    assert_allclose(padded, to_padded(reference)[0], rtol=2e-3, atol=2e-4)
    scaled = SequenceScaler().fit_transform(X)
    assert_allclose(np.concatenate([np.asarray(x, float) for x in scaled])[:, 0].std(), 1, rtol=1e-3)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2)])
@pytest.mark.parametrize(
    ("given", "dtype"), [("<f4", "f4"), (">f4", "f4"), (">f8", "f8"), ("f2", "f8"), ("g", "f8"), (">i2", "f8")]
)
def test_dtype_of_arrays(shape, given, dtype):
    X = np.arange(np.prod(shape)).reshape(shape).astype(given)
    assert fitted(X)._fitted.params.dtype == dtype
    assert SequenceScaler().fit_transform(X).dtype == dtype
    assert_array_equal(to_padded(X)[0].ravel(), X.ravel())
    assert_array_equal(fitted(X).predict_proba(X), fitted(X.astype(dtype)).predict_proba(X.astype(dtype)))


NULLABLE = ["Int64", "UInt8", "Float32", "Float64", "boolean", "int64[pyarrow]", "double[pyarrow]", "bool[pyarrow]"]


@pytest.mark.parametrize("dtype", NULLABLE)
@pytest.mark.parametrize("kind", ["frame", "mixed frame", "Series", "list"])
def test_nullable_values(dtype, kind):
    column = pd.Series([1, 0, 1]).astype(bool if "bool" in dtype else int).astype(dtype)
    X, expected = {
        "frame": (pd.DataFrame({"a": column}), [[1], [0], [1]]),
        "mixed frame": (pd.DataFrame({"a": column, "b": [0.5, 1.5, 2.5]}), [[1, 0.5], [0, 1.5], [1, 2.5]]),
        "Series": (column, [[1], [0], [1]]),
        "list": (column.tolist(), [[1], [0], [1]]),
    }[kind]
    assert_array_equal(to_padded([X])[0][0], expected)


@every_entry
@pytest.mark.parametrize("dtype", NULLABLE)
@pytest.mark.parametrize("kind", ["frame", "mixed frame", "Series", "list"])
def test_missing_values_are_named(entry, dtype, kind):
    column = pd.Series([1, None, 0]).astype(dtype)
    X = {
        "frame": pd.DataFrame({"a": column}),
        "mixed frame": pd.DataFrame({"b": [True, False, True], "a": column}),
        "Series": column,
        "list": column.tolist(),
    }[kind]
    feature = int(kind == "mixed frame")
    if entry == "to_padded":  # keeps NaN
        assert_array_equal(np.isnan(to_padded([X])[0][0, :, feature]), [False, True, False])
        return
    plain = np.ones((3, 1 + feature))
    known = [plain] * 4
    if hasattr(X, "columns"):
        known = [pd.DataFrame(plain, columns=X.columns)] * 4
    message = rf"^Input X\[1\] contains NaN\. It is at step 1, feature {feature}\."
    assert_refuses(entry, [known[0], X], ValueError, message, known)


@every_entry
@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "int64[pyarrow]"])
def test_missing_values_in_a_table(entry, dtype):
    table = pd.DataFrame({"a": pd.Series([1, 0, 1, 0]).astype(dtype), "b": pd.Series([1, None, 0, 1]).astype(dtype)})
    if entry == "to_padded":
        assert_array_equal(np.isnan(to_padded(table)[0][:, 1, 0]), [False, True, False, False])
        return
    known = pd.DataFrame(np.ones((4, 2)), columns=["a", "b"])
    assert_refuses(entry, table, ValueError, r"^Input X contains NaN", known)


# What is no number


class Broken:
    """Another library's array that cannot be read."""

    shape = (2, 2)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no memory on the device " + "x" * 10_000)


NOT_NUMBERS = {
    "text": (np.array([["a", "b"]]), ValueError, "dtype <U1, but numbers are needed. One-hot encode categories"),
    "digits": (np.array([["1", "2"]]), ValueError, "dtype <U1, but numbers are needed"),
    "digits in lists": ([["1"], ["2"]], ValueError, "dtype <U1, but numbers are needed"),
    "digits as objects": (np.array([["1", None]], dtype=object), ValueError, "cannot be read .*: '1' is text. Every"),
    "number and digits": ([[1.0, Decimal(1), "2"]], ValueError, "'2' is text"),
    "number and long text": ([[1.0, "a" * 10_000, None]], ValueError, "'a+ is text"),
    "bytes": (np.array([[b"ab"]]), ValueError, r"dtype \|S2, but numbers are needed"),
    "dates": (np.zeros((2, 2), "M8[s]"), ValueError, r"dtype datetime64\[s\], but numbers are needed. Convert dates"),
    "durations": (np.zeros((2, 2), "m8[s]"), ValueError, r"dtype timedelta64\[s\], but .* Divide durations"),
    "date column": (
        pd.DataFrame({"a": pd.to_datetime(["2020"]), "b": [1.0]}),
        ValueError,
        r"dtype datetime64\[.*\], but numbers are needed. Convert dates",
    ),
    "complex": (np.ones((2, 2)) * 1j, ValueError, "Complex data not supported"),
    "complex with gaps": ([[1j, None]], TypeError, "cannot be read as an array of numbers"),
    "structured": (
        np.zeros((2, 2), [("a", "f8"), ("b", "f8")]),
        ValueError,
        "dtype .*, but numbers are needed. Pass the fi",
    ),
    "wide structured": (np.zeros((2, 2), [(f"a{i}", "f8") for i in range(999)]), ValueError, r"dtype .*\.\.\., but"),
    "huge integer": ([[10**400, 1.0]], ValueError, "numbers: it holds an integer that is too large for a float"),
    "ragged rows": ([[[1.0, 2.0], [3.0]]], ValueError, "numbers: its rows differ in length"),
    "dict among numbers": ([[1.0, {}]], TypeError, "cannot be read as an array of numbers: .*'dict'"),
    "broken": (Broken(), ValueError, "cannot be read as an array of numbers: no memory on the device x+\\.\\.\\."),
    "sparse": (sparse.csr_matrix(np.eye(2)), TypeError, "dense data is required. Use '.toarray"),
}


@every_entry
@pytest.mark.parametrize("place", ["item", "X"])
@pytest.mark.parametrize(("bad", "error", "message"), NOT_NUMBERS.values(), ids=NOT_NUMBERS)
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged")
def test_what_is_no_number(entry, place, bad, error, message):
    X = bad if place == "X" else [np.ones((2, 2)), bad]
    if holds_text(X) and not entry.startswith(("scaler", "transform", "inverse", "to_")):
        pytest.skip("the estimators read it as tokens")
    assert_refuses(entry, X, error, message)


TEXTS = {
    "text": np.array([["a", "b"]]),
    "digits": np.array([["1", "2"]]),
    "digits in lists": [["1"], ["2"]],
    "digits as objects": np.array([["1", None]], dtype=object),
    "characters": ["ab", "b"],
    "after empty ones": [[], "", ["a"]],
    "frame": pd.DataFrame({"a": ["x"], "b": ["y"]}),
    "series": [pd.Series(["a", "b"])],
}


@pytest.mark.parametrize("entry", ["partial_fit", "predict", "predict_proba", "predict_log_proba", "score"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_where_numbers_are_needed(entry, text):
    assert_refuses(entry, text, TypeError, "holds text, but the model was fitted on numbers. Pass numbers, or fit anew")


@every_entry
@pytest.mark.parametrize("place", ["item", "list", "2-D", "3-D"])
def test_tensors(entry, place):
    torch = pytest.importorskip("torch")
    shape = {"item": (4, 2, 2), "list": (4, 2, 2), "2-D": (4, 2), "3-D": (4, 2, 2)}[place]
    values = np.random.default_rng(0).normal(size=shape)
    known = values if place in ("2-D", "3-D") else list(values)

    def wrapped(**options):
        tensor = torch.tensor(values, **options)
        return {"item": list(tensor), "list": [list(x) for x in tensor]}.get(place, tensor)

    assert_array_equal(to_padded(wrapped())[0], to_padded(known)[0])
    ENTRIES[entry](wrapped(), known)
    name = r"X\[0\]" if place in ("item", "list") else "X"
    message = rf"^{name} is a tensor that requires gradients. Pass {name}.detach\(\)."
    if place == "list":
        message = rf"^{name} cannot be read as an array of numbers: .*detach"
    assert_refuses(entry, wrapped(requires_grad=True), (TypeError, ValueError), message, known)
    if place != "list":
        message = rf"^{name} cannot be read as an array of numbers: can't convert meta device"
        assert_refuses(entry, wrapped(device="meta"), TypeError, message, known)


def test_an_object_of_no_dimensions():
    with pytest.raises(TypeError, match=r"^X is a set\. Pass an array"):
        SequenceScaler().fit(np.array({1.0}, dtype=object))


@every_entry
@pytest.mark.parametrize(
    "X",
    [np.ones(4), np.float64(3), [1.0, 2.0], pd.Series([1.0, 2.0]), np.ones(900)],
    ids=["vector", "scalar", "list", "series", "long vector"],
)
def test_numbers_that_are_no_table(entry, X):
    assert_refuses(
        entry, X, ValueError, r"^Expected 2D array, got .* Reshape your data: pass \[X\] if it is one sequence"
    )


def test_huge_integers_are_numbers():
    assert_array_equal(to_padded([[2**64, 2**70], [1]])[0][:, :, 0], [[2.0**64, 2.0**70], [1, 0]])
    assert_array_equal(to_padded([np.array([2**60 + 1]), np.array([2**64 - 1], "u8")])[0][:, 0, 0], [2.0**60, 2.0**64])


def test_nested_lists_after_a_table_ask_for_arrays():
    model = fitted(np.ones((4, 2)))
    with pytest.raises(
        ValueError, match=r"To use other lengths, pass a list of arrays: \[np.asarray\(x\) for x in X\]"
    ):
        model.predict([[1, 2, 3]])
    assert model.predict([np.asarray(x) for x in [[1, 2, 3]]]).shape == (1,)


def test_labels_called_X_keep_their_name():
    """Messages are made with the right name, not rewritten."""
    frames = [pd.DataFrame(x, columns=["X", "y"]) for x in sequences()]
    swapped = [frame[["y", "X"]] for frame in frames]
    model = classifier(early_stopping=True)
    with pytest.raises(ValueError, match=r"^X_val\[1\] has the columns \['y', 'X'\], X_val\[0\] has the"):
        model.fit(frames, Y, X_val=[frames[0], *swapped[1:]], y_val=Y)


def test_warnings_of_convergence_are_the_only_ones():
    with pytest.warns(ConvergenceWarning) as caught:
        classifier().fit([pd.DataFrame(x, columns=["x", "y"]) for x in sequences()], Y)
    assert len(caught) == 1
