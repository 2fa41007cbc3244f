"""What converters read beside plain arrays: masks, padding as the dtype holds it, keys and orders of long tables."""

import datetime
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skrnn.sequences import (
    from_channels_first,
    from_concatenated,
    from_long_dataframe,
    from_padded,
    sliding_windows,
    to_padded,
)

pl = pytest.importorskip("polars")
pytest.importorskip("pyarrow")

CONVERTERS = {
    "from_padded": lambda X: from_padded(X, pad_value=0),
    "from_padded by lengths": lambda X: from_padded(X, lengths=[1, 1]),
    "from_concatenated": lambda X: from_concatenated(X, [1, 1]),
    "from_channels_first": from_channels_first,
    "sliding_windows": lambda X: sliding_windows(X, 1),
    "to_padded": to_padded,
}
every_converter = pytest.mark.parametrize("convert", CONVERTERS.values(), ids=CONVERTERS)


def assert_sequences_equal(actual, expected):
    assert [x.tolist() for x in actual] == [np.asarray(x).tolist() for x in expected]
    assert all(type(x) is np.ndarray for x in actual)


class Broken:
    def __array__(self, dtype=None, copy=None):
        raise OSError("gone " + "x" * 10_000)


@every_converter
@pytest.mark.parametrize(
    "X",
    [
        None,
        "text",
        b"text",
        5,
        {1.0, 2.0},
        {0: [1.0]},
        iter([1.0]),
        object(),
        Broken(),
        [[1, 2], [3, {}]],
        [[[1, 2], [3]]],
    ],
    ids=lambda X: type(X).__name__,
)
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged")
def test_what_is_no_array(convert, X):
    with pytest.raises((TypeError, ValueError), match=r"^X(\[\d\])? (is|has|cannot)|^Expected 2D") as caught:
        convert(X)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "convert", [CONVERTERS[name] for name in CONVERTERS if name not in ("to_padded", "from_channels_first")]
)
@pytest.mark.parametrize("X", [[[1, 2], [3]], [np.ones((2, 2)), np.ones((3, 2))]], ids=["lists", "arrays"])
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged")
def test_ragged_input_where_an_array_is_needed(convert, X):
    with pytest.raises(
        ValueError, match=r"^X cannot be read as an array of numbers: .* every row as long as the first"
    ):
        convert(X)


@every_converter
def test_tensors_that_require_gradients(convert):
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"^X is a tensor that requires gradients. Pass X.detach\(\)."):
        convert(torch.ones((2, 2, 2), requires_grad=True))


@every_converter
def test_structured_arrays(convert):
    with pytest.raises(ValueError, match=r"^X has dtype .*, but numbers are needed. Pass the fields as columns"):
        convert(np.zeros((2, 2), [("a", "f8")]))


def test_converters_of_one_array_keep_text():
    words = np.array([["a", "b"], ["c", ""]])
    for X in (words, words.astype(object), words.tolist()):
        assert_sequences_equal(from_padded(X, pad_value=""), [["a", "b"], ["c"]])
        assert_sequences_equal(from_concatenated(X, [2]), [words])


def test_nullable_frames_are_numbers():
    df = pd.DataFrame({"a": [1, 2], "b": [3, 4]}).astype("Int64")
    assert_sequences_equal(from_concatenated(df, [1, 1]), [[[1, 3]], [[2, 4]]])
    df.loc[1, "b"] = pd.NA
    assert np.isnan(from_concatenated(df, [1, 1])[1][0, 1])
    assert_sequences_equal(from_padded(df, pad_value=np.nan), [[1, 3], [2]])


# Masks

masked_inputs = [
    (
        np.ma.masked_equal([[1.0, 999.0], [2.0, 3.0]], 999),
        ["from_padded", "from_padded by lengths", "from_concatenated"],
    ),
    (np.ma.masked_equal([1.0, 999.0], 999), ["from_concatenated", "sliding_windows"]),
    (np.ma.masked_equal(np.arange(8.0).reshape(2, 2, 2), 3), ["from_padded", "from_channels_first", "to_padded"]),
    ([np.ma.masked_equal([[1.0, 999.0]], 999)] * 2, ["from_padded by lengths", "from_channels_first", "to_padded"]),
    ([[1.0, np.ma.masked], [1.0, 2.0]], ["from_padded", "from_concatenated", "sliding_windows", "to_padded"]),
]


