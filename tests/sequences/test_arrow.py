"""Sequences in list columns of Arrow, in whatever way they are laid out there."""

import sys
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from skrnn.sequences import from_arrow

pa = pytest.importorskip("pyarrow")


@pytest.fixture
def X(rng):
    return [rng.standard_normal((n, 3)) for n in (4, 1, 6, 2, 3)]


def lists(X):
    return [x.tolist() for x in X]


def assert_same(sequences, expected):
    assert type(sequences) is list
    assert len(sequences) == len(expected)
    for sequence, x in zip(sequences, expected):
        assert_array_equal(sequence, x, strict=True)


def structs(X):
    return pa.array([[dict(zip("abc", step)) for step in x] for x in lists(X)])


LAYOUTS = {
    "list of lists": lambda X: pa.array(lists(X)),
    "large": lambda X: pa.array(lists(X), pa.large_list(pa.large_list(pa.float64()))),
    "fixed size": lambda X: pa.array(lists(X), pa.list_(pa.list_(pa.float64(), 3))),
    "structs": structs,
    "chunks": lambda X: pa.chunked_array([lists(X[:2]), [], lists(X[2:])], pa.list_(pa.list_(pa.float64()))),
    "slice": lambda X: pa.array(lists([X[3], *X, X[0]]))[1:-1],
    "slice of fixed size": lambda X: pa.array(lists([X[3], *X, X[0]]), pa.list_(pa.list_(pa.float64(), 3)))[1:-1],
    "slice of structs": lambda X: structs([X[3], *X, X[0]])[1:-1],
    "table": lambda X: pa.table({name: [x[:, j].tolist() for x in X] for j, name in enumerate("abc")}),
    "table of unlike chunks": lambda X: pa.table(
        {
            "a": pa.chunked_array([[x[:, 0].tolist() for x in part] for part in (X[:1], X[1:])]),
            "b": pa.chunked_array([lists([x[:, 1:] for x in part]) for part in (X[:3], X[3:])]),
        }
    ),
    "record batch": lambda X: pa.RecordBatch.from_pydict({"x": lists(X)}),
    "polars Series": lambda X: pl.Series(lists(X)),
    "polars arrays": lambda X: pl.Series(lists(X), dtype=pl.List(pl.Array(pl.Float64, 3))),
    "polars DataFrame": lambda X: pl.DataFrame({name: [x[:, j].tolist() for x in X] for j, name in enumerate("abc")}),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_is_read(layout, X):
    assert_same(from_arrow(layout(X)), X)


def test_a_sequence_is_a_copy(X):
    column = pa.array(lists(X))
    for x in from_arrow(column):
        x[:] = 0

    assert column.to_pylist() == lists(X)


def test_outer_lists_of_fixed_size():
    assert_same(from_arrow(pa.array([[0, 1], [2, 3]], pa.list_(pa.int8(), 2))), np.array([[0, 1], [2, 3]], np.int8))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_a_column_of_numbers_keeps_its_dtype(dtype):
    column = pa.ListArray.from_arrays([0, 2, 3], pa.array(np.array([1, 0, 1], dtype)))

    assert_same(from_arrow(column), [np.array([1, 0], dtype), np.array([1], dtype)])


@pytest.mark.parametrize(
    ("types", "dtype"),
    [
        ([pa.float32(), pa.float32()], np.float32),
        ([pa.float32(), pa.int8()], np.float64),
        ([pa.int64(), pa.int64()], np.int64),
        ([pa.int64(), pa.uint64()], np.float64),
        ([pa.bool_(), pa.float32()], np.float64),
    ],
)
def test_features_of_several_types(types, dtype):
    rows = [[1, 0], [1]]
    values = [pa.array([1, 0, 1]).cast(kind) for kind in types]
    table = pa.table({str(j): pa.ListArray.from_arrays([0, 2, 3], column) for j, column in enumerate(values)})
    column = pa.ListArray.from_arrays([0, 2, 3], pa.StructArray.from_arrays(values, names=["0", "1"]))
    expected = [np.array([row, row], dtype).T for row in rows]

    assert_same(from_arrow(table), expected)
    assert_same(from_arrow(column), expected)


def test_nan_is_kept():
    assert_same(from_arrow(pa.array([[1.0, np.nan], [np.inf]])), [np.array([1.0, np.nan]), np.array([np.inf])])


two = pa.list_(pa.list_(pa.float64()))
MISTAKES = {
    "a list": ([[1.0]], TypeError, "X is a list. Pass a column or a table of pyarrow or polars."),
    "no rows": (pa.array([], two), ValueError, "X has 0 rows and 1 columns"),
    "no columns": (pa.table({}), ValueError, "X has 0 rows and 0 columns"),
    "numbers": (pa.array([1.0]), TypeError, "X has type double, but each row needs a list of steps"),
    "a column that is no list": (
        pa.table({"x": [[1.0]], "id": [1]}),
        TypeError,
        r"X\['id'\] has type int64, but each row needs a list of steps. Select the columns of features",
    ),
    "tokens": (pa.array([["a"]]), TypeError, r"X holds values of type string, .*column.to_pylist\(\)"),
    "tokens of polars": (pl.Series([["a"]]), TypeError, r"X holds values of type .*column.to_pylist\(\)"),
    "decimals": (pa.array([[Decimal("1.5")]]), TypeError, r"type decimal128\(2, 1\).*Cast them first"),
    "too deep": (pa.array([[[[1.0]]]]), TypeError, "X holds values of type list<item: double>"),
    "structs of text": (pa.array([[{"a": "b"}]]), TypeError, "X holds values of type string"),
    "structs of nothing": (pa.array([[{}]]), TypeError, "X holds values of type struct<>"),
    "a null sequence": (pa.chunked_array([[[1.0]], [[2.0], None]]), ValueError, r"X\[2\] is null"),
    "an empty sequence": (pa.chunked_array([[[1.0]], [[2.0], []]]), ValueError, r"X\[2\] is empty"),
    "a null step": (pa.array([[[1.0]], [[1.0], None]], two), ValueError, r"X\[1\] has a null at step 1"),
    "a null number": (
        pa.chunked_array([[[[1.0, 2.0]]], [[[1.0, 2.0]], [[1.0, 2.0], [3.0, None]]]]),
        ValueError,
        r"X\[2\] has a null at step 1. Impute it",
    ),
    "a null without features": (pa.array([[1.0, 2.0], [3.0, 4.0, None]]), ValueError, r"X\[1\] has a null at step 2"),
    "a null in a struct": (pa.array([[{"a": 1.0, "b": 2.0}, {"a": 1.0}]]), ValueError, r"X\[0\] has a null at step 1"),
    "a null struct": (pa.array([[{"a": 1.0}, None]]), ValueError, r"X\[0\] has a null at step 1"),
    "widths that add up": (
        pa.array([[[1.0], [1.0, 2.0, 3.0]]]),
        ValueError,
        r"X\[0\] has 3 features at step 1, but the steps before have 1. All need as many.",
    ),
    "another width in the next chunk": (
        pa.chunked_array([[[[1.0, 2.0]]], [[[1.0]]]]),
        ValueError,
        r"X\[1\] has 1 feature at step 0, but the steps before have 2",
    ),
    "no features": (pa.array([[[], []]], two), ValueError, r"X\[0\] has 0 features at step 0, but needs at least one"),
    "columns of unlike lengths": (
        pa.table({"a": [[1.0], [1.0, 2.0]], "b": [[1.0], [1.0]]}),
        ValueError,
        r"X\['b'\]\[1\] has 1 step, but X\['a'\]\[1\] has 2",
    ),
    "lengths that add up": (
        pa.table({"a": [[1.0], [1.0, 2.0]], "b": [[1.0, 2.0], [1.0]]}),
        ValueError,
        r"X\['b'\]\[0\] has 2 steps, but X\['a'\]\[0\] has 1",
    ),
}


@pytest.mark.parametrize(("data", "error", "message"), MISTAKES.values(), ids=MISTAKES)
def test_what_is_no_sequence_is_refused(data, error, message):
    with pytest.raises(error, match=message):
        from_arrow(data)


def test_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ImportError, match=r"from_arrow needs pyarrow. Install it with pip install 'skrnn\[arrow\]'"):
        from_arrow([[1.0]])
