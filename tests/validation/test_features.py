"""What every estimator does with X: containers, dtypes, fitted attributes, messages."""

import re
from collections import deque

import numpy as np
import pytest
from helpers import assert_sequences_equal, object_array, raises
from numpy.testing import assert_array_equal
from read_features import RNNSequenceClassifier, fit, steps
from scipy import sparse

RAGGED_1 = [np.arange(4.0), np.arange(3.0)]
RAGGED_2 = [np.arange(8.0).reshape(4, 2), np.arange(6.0).reshape(3, 2)]


# Validation: what is accepted


@pytest.mark.parametrize("container", [list, tuple, deque, object_array])
@pytest.mark.parametrize("X", [RAGGED_1, RAGGED_2])
def test_containers_of_arrays(container, X):
    estimator = fit(container(X))
    expected = [x.reshape(len(x), -1) for x in X]
    assert_sequences_equal(steps(estimator.sequences), expected)
    assert_sequences_equal(steps(estimator.read(container(X))), expected)
    assert estimator.n_features_in_ == estimator.n_inputs_ == expected[0].shape[1]


def test_lists_of_arrays_of_one_length_are_ragged():
    estimator = fit([np.arange(3.0), np.arange(3.0)])
    assert estimator.n_features_in_ == 1
    assert estimator.read([np.arange(5.0)]).lengths.tolist() == [5]
    estimator = fit(object_array([np.ones((3, 2)), np.ones((3, 2))]))
    assert estimator.n_features_in_ == 2


@pytest.mark.parametrize(
    "X", [np.arange(6.0).reshape(2, 3), [[0, 1, 2], [3, 4, 5]], [(0, 1, 2), [3, 4, 5]], np.arange(6).reshape(2, 3)]
)
def test_two_dimensions(X):
    estimator = fit(X)
    assert (estimator.n_features_in_, estimator.n_inputs_) == (3, 1)
    assert_sequences_equal(steps(estimator.sequences), [np.array([[0.0], [1], [2]]), np.array([[3.0], [4], [5]])])


def test_three_dimensions(rng):
    X = rng.normal(size=(4, 5, 3))
    estimator = fit(X)
    assert (estimator.n_features_in_, estimator.n_inputs_) == (3, 3)
    assert_sequences_equal(steps(estimator.sequences), list(X))
    assert_sequences_equal(steps(estimator.read(X.astype(object)[:, :2])), list(X[:, :2]))


@pytest.mark.parametrize(
    ("X", "n_features"),
    [
        ([[1, 2], [3]], 1),
        ([[[1, 2]], [[3, 4], [5, 6]]], 2),
        ([[[1, 2]], [[3, 4]]], 2),
        ([[np.ones(2)], [np.ones(2)]], 2),
        ([[1, 2], np.ones(2)], 1),
        ([np.ones(2), np.ones((3, 1))], 1),
        ([object_array([np.ones(2), np.ones(2)])], 2),
    ],
)
def test_nested_lists(X, n_features):
    estimator = fit(X)
    assert not estimator._fitted_on_2d
    assert estimator.n_features_in_ == n_features
    assert estimator.sequences.lengths.tolist() == [len(x) for x in X]