@pytest.mark.parametrize(("X", "name"), [(X, name) for X, names in masked_inputs for name in names])
def test_masked_entries_are_no_data(X, name):
    with pytest.raises(
        TypeError, match=r"has masked entries.*from_padded, which reads masks|^X is masked, and its mask"
    ):
        CONVERTERS[name](X)


@st.composite
def padded(draw):
    """Sequences, and an array of them with a mask over the padding."""
    n, n_steps = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    n_features = draw(st.sampled_from([None, 1, 3]))
    shape = (n, n_steps) + (() if n_features is None else (n_features,))
    lengths = draw(st.lists(st.integers(1, n_steps), min_size=n, max_size=n))
    X = np.arange(np.prod(shape), dtype=draw(st.sampled_from(["f8", "f4", "i2"]))).reshape(shape)
    mask = np.zeros(shape, dtype=bool)
    for i, length in enumerate(lengths):
        mask[i, length:] = True
    return X, mask, lengths


@given(padded())
@settings(deadline=None)
def test_a_mask_over_the_padding(arrays):
    X, mask, lengths = arrays
    expected = from_padded(X, lengths)
    for masked in (np.ma.array(X, mask=mask), list(np.ma.array(X, mask=mask))):
        sequences = from_padded(masked)
        assert_sequences_equal(sequences, expected)
        assert {x.dtype for x in sequences} == {X.dtype}
        assert not any(np.shares_memory(x, X) for x in sequences)


def test_masked_items_of_different_lengths():
    X = [np.ma.array([1.0, 2.0, 9.0], mask=[0, 0, 1]), np.array([4.0]), np.ma.array([5.0, 6.0])]
    assert_sequences_equal(from_padded(X), [[1, 2], [4], [5, 6]])


@pytest.mark.parametrize("mask", [np.ma.nomask, False])
def test_a_mask_that_hides_nothing(mask):
    X = np.ma.array([[1.0, 2.0], [3.0, 0.0]], mask=mask)
    assert_sequences_equal(from_padded(X), [[1, 2], [3, 0]])
    assert_sequences_equal(from_padded(X, pad_value=0), [[1, 2], [3]])
    assert_sequences_equal(from_padded(X, lengths=[1, 1]), [[1], [3]])
    assert_sequences_equal(from_concatenated(X, [2]), [X.data])


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (
            [[0, 1, 0], [0, 0, 1]],
            "X[0] has masked entries at step 1, before its padding. Fill the gaps, then pass lengths.",
        ),
        (
            [[0, 0, 0], [1, 1, 1]],
            "X[1] is nothing but padding (masked): every sequence needs at least one step. Leave it",
        ),
    ],
)
def test_masks_that_are_no_padding(mask, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_padded(np.ma.array(np.ones((2, 3)), mask=mask))


def test_a_step_that_is_masked_in_part():
    mask = np.zeros((1, 2, 2), dtype=bool)
    mask[0, 1, 0] = True
    with pytest.raises(ValueError, match=r"X\[0\] has masked entries at step 1"):
        from_padded(np.ma.array(np.ones((1, 2, 2)), mask=mask))


@pytest.mark.parametrize("options", [{"lengths": [1, 1]}, {"pad_value": 0}])
def test_a_mask_and_something_else(options):
    with pytest.raises(
        TypeError, match=r"^X is masked, and its mask says what is padding. Pass neither lengths nor pad_val"
    ):
        from_padded(np.ma.masked_equal([[1, 0], [1, 1]], 0), **options)


# pad_value


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "f8", "g"])
@pytest.mark.parametrize(
    "value", [-999.9, 0.1, 1e-3, -1, np.inf, np.float32(0.3), np.float64(0.7), np.array(0.9), Decimal("0.1")]
)
def test_padding_is_compared_in_the_dtype_of_X(dtype, value):
    X = np.ones((2, 3), dtype)
    X[0, 1:] = float(value)
    assert_sequences_equal(from_padded(X, pad_value=value), [[1], [1, 1, 1]])
    padded, _ = to_padded([np.ones(1, dtype), np.ones(2, dtype)], pad_value=value)
    assert_sequences_equal(from_padded(padded, pad_value=value), [[[1]], [[1], [1]]])


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (int, np.nan),
        (int, 0.5),
        (int, np.inf),
        ("i8", 2.0**63),
        ("u1", -1),
        ("i1", 300),
        ("i8", 2**70),
        (bool, 2),
        (bool, np.nan),
        ("f2", 1e5),
        ("f4", 1e300),
        (float, 10**400),
        ("i8", 10**5000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_padding_that_the_dtype_cannot_hold(dtype, value):
    with pytest.raises(ValueError, match=f"^pad_value is .*, which {np.dtype(dtype)} cannot hold"):
        from_padded(np.ones((1, 2), dtype), pad_value=value)


@pytest.mark.parametrize(
    ("dtype", "value"), [("i4", -999.0), ("u1", np.int64(255)), ("i2", True), (bool, 0), ("i8", Decimal(7))]
)
def test_padding_that_is_equal_to_another_kind_of_number(dtype, value):
    X = np.array([[9, 1]]).astype(dtype)
    X[0, 1] = int(value)
    X[0, 0] = not value if dtype is bool else 9
    assert len(from_padded(X, pad_value=value)[0]) == 1


@pytest.mark.parametrize(
    ("X", "value", "need"),
    [
        (np.ones((1, 2)), "0", "a number"),
        (np.ones((1, 2)), [0.0], "a number"),
        (np.ones((1, 2)), np.ma.masked, "a number"),
        (np.array([["a", "b"]]), 0, "text, as in X"),
    ],
)
def test_padding_of_another_kind(X, value, need):
    with pytest.raises(TypeError, match=f"^pad_value is .* Pass {need}"):
        from_padded(X, pad_value=value)


@pytest.mark.parametrize("value", [None, "0", 1e300])
def test_to_padded_with_what_is_no_padding(value):
    with pytest.raises((TypeError, ValueError), match=r"^pad_value is "):
        to_padded([np.ones(2, "f4")], pad_value=value)


def test_padding_that_was_rounded_on_one_side():
    X = np.array([[1.0, -999.9], [1.0, 2.0]], dtype=np.float32)
    with pytest.raises(
        ValueError, match=r"X\[0\] ends in -999.9000244140625, which equals pad_value=-999.9 in float32 only"
    ):
        from_padded(X.astype(float), pad_value=-999.9)
    with pytest.raises(ValueError, match=r"X\[0\] ends in 0.1, which equals pad_value=0.1000000014"):
        from_padded([[1.0, 0.1], [1.0, 1.0]], pad_value=np.float32(0.1))
    assert_sequences_equal(from_padded(X.astype(float), pad_value=np.float32(-999.9)), [[1], [1, 2]])
    assert_sequences_equal(from_padded([[1.0, 1.00000001]], pad_value=1), [[1.0, 1.00000001]])


# lengths

INTEGERS = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", "Int64", "UInt8", "int64[pyarrow]"]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_lengths_of_any_integer_dtype(dtype):
    lengths = (
        pd.Series([100, 100, 120]).astype(dtype)
        if dtype[0] in "IU" or "[" in dtype
        else np.array([100, 100, 120], dtype)
    )
    assert [len(x) for x in from_concatenated(np.arange(320), lengths)] == [100, 100, 120]
    assert [len(x) for x in from_padded(np.ones((3, 120)), lengths)] == [100, 100, 120]


@pytest.mark.parametrize(
    "lengths",
    [
        np.array([2**63, 2**63, 3], dtype="u8"),  # wraps to 3
        np.array([2**64 - 1, 4], dtype="u8"),
        np.array([2**62] * 4 + [3]),
        np.array([255, 4], dtype="u1"),
        np.array([2, 2**63 - 1]),
    ],
)
def test_sums_of_lengths_do_not_overflow(lengths):
    total = sum(lengths.tolist())
    with pytest.raises(ValueError, match=f"^lengths sum to {total}, but X has 3 rows"):
        from_concatenated(np.arange(3), lengths)
    with pytest.raises(ValueError, match=r"^lengths\[\d\] is \d+, but X has 1 step"):
        from_padded(np.ones((len(lengths), 1)), lengths)


@pytest.mark.parametrize(
    "lengths",
    [
        [True, True],
        [1.0, 1.0],
        None,
        "12",
        {1},
        {1: 1},
        [[1, 1]],
        [[1], [1, 2]],
        [2**70, 1],
        [1, None],
        np.ma.array([1, 1], mask=[0, 1]),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Creating an ndarray from ragged")
def test_what_are_no_lengths(lengths):
    with pytest.raises((TypeError, ValueError), match=r"^lengths .* Pass one integer for each sequence"):
        from_concatenated(np.ones(2), lengths)


# Parameters that are NumPy scalars


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, lambda n: np.array(n, dtype="u1")])
def test_window_sizes_of_numpy(kind):
    X = np.arange(600)
    assert_array_equal(sliding_windows(X, kind(120), step=kind(100)), sliding_windows(X, 120, step=100))
    with pytest.raises(ValueError, match="size is 120, but X has 5 steps"):
        sliding_windows(np.ones(5), kind(120))


def test_a_large_window_of_a_small_dtype():
    assert sliding_windows(np.ones(500), np.uint8(200), step=np.int8(100)).shape == (4, 200, 1)


@pytest.mark.parametrize("value", [np.bool_(True), np.float64(2), np.array([2]), np.array(2.0), "2", None])
def test_window_sizes_that_are_no_integers(value):
    for options in ({"size": value}, {"size": 1, "step": value}):
        with pytest.raises(TypeError, match=r"^(size|step) is .*\. Pass an integer of at least 1\."):
            sliding_windows(np.ones(3), **options)


# Channels first


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_have_their_channels_last(frame):
    with pytest.raises(TypeError, match=r"^X\[1\] is a DataFrame, which has one row for each step"):
        from_channels_first([np.ones((2, 3)), frame(np.ones((2, 3)))])


def test_no_channels_at_all():
    with pytest.raises(ValueError, match=r"^X is empty: at least one sequence is needed\."):
        from_channels_first([])


def test_arrays_of_other_libraries():
    torch = pytest.importorskip("torch")
    assert from_channels_first(torch.ones((2, 3, 5))).shape == (2, 5, 3)


# Long tables

libraries = pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
MONTHS = ["Jan", "Feb", "Mar", "Apr"]
SHUFFLED = ["Apr", "Feb", "Jan", "Mar"]


def read_long(df, **options):
    return from_long_dataframe(df, **{"sequence": "id", "order": None, "columns": ["x"], **options})


def sorted_values(df, order="t"):
    return read_long(df, order=order, columns="x").X[0].tolist()


def ordered_categories():
    yield "pandas", pd.DataFrame({"t": pd.Categorical(SHUFFLED, categories=MONTHS, ordered=True)})
    yield (
        "pandas, unused",
        pd.DataFrame({"t": pd.Categorical(SHUFFLED, categories=["Dec", *MONTHS, "May"], ordered=True)}),
    )
    yield "pandas, numbers", pd.DataFrame({"t": pd.Categorical([9, 3, 10, 1], categories=[10, 3, 1, 9], ordered=True)})
    yield "polars", pl.DataFrame({"t": pl.Series(SHUFFLED, dtype=pl.Enum(MONTHS))})


@pytest.mark.parametrize("df", [df for _, df in ordered_categories()], ids=[name for name, _ in ordered_categories()])
def test_categories_are_sorted_in_their_order(df):
    x, ids = [4.0, 2.0, 1.0, 3.0], ["a"] * 4
    df = df.assign(x=x, id=ids) if isinstance(df, pd.DataFrame) else df.with_columns(x=pl.Series(x), id=pl.Series(ids))
    assert sorted_values(df) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "df",
    [
        pd.DataFrame({"t": pd.Categorical(MONTHS), "x": 1.0, "id": 1}),
        pl.DataFrame({"t": pl.Series(MONTHS, dtype=pl.Categorical), "x": 1.0, "id": 1}),
    ],
    ids=["pandas", "polars"],
)
def test_categories_without_an_order(df):
    with pytest.raises(ValueError, match=r"df\['t'\] has categories without an order. Order them"):
        sorted_values(df)
    data = read_long(df, sequence="t")
    assert data.ids.tolist() == MONTHS
    assert len(data.X) == 4