class HasArray:
    """Another library's array, which has only the protocol."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype=dtype)


def test_array_protocol():
    assert fit(HasArray(np.ones((2, 5)))).n_features_in_ == 5
    assert fit(HasArray(np.ones((2, 5, 3)))).n_features_in_ == 3
    assert fit([HasArray(np.ones((2, 5)))]).n_inputs_ == 5


def test_pandas():
    pd = pytest.importorskip("pandas")
    series = pd.Series(RAGGED_2, index=[7, 9])
    assert_sequences_equal(steps(fit(series).sequences), RAGGED_2)
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in RAGGED_2]
    estimator = fit(frames)
    assert_sequences_equal(steps(estimator.sequences), RAGGED_2)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    assert_sequences_equal(steps(fit(pd.Series(frames)).sequences), RAGGED_2)
    columns = [pd.Series(x, index=x + 5) for x in RAGGED_1]
    assert_sequences_equal(steps(fit(columns).sequences), [x[:, None] for x in RAGGED_1])
    nullable = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64"), "b": [0.5, 1.5]})
    assert_sequences_equal(steps(fit([nullable]).sequences), [np.array([[1, 0.5], [2, 1.5]])])


def test_pandas_table_keeps_names():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(np.ones((2, 3)), columns=["a", "b", "c"])
    estimator = fit(table)
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c"]
    assert len(estimator.read(table)) == 2
    with raises(ValueError, "The feature names should match"):
        estimator.read(table[["b", "a", "c"]])
    for X in (RAGGED_1, np.ones((2, 3, 1)), np.ones((2, 3))):
        assert not hasattr(fit(table).fit(X), "feature_names_in_")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_polars(dtype):
    pl = pytest.importorskip("polars")
    element = {np.float32: pl.Float32, np.float64: pl.Float64}[dtype]
    univariate = [x.astype(dtype)[:, None] for x in RAGGED_1]
    series = pl.Series("a", [x.tolist() for x in RAGGED_1], dtype=pl.List(element))
    assert_sequences_equal(steps(fit(series).sequences), univariate)
    assert_sequences_equal(steps(fit([pl.Series("a", x[:, 0]) for x in univariate]).sequences), univariate)
    features = [x.astype(dtype) for x in RAGGED_2]
    assert_sequences_equal(steps(fit([pl.DataFrame(x) for x in features]).sequences), features)
    estimator = fit(pl.DataFrame(np.ones((2, 3), dtype), schema=["a", "b", "c"]))
    assert estimator.feature_names_in_.tolist() == ["a", "b", "c"]
    assert (estimator.n_features_in_, estimator.n_inputs_) == (3, 1)


def test_polars_nested():
    pl = pytest.importorskip("polars")
    series = pl.Series("a", [x.tolist() for x in RAGGED_2])
    assert_sequences_equal(steps(fit(series).sequences), RAGGED_2)
    equal = pl.Series("a", [[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float64, 2))
    assert fit(equal).n_features_in_ == 2


# dtype


@pytest.mark.parametrize(
    ("X", "dtype"),
    [
        (np.ones((2, 3), "f4"), "f4"),
        (np.ones((2, 3), "f2"), "f8"),
        (np.ones((2, 3), bool), "f8"),
        (np.ones((2, 3, 2), "f4"), "f4"),
        (np.ones((2, 3, 2), int), "f8"),
        ([np.ones(2, "f4"), np.ones(3, "f4")], "f4"),
        ([np.ones(2, "f4"), np.ones(3, "f8")], "f8"),
        ([np.ones(2, "i4"), np.ones(3, "u1"), np.ones(2, bool)], "f8"),
        ([np.ones(2, ">f4")], "f4"),
        (np.ones((2, 3), ">f4"), "f4"),
        (np.ones((2, 3, 2), ">f4"), "f4"),
        ([np.ones(2, "f4"), np.ones(2, ">f4")], "f4"),
        ([np.ones(2, "f4"), np.ones(2, ">f8")], "f8"),
        ([np.ones(2, "g")], "f8"),
        ([[1, 2], [3]], "f8"),
    ],
)
def test_dtype(X, dtype):
    estimator = fit(X)
    assert estimator.sequences.steps.dtype == dtype
    for fitted in (np.float32, np.float64, np.dtype("f4"), np.dtype("f8")):
        assert estimator.read(X, dtype=fitted).steps.dtype == fitted


@pytest.mark.parametrize("X", [np.ones((2, 3)), np.ones((2, 3, 2)), [np.ones((2, 2))]])
def test_copies(X):
    fit(X).sequences.steps[:] = 7
    assert_array_equal(X, 1)


def test_fortran_and_strided_items(rng):
    x = rng.normal(size=(6, 4))
    X = [np.asfortranarray(x), x[::2], x[::-1]]
    assert_sequences_equal(steps(fit(X).sequences), X)


# What a fit decides about later calls


def test_after_a_2d_fit():
    estimator = fit(np.ones((2, 4)))
    assert len(estimator.read(np.ones((3, 4)))) == 3
    assert estimator.read([np.ones(9)]).lengths.tolist() == [9]
    assert estimator.read(np.ones((1, 9, 1))).lengths.tolist() == [9]
    for X in (np.ones((3, 5)), [[1] * 5]):
        with raises(
            ValueError,
            "X has 5 features, but RNNSequenceClassifier is expecting 4 features as input. "
            "To use other lengths, pass a list of arrays: [np.asarray(x) for x in X].",
        ):
            estimator.read(X)
    with raises(
        ValueError,
        "X[0] has 2 features per step, but RNNSequenceClassifier was fitted on sequences of 1. "
        "Pass arrays of shape (n_steps, 1).",
    ):
        estimator.read(RAGGED_2)


@pytest.mark.parametrize("X", [RAGGED_1, np.ones((2, 3, 1)), [np.ones((1, 1))]])
def test_after_a_univariate_fit_2d_of_any_width(X):
    estimator = fit(X)
    assert_array_equal(estimator.read(np.ones((2, 7))).lengths, [7, 7])
    assert_array_equal(estimator.read([[1, 2]]).lengths, [2])


@pytest.mark.parametrize("X", [RAGGED_2, np.ones((2, 3, 2))])
def test_after_a_multivariate_fit(X):
    estimator = fit(X)
    assert len(estimator.read(RAGGED_2)) == 2
    assert len(estimator.read(np.ones((1, 9, 2)))) == 1
    with raises(
        ValueError,
        "X has 2 dimensions (shape (4, 2)), but RNNSequenceClassifier was fitted on sequences of 2 features per step. "
        "Pass shape (n_sequences, n_steps, 2), or a list of arrays of shape (n_steps, 2); [X] if X is one sequence.",
    ):
        estimator.read(RAGGED_2[0])
    with raises(ValueError, "Reshape your data"):
        estimator.read(np.ones(2))
    with raises(
        ValueError,
        "X[1] has 5 features per step, but RNNSequenceClassifier was fitted on sequences of 2. "
        "Pass arrays of shape (n_steps, 2).",
    ):
        estimator.read([np.ones((3, 2)), np.ones((3, 5))])
    with raises(ValueError, "X[0] has 1 feature per step, but RNNSequenceClassifier was fitted on sequences of 2."):
        estimator.read(RAGGED_1)


def test_transposed_3d():
    estimator = fit(RAGGED_2)
    sentence = "X has 50 features per step, but RNNSequenceClassifier is expecting 2 features per step as input"
    hint = " skrnn expects (n_sequences, n_steps, n_features); if X is (n, channels, time) use X.transpose(0, 2, 1)."
    with raises(ValueError, f"{sentence} (shape (8, 2, 50)).{hint}"):
        estimator.read(np.ones((8, 2, 50)))
    with pytest.raises(ValueError, match=re.escape(f"{sentence} (shape (8, 3, 50)).") + "$"):
        estimator.read(np.ones((8, 3, 50)))


# What is refused

NAN = np.ones((4, 2))
NAN[2, 1] = np.nan
PADDING = "If NaN marks padding, cut it off with skrnn.sequences.from_padded(X, pad_value=np.nan)."
SHAPES = "Pass arrays of shape (n_steps,) or (n_steps, n_features)."
NOT_X = "Pass an array or a list of sequences."


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        pytest.param(None, TypeError, f"X is None. {NOT_X}", id="None"),
        pytest.param("hello", TypeError, f"X is a str ('hello'). {NOT_X}", id="str"),
        pytest.param(b"hello", TypeError, f"X is a bytes. {NOT_X}", id="bytes"),
        pytest.param({"a": [1.0]}, TypeError, f"X is a dict. {NOT_X}", id="dict"),
        pytest.param(iter([1.0]), TypeError, f"X is a list_iterator. {NOT_X}", id="iterator"),
        pytest.param(3.0, TypeError, f"X is a float (3.0). {NOT_X}", id="number"),
        pytest.param(np.float64(3), ValueError, "Reshape your data", id="NumPy scalar"),
        pytest.param([], ValueError, "X is empty: at least one sequence is needed.", id="[]"),
        pytest.param(np.empty(0, object), ValueError, "X is empty: at least one sequence", id="empty object array"),
        pytest.param(np.ones(3), ValueError, "Reshape your data", id="1-D"),
        pytest.param([1, 2.0, 3], ValueError, "Reshape your data", id="list of numbers"),
        pytest.param(np.array([1, 2.0], object), ValueError, "Reshape your data", id="object array of numbers"),
        pytest.param(np.ones((0, 3)), ValueError, "Found array with 0 sample(s) (shape=(0, 3))", id="(0, 3)"),
        pytest.param([[], []], ValueError, "0 feature(s) (shape=(2, 0)) while a minimum of 1 is", id="[[], []]"),
        pytest.param(np.ones((0, 3, 2)), ValueError, "X is empty (shape (0, 3, 2)): at least one", id="(0, 3, 2)"),
        pytest.param(
            np.ones((2, 0, 2)),
            ValueError,
            "X has no steps (shape (2, 0, 2)): every sequence needs at least one step.",
            id="(2, 0, 2)",
        ),
        pytest.param(
            np.ones((2, 3, 0)),
            ValueError,
            "X has no features (shape (2, 3, 0)): every step needs at least one feature.",
            id="(2, 3, 0)",
        ),
        pytest.param(
            np.ones((2, 3, 4, 5)),
            ValueError,
            "X has 4 dimensions (shape (2, 3, 4, 5)), but skrnn expects (n_sequences, n_steps, n_features). "
            "Flatten the features of each step with X.reshape(2, 3, -1).",
            id="4-D",
        ),
        pytest.param(
            [np.ones(1)] * 5 + [np.ones(0)],
            ValueError,
            "X[5] is empty: every sequence needs at least one step.",
            id="empty item",
        ),
        pytest.param([[1.0], []], ValueError, "X[1] is empty: every sequence needs", id="empty list as item"),
        pytest.param([np.ones((0, 2))], ValueError, "X[0] is empty: every sequence needs", id="empty 2-D item"),
        pytest.param(
            [np.ones((3, 0))],
            ValueError,
            "X[0] has no features (shape (3, 0)): every step needs at least one feature.",
            id="item without features",
        ),
        pytest.param(
            [np.ones((3, 2)), np.ones((4, 2)), np.ones((5, 2)), np.ones((3, 4))],
            ValueError,
            "X[3] has 4 features per step, X[0] has 2. All sequences need the same features.",
            id="features differ",
        ),
        pytest.param(
            [np.ones((2, 30)), np.ones((2, 40))],
            ValueError,
            "X[1] has 40 features per step, X[0] has 30. All sequences need the same features. If they are "
            "(channels, time), use skrnn.sequences.from_channels_first(X).",
            id="channels first",
        ),
        pytest.param(
            [np.ones(1)] * 4 + [3.0],
            TypeError,
            f"X[4] is a number (3.0), but every item of X must be a sequence. {SHAPES}",
            id="number as item",
        ),
        pytest.param([np.ones(1), np.array(3.0)], TypeError, "X[1] is a number (3.0)", id="0-D item"),
        pytest.param(
            [np.ones(1), None],
            TypeError,
            f"X[1] is None, but a sequence of numbers is needed. {SHAPES}",
            id="None item",
        ),
        pytest.param([np.ones(1), {}], TypeError, "X[1] is a dict, but a sequence of numbers", id="dict item"),
        pytest.param(["ab"], TypeError, "X[0] is a str ('ab'), but a sequence of numbers is needed.", id="str item"),
        pytest.param(
            [np.ones(1), np.array(["a"])],
            ValueError,
            "X[1] has dtype <U1, but numbers are needed. One-hot encode categories.",
            id="strings in an item",
        ),
        pytest.param([["a", "b"], ["c"]], ValueError, "X[0] has dtype <U1, but numbers", id="ragged strings"),
        pytest.param([["a"], ["b"]], ValueError, "X has dtype <U1, but numbers are needed.", id="2-D strings"),
        pytest.param(np.full((2, 2, 2), "a"), ValueError, "X has dtype <U1, but numbers", id="3-D strings"),
        pytest.param([np.array(["2020"], "M8[D]")], ValueError, "X[0] has dtype datetime64[D], but", id="dates"),
        pytest.param(
            [[[1, 2], [3]]],
            ValueError,
            "X[0] cannot be read as an array of numbers: its rows differ in length. Every entry",
            id="ragged steps",
            marks=pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged"),
        ),
        pytest.param(
            [[[1, {}]]],
            TypeError,
            "not 'dict'. Every entry must be a number, every row as long as the first.",
            id="dict in an item",
        ),
        pytest.param(
            np.array([[1, {}]], object), TypeError, "argument must be a string or a real number", id="dict in 2-D"
        ),
        pytest.param(
            [np.ones((2, 3, 4))],
            ValueError,
            "X[0] has 3 dimensions (shape (2, 3, 4)), but a sequence has shape (n_steps, n_features). "
            "Flatten the features of each step with X[0].reshape(2, -1).",
            id="3-D item",
        ),
        pytest.param(sparse.csr_matrix(np.eye(3)), TypeError, "Sparse data was passed for X", id="sparse"),
        pytest.param(
            [np.eye(3), sparse.csr_matrix(np.eye(3))],
            TypeError,
            "X[1] is sparse, but dense data is required. Use '.toarray()' to convert it.",
            id="sparse item",
        ),
        pytest.param(np.eye(2) * 1j, ValueError, "Complex data not supported", id="complex 2-D"),
        pytest.param(
            np.ones((2, 2, 2)) * 1j,
            ValueError,
            "Complex data not supported: X has dtype complex128. Pass real numbers.",
            id="complex 3-D",
        ),
        pytest.param([np.ones(2) * 1j], ValueError, "Complex data not supported: X[0] has", id="complex item"),
        pytest.param(
            [NAN[:2], NAN],
            ValueError,
            f"Input X[1] contains NaN. It is at step 2, feature 1. {PADDING}",
            id="NaN in an item",
        ),
        pytest.param(np.stack([np.ones((4, 2)), NAN]), ValueError, "Input X[1] contains NaN. It is at", id="NaN 3-D"),
        pytest.param([[1, 2.0], [None]], ValueError, "Input X[1] contains NaN.", id="None in an item"),
        pytest.param(NAN, ValueError, "Input X contains NaN.", id="NaN 2-D"),
        pytest.param(NAN, ValueError, PADDING, id="NaN 2-D, hint"),
        pytest.param(
            [np.ones(2), np.array([1, -np.inf])],
            ValueError,
            "Input X[1] contains infinity or a value too large for dtype('float64'). It is at step 1, feature 0.",
            id="infinity",
        ),
        pytest.param(np.array([[np.inf]]), ValueError, "Input X contains infinity", id="infinity 2-D"),
    ],
)
def test_messages(X, error, message):
    with raises(error, message):
        fit(X)


def test_messages_about_frames():
    pd = pytest.importorskip("pandas")
    with raises(ValueError, "If the cells of X hold whole sequences, pass a list of them, or one column."):
        fit(pd.DataFrame({"a": [[1, 2], [3]], "b": [[1], [2, 3]]}))
    with raises(ValueError, "Expected 2D array, got 1D array instead (shape (2,))."):
        fit(pd.Series([1.0, 2.0]))
    with raises(ValueError, "X[0] has dtype <U1, but numbers are needed. One-hot encode categories."):
        fit([pd.DataFrame({"a": ["x", "y"]}, dtype=object)])
    with raises(TypeError, "X[0] cannot be read as an array of numbers: float() argument must be a string or a"):
        fit([pd.DataFrame({"a": [{}, None]}, dtype=object)])


def test_largest_numbers_are_finite():
    largest = np.finfo(np.float64).max
    estimator = fit([np.full(9, largest), np.full(9, -largest)])
    assert np.abs(estimator.sequences.steps[:, 0]).min() == largest


@pytest.mark.parametrize("X", [[np.array([1e300])], np.array([[[1e300]]]), np.array([[1e300]])])
def test_too_large_for_the_fitted_dtype(X):
    with raises(ValueError, "contains infinity or a value too large for dtype('float32')."):
        fit(X).read(X, dtype=np.float32)


@pytest.mark.parametrize("bad", [[NAN], NAN, np.stack([NAN]), [np.ones(0)], np.ones(3), "text", [np.ones((2, 2)), 3]])
@pytest.mark.parametrize("good", [np.ones((2, 3)), RAGGED_2])
def test_estimator_is_as_it_was_after_an_error(good, bad):
    estimator = fit(good)
    before = dict(vars(estimator))
    for call in (estimator.fit, estimator.read):
        with pytest.raises((TypeError, ValueError)):
            call(bad)
        assert vars(estimator) == before


def test_estimator_is_as_it_was_after_an_error_in_a_frame():
    pd = pytest.importorskip("pandas")
    estimator = RNNSequenceClassifier()
    with raises(ValueError, "Input X contains NaN."):
        estimator.fit(pd.DataFrame({"a": [1.0, np.nan]}))
    with raises(TypeError, "Feature names are only supported if all input features have string names"):
        estimator.fit(pd.DataFrame([[1.0, 2.0]], columns=["a", 1]))
    assert not vars(estimator)