@libraries
@pytest.mark.parametrize(
    "texts",
    [
        ["9", "10", "1"],
        ["9.5", "10", "-1"],
        ["t9", "t10", "t1"],
        ["2020-9-1", "2020-10-1", "2020-1-1"],
        ["1/2", "10/2", "9/2"],
    ],
)
def test_numbers_in_text_that_sort_otherwise(library, texts):
    df = library.DataFrame({"t": texts, "x": [1.0, 2.0, 3.0], "id": [1, 1, 1]})
    with pytest.warns(
        UserWarning, match=r"^df\['t'\] is text, which sorts '.*10.*' before '.*9.*'. Convert it to numbers"
    ) as caught:
        sorted_values(df)
    assert caught[0].filename == __file__


@libraries
@pytest.mark.parametrize(
    "texts", [["9", "8", "7"], ["09", "10", "08"], ["2020-09-01", "2020-10-01", "2020-01-01"], ["0.5", "0.75", "0.25"]]
)
def test_text_that_sorts_as_its_numbers(library, texts):
    df = library.DataFrame({"t": texts, "x": [2.0, 3.0, 1.0] if texts[0] != "9" else [3.0, 2.0, 1.0], "id": [1, 1, 1]})
    assert sorted_values(df) == [1, 2, 3]


ORDERS = {
    "int": [3, 1, 2],
    "negative": [3.5, -1.0, -0.5],
    "large": [2**60 + 2, 2**60, 2**60 + 1],
    "datetime": [datetime.datetime(2020, 3, 1), datetime.datetime(2020, 1, 1), datetime.datetime(2020, 2, 1)],
    "date": [datetime.date(2020, 3, 1), datetime.date(2020, 1, 1), datetime.date(2020, 2, 1)],
    "timedelta": [datetime.timedelta(3), datetime.timedelta(1), datetime.timedelta(2)],
    "decimal": [
        Decimal("3.00000000000000000003"),
        Decimal("3.00000000000000000001"),
        Decimal("3.00000000000000000002"),
    ],
    "text": ["c", "a", "b"],
    "zone": [datetime.datetime(2020, 1, 1, h, tzinfo=datetime.timezone.utc) for h in (3, 1, 2)],
}


@libraries
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_orders_of_any_kind(library, order):
    df = library.DataFrame({"t": order, "x": [3.0, 1.0, 2.0], "id": [1, 1, 1]})
    assert sorted_values(df) == [1, 2, 3]


@pytest.mark.parametrize(
    "dtype", ["Int64", "UInt8", "Float64", "int64[pyarrow]", "timestamp[ns][pyarrow]", "string", "string[pyarrow]"]
)
def test_orders_of_extension_dtypes(dtype):
    df = pd.DataFrame({"t": pd.Series([3, 1, 2]).astype(dtype), "x": [3.0, 1.0, 2.0], "id": 1})
    assert sorted_values(df) == [1, 2, 3]


def test_daylight_saving_time():
    t = pd.date_range("2020-10-25", periods=5, freq="h", tz="Europe/Berlin")
    assert sorted_values(pd.DataFrame({"t": t, "x": np.arange(5.0), "id": 1})[::-1]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("values", [[1, "2"], [1, datetime.date(2020, 1, 1)], [{}, {}]], ids=repr)
def test_orders_that_cannot_be_sorted(values):
    df = pd.DataFrame({"t": pd.Series(values, dtype=object), "x": 1.0, "id": 1})
    with pytest.raises(TypeError, match=r"^df\['t'\] has values that cannot be sorted, of the types .*\. Convert them"):
        sorted_values(df)


@pytest.mark.parametrize("values", [[1, True], [1, 1.0], [True, 1.0], [0, False], [1, 2, Decimal(1)]], ids=repr)
def test_equal_keys_of_two_types(values):
    df = pd.DataFrame({"id": pd.Series(values, dtype=object), "x": 1.0})
    with pytest.raises(TypeError, match=r"^df\['id'\] has equal values of two types, .* in row 0 and .* in row \d"):
        read_long(df)


@pytest.mark.parametrize("values", [[[1], [2]], [{}, {}]], ids=repr)
def test_keys_that_cannot_be_told_apart(values):
    df = pd.DataFrame({"id": pd.Series(values, dtype=object), "x": 1.0})
    with pytest.raises(TypeError, match=r"^df\['id'\] has values that cannot be told apart: unhashable type"):
        read_long(df)


@pytest.mark.parametrize("values", [[1, "1", (1,)], [0.0, -0.0, 1.0], [2**60, 2**60 + 1, 2**60]], ids=repr)
def test_which_keys_are_one_sequence(values):
    df = pd.DataFrame({"id": pd.Series(values, dtype=object), "x": 1.0})
    assert read_long(df).ids.tolist() == list(dict.fromkeys(values))


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "UInt64", "string", "category"])
def test_large_keys_of_extension_dtypes(dtype):
    keys = [2**60 + 1, 2**60, 2**60 + 1]
    keys = [str(key) for key in keys] if dtype in ("string", "category") else keys
    ids = read_long(pd.DataFrame({"id": pd.Series(keys).astype(dtype), "x": 1.0})).ids
    assert ids.tolist() == keys[:2]


GAPS = {
    "pandas NaN": pd.DataFrame({"k": [1.0, np.nan, np.nan]}),
    "pandas NaT": pd.DataFrame({"k": pd.to_datetime(["2020", None, None])}),
    "pandas NA": pd.DataFrame({"k": pd.array([1, None, None], dtype="Int64")}),
    "pandas objects": pd.DataFrame({"k": pd.Series(["a", None, float("nan")], dtype=object)}),
    "pandas categories": pd.DataFrame({"k": pd.Categorical(["a", None, None], ordered=True)}),
    "polars NaN": pl.DataFrame({"k": [1.0, float("nan"), float("nan")]}),
    "polars null": pl.DataFrame({"k": [1, None, None]}),
    "polars enum": pl.DataFrame({"k": pl.Series(["a", None, None], dtype=pl.Enum(["a"]))}),
}


@pytest.mark.parametrize("df", GAPS.values(), ids=GAPS)
def test_gaps_in_keys(df):
    x = [1.0, 2.0, 3.0]
    df = df.assign(x=x, y=x) if isinstance(df, pd.DataFrame) else df.with_columns(x=pl.Series(x), y=pl.Series(x))
    for options in ({"sequence": "k"}, {"sequence": "x", "order": "k"}):
        with pytest.raises(ValueError, match=r"^df\['k'\] has missing values in the rows \[1, 2\]. Fill them"):
            read_long(df, **{"columns": "y", **options})


def test_columns_named_twice():
    df = pd.DataFrame(np.ones((2, 3)), columns=["id", "x", "x"])
    for options in ({}, {"columns": ["x"]}, {"order": "x"}):
        with pytest.raises(ValueError, match=r"^df has 2 columns named 'x'. Rename them, or drop all but one."):
            read_long(df, **options)
    twice = pd.DataFrame(np.ones((2, 3)), columns=["id", "id", "x"])
    with pytest.raises(ValueError, match=r"^df has 2 columns named 'id'"):
        read_long(twice)


@pytest.mark.parametrize("name", [np.array(["id"]), ["id"], pd.Series(["id"]), {"id"}], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("place", ["sequence", "order", "columns", "target", "static"])
def test_what_is_no_name_of_a_column(place, name):
    """An array would be compared with each of the names."""
    df = pd.DataFrame({"id": [1], "x": [1.0]})
    with pytest.raises(TypeError, match=rf"^{place} is .*\. Pass the name of a column\."):
        read_long(df, **{place: name if place in ("sequence", "order") else [name]})


@libraries
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ["x", "x"]}, "columns names 'x' twice. Name each column once."),
        (
            {"columns": ["x", "id"]},
            "sequence is 'id', and so is columns, but it is the same in all steps. Leave it out.",
        ),
        ({"order": "id"}, "sequence is 'id', and so is order, but it is the same in all steps. Leave it out."),
    ],
)
def test_columns_asked_for_twice(library, options, message):
    df = library.DataFrame({"id": [1, 1], "t": [2.0, 1.0], "x": [3.0, 4.0]})
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        read_long(df, **options)
    X = read_long(df, order="t", columns=["t", "x"]).X  # the time as a feature, too
    assert_sequences_equal(X, [[[1, 4], [2, 3]]])


@pytest.mark.parametrize("columns", [{"x", "y"}, {"x": 1, "y": 2}, 5])
def test_columns_without_an_order(columns):
    df = pd.DataFrame({"id": [1], "x": [1.0], "y": [2.0]})
    with pytest.raises(
        TypeError, match=r"^columns is an? (set|dict|int).*\. Pass the name of a column, or a list of names\."
    ):
        read_long(df, columns=columns)


@pytest.mark.parametrize("options", [{"sequence": "k"}, {"order": "k"}, {"target": "k"}, {"columns": "k"}], ids=str)
@pytest.mark.parametrize("values", [[{"a": 1}, {"a": 2}], [[1.0, 2.0], [3.0, 2.0]]], ids=["struct", "list"])
def test_several_values_in_a_row(options, values):
    df = pl.DataFrame({"k": values, "id": [1, 1], "x": [1.0, 2.0]})
    with pytest.raises((TypeError, ValueError), match=r"^df\['k'\] (has|cannot be read)"):
        read_long(df, **options)


@libraries
def test_static_lists(library):
    df = library.DataFrame({"k": [[1, 2], [1, 2], [3]], "id": [1, 1, 2], "x": 1.0})
    assert [list(value) for value in read_long(df, static="k").static["k"].to_list()] == [[1, 2], [3]]
    with pytest.raises(ValueError, match=r"^df\['k'\] is not constant in the sequence 1"):
        read_long(library.DataFrame({"k": [[1], [2]], "id": [1, 1], "x": 1.0}), static="k")


@pytest.mark.parametrize(
    "texts", [["a\0", "a"], ["\0", ""], ["a", "b" * 10_000, *"c" * 100]], ids=["NUL", "only NUL", "long among short"]
)
def test_texts_keep_every_character(texts):
    (got,) = from_concatenated(texts, [len(texts)])
    assert got.tolist() == texts
    assert [list(x) for x in from_padded([texts, texts], [len(texts), 1])] == [texts, texts[:1]]
    assert sliding_windows(texts, 1)[:, 0, 0].tolist() == texts


def test_numbers_do_not_become_text():
    with pytest.raises(ValueError, match=r"^X mixes text with a int \(1\)\. Convert the entries to one type\."):
        from_concatenated(["a", 1], [2])


def test_a_masked_number_is_no_sequence():
    with pytest.raises(TypeError, match=r"^from_padded needs lengths or pad_value"):
        from_padded(np.ma.array(1))


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[s]"])
def test_dates_are_not_compared_with_padding(dtype):
    with pytest.raises(TypeError, match=r"^X has dtype .*, with which no pad_value is compared\. Pass lengths\."):
        from_padded(np.zeros((1, 2), dtype=dtype), pad_value=np.datetime64("NaT"))


@pytest.mark.parametrize("value", [10**5000, -(10**5000)], ids=["large", "small"])
def test_sizes_of_many_digits(value):
    with pytest.raises(ValueError, match=r"^size is an integer of 16610 bits"):
        sliding_windows([1.0, 2.0], value)


def test_many_columns_are_not_all_listed():
    df = pd.DataFrame(np.ones((2, 5000)), columns=[f"x{i}" for i in range(5000)])
    with pytest.raises(ValueError, match="df has no column") as caught:
        read_long(df, sequence="x" * 10_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "dtype", ["Int64", "UInt8", "Float64", "Float32", "boolean", "int64[pyarrow]", "double[pyarrow]", "bool[pyarrow]"]
)
def test_features_of_extension_dtypes(dtype):
    df = pd.DataFrame(
        {"id": [1, 1, 2], "x": pd.Series([1, 0, 1]).astype(bool if "bool" in dtype else int).astype(dtype)}
    )
    expected = np.float32 if dtype == "Float32" else np.float64
    X = read_long(df).X
    assert_sequences_equal(X, [[[1], [0]], [[1]]])
    assert X[0].dtype == expected
    df.loc[2, "x"] = pd.NA
    X = read_long(df).X
    assert_array_equal(np.concatenate(X), [[1], [0], [np.nan]])
    assert X[0].dtype == expected


def test_gaps_in_features_of_polars():
    df = pl.DataFrame({"id": [1, 1], "x": [1, None]})
    assert_array_equal(read_long(df).X[0], [[1], [np.nan]])


def test_categories_that_are_numbers_stay_categories():
    df = pd.DataFrame({"id": [1, 1, 2], "x": [1.0, 2.0, 3.0], "code": pd.Categorical([7, 8, 7])})
    for columns in (["code", "x"], ["code"], "code"):
        X = read_long(df, columns=columns).X
        assert all(frame["code"].dtype == "category" for frame in X)
        assert [frame["code"].tolist() for frame in X] == [[7, 8], [7]]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["u", "v"]), pl.String])
def test_texts_of_polars_are_tokens(dtype):
    df = pl.DataFrame({"id": [1, 1, 2], "x": pl.Series(["u", "v", "u"], dtype=dtype)})
    assert read_long(df).X == [["u", "v"], ["u"]]


@pytest.mark.parametrize("dtype", [object, "str", "string", "category", "string[pyarrow]"])
def test_texts_of_pandas_are_tokens(dtype):
    df = pd.DataFrame({"id": [1, 1, 2], "x": pd.Series(["u", "v", "u"]).astype(dtype)})
    assert read_long(df).X == [["u", "v"], ["u"]]


@pytest.mark.parametrize("columns", ["x", ["x", "id2"]])
def test_text_beside_numbers_in_one_column(columns):
    df = pd.DataFrame({"id": [1, 1], "id2": [1, 2], "x": pd.Series(["a", 2], dtype=object)})
    with pytest.raises(TypeError, match=r"^df\['x'\] mixes text, as in row 0, with a int \(2\) in row 1\."):
        read_long(df, columns=columns)


@pytest.mark.parametrize("dtype", [object, "str", "category", "Int64", "boolean"])
def test_targets_of_extension_dtypes(dtype):
    values = {"Int64": [3, 2**60 + 1], "boolean": [True, False]}.get(dtype, ["u", "v"])
    df = pd.DataFrame({"id": [1, 1, 2], "x": 1.0, "y": pd.Series([values[0], *values]).astype(dtype)})
    y = read_long(df, target="y").y
    assert y.tolist() == values
    assert y.dtype.kind in "Uib"


@pytest.mark.parametrize("values", [pd.to_datetime(["2020", "2021"]), [1j, 2], [1, "u"], [[1], [2]]], ids=repr)
def test_targets_that_are_neither_numbers_nor_text(values):
    df = pd.DataFrame({"id": [1, 2], "x": 1.0, "y": pd.Series(values)})
    with pytest.raises((TypeError, ValueError), match=r"df\['y'\] "):
        read_long(df, target="y")


@libraries
def test_nan_in_features_is_kept(library):
    X = read_long(library.DataFrame({"id": [1, 1], "x": [1.0, float("nan")]})).X
    assert_array_equal(X[0], [[1], [np.nan]])


@libraries
@pytest.mark.parametrize(
    ("dtypes", "expected"), [(("f4", "f4"), "f4"), (("f4", "i1"), "f8"), (("f4", bool), "f8"), (("f4", "f8"), "f8")]
)
def test_float32_only_if_all_features_are(library, dtypes, expected):
    df = library.DataFrame({"id": [1, 1], "x": np.ones(2, dtypes[0]), "y": np.ones(2, dtypes[1])})
    assert read_long(df, columns=[name for name in df.columns if name != "id"]).X[0].dtype == expected


def test_large_integers_become_float64():
    df = pd.DataFrame({"id": [1], "x": pd.array([2**60 + 1], dtype="Int64")})
    assert read_long(df, columns=[name for name in df.columns if name != "id"]).X[0].tolist() == [[2.0**60]]


@pytest.mark.parametrize("values", [[1, "2"], pd.to_datetime(["2020", "2021"]), [1j, 2]], ids=repr)
def test_features_that_are_no_numbers(values):
    df = pd.DataFrame({"id": [1, 1], "x": values})
    with pytest.raises((TypeError, ValueError), match=r"df\['x'\] (has dtype|cannot be read)"):
        read_long(df)


@pytest.mark.parametrize(
    "df", [{"id": [1], "x": [1.0]}, np.ones((2, 2)), None, pl.LazyFrame({"id": [1]})], ids=lambda df: type(df).__name__
)
def test_what_is_no_table(df):
    with pytest.raises(TypeError, match=r"^df is .*\. Pass a pandas or polars DataFrame\."):
        read_long(df)
