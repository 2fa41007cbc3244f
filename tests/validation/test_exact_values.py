"""Tokens and labels are the values that were passed, whatever types and containers they come in.

Every estimator reads its labels or tokens through `skrnn._validation.values`; a case here is one kind of value.
"""

import enum
from collections import UserString, deque

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skrnn import END, UNKNOWN, RNNNextTokenModel, RNNSequenceClassifier
from skrnn._validation.values import as_list, exact_array, plain_values, shown, shown_all
from skrnn._vocabulary import make_vocabulary

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:No token of"),
]


class Event(str, enum.Enum):
    IN = "login"
    OUT = "logout"


class Code(enum.IntEnum):
    LOW = 2
    HIGH = 3


class Float(float):
    def __float__(self):
        return 9.0


class Text(str):
    """Says otherwise of its length and characters."""

    def __len__(self):
        return 1

    def __iter__(self):
        return iter("zz")

    def __getitem__(self, index):
        return "z"


class AsArray:
    """Anything that only NumPy can read."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values


PAIRS = {  # two values that must stay apart, and what they are as plain values
    "text": (["a", "b"], ["a", "b"]),
    "enum of texts": ([Event.IN, Event.OUT], ["login", "logout"]),
    "enum of integers": ([Code.LOW, Code.HIGH], [2, 3]),
    "NumPy's text": ([np.str_("a"), np.str_("b")], ["a", "b"]),
    "NULs at the end": (["a", "a\0"], ["a", "a\0"]),
    "only NULs": (["\0", "\0\0"], ["\0", "\0\0"]),
    "long among short": (["a", "b" * 100_000], ["a", "b" * 100_000]),
    "surrogates": (["\ud800", "\ud801"], ["\ud800", "\ud801"]),
    "integers that float64 merges": ([2**60, 2**60 + 1], [2**60, 2**60 + 1]),
    "unsigned integers": ([2**63 + 1, 2**63 + 2], [2**63 + 1, 2**63 + 2]),
    "unsigned beside small": ([2**63 + 1, 5], [2**63 + 1, 5]),
    "NumPy's integers": ([np.uint64(2**63 + 1), np.int8(5)], [2**63 + 1, 5]),
    "booleans": ([True, False], [True, False]),
    "NumPy's booleans": ([np.True_, np.False_], [True, False]),
    "floats": ([0.0, 1.0], [0.0, 1.0]),
    "derived texts": ([Text("ab"), Text("cd")], ["ab", "cd"]),
    "derived floats": ([Float(0.0), np.float32(1.0)], [0.0, 1.0]),
}
UNHASHABLE = {"arrays without dimensions": ([np.array("a"), np.array("b")], ["a", "b"])}
ONLY_TOKENS = {
    **UNHASHABLE,
    "negative beside unsigned": ([-1, 2**63 + 1], [-1, 2**63 + 1]),
    "beyond 64 bits": ([2**64, 2**64 + 1], [2**64, 2**64 + 1]),
    "far beyond": ([10**400, 10**400 + 1], [10**400, 10**400 + 1]),
    "integers beside floats": ([2**53 + 1, 0.5], [2**53 + 1, 0.5]),
    "close floats": ([0.1, 0.1 + 2**-54], [0.1, 0.1 + 2**-54]),
}


def as_object_array(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def classifier(**params):
    return RNNSequenceClassifier(
        **{"hidden_size": 3, "max_iter": 60, "learning_rate_init": 0.05, "random_state": 0, **params}
    )


def model(**params):
    return RNNNextTokenModel(**{"hidden_size": 3, "max_iter": 2, "random_state": 0, **params})


def sequences(n=8):
    """Two kinds that are easily told apart."""
    return [np.full((2 + i % 3, 1), (-1.0) ** i) for i in range(n)]


# Labels


LABEL_CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "object array": as_object_array,
    "Series of objects": lambda values: pd.Series(values, dtype=object, index=range(5, 5 + len(values))),
    "frame of one column": lambda values: pd.DataFrame({"y": pd.Series(values, dtype=object)}),
}


@pytest.mark.parametrize(("pair", "plain"), (PAIRS | UNHASHABLE).values(), ids=PAIRS | UNHASHABLE)
@pytest.mark.parametrize("container", LABEL_CONTAINERS.values(), ids=LABEL_CONTAINERS)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_labels_are_the_values_themselves(pair, plain, container):
    X, y = sequences(), container(list(pair) * 4)

    fitted = classifier().fit(X, y)

    assert fitted.classes_.tolist() == sorted(plain)
    assert list(map(type, fitted.classes_.tolist())) == list(map(type, sorted(plain)))
    assert fitted.predict(X).tolist() == plain * 4
    assert fitted.score(X, y) == 1


@pytest.mark.parametrize(("pair", "plain"), PAIRS.values(), ids=PAIRS)
def test_every_way_in_reads_labels_alike(pair, plain):
    """What was fitted on plain values knows the others, and the other way round."""
    X, y, y_plain = sequences(), pair * 4, plain * 4
    weights = {pair[0]: 2.0, pair[1]: 0.5}

    early = classifier(early_stopping=True, max_iter=3, class_weight=weights)
    wanted = early.fit(X, y_plain, X_val=X, y_val=y_plain)._fitted.params.copy()
    assert_array_equal(early.fit(X, y_plain, X_val=X, y_val=y)._fitted.params, wanted)
    assert_array_equal(early.fit(X, y, X_val=X, y_val=y_plain)._fitted.params, wanted)

    partial = classifier().partial_fit(X, y, classes=pair[::-1])
    assert partial.classes_.tolist() == sorted(plain)
    partial.partial_fit(X, y_plain).partial_fit(X[:2], as_object_array(y[:2]), classes=set(plain))


EXTENSION_TYPES = {
    "Int64": pd.Series([2**60, 2**60 + 1], dtype="Int64"),
    "small Int64": pd.Series([0, 1], dtype="Int64"),
    "UInt64": pd.Series([2**63 + 1, 5], dtype="UInt64"),
    "boolean": pd.Series([True, False], dtype="boolean"),
    "string": pd.Series(["a", "b"], dtype="string"),
    "Arrow string": pd.Series(["a", "b"], dtype="string[pyarrow]"),
    "Arrow int64": pd.Series([2**60, 2**60 + 1], dtype="int64[pyarrow]"),
    "Arrow bool": pd.Series([True, False], dtype="bool[pyarrow]"),
    "categories of texts": pd.Series(["b", "a"], dtype="category"),
    "categories of integers": pd.Series([2**60, 2**60 + 1], dtype="category"),
    "polars Int64": pl.Series([2**60, 2**60 + 1]),
    "polars String": pl.Series(["a", "b"]),
    "polars Boolean": pl.Series([True, False]),
    "polars Categorical": pl.Series(["b", "a"], dtype=pl.Categorical),
    "polars Enum": pl.Series(["b", "a"], dtype=pl.Enum(["b", "a"])),
    "polars UInt64": pl.Series([2**63 + 1, 5], dtype=pl.UInt64),
}


def repeated(series, n):
    return pl.concat([series] * n) if isinstance(series, pl.Series) else pd.concat([series] * n)


@pytest.mark.parametrize("series", EXTENSION_TYPES.values(), ids=EXTENSION_TYPES)
def test_labels_of_frames_keep_their_kind(series):
    X, y, plain = sequences(), repeated(series, 4), series.to_list()

    fitted = classifier().fit(X, y)

    assert fitted.classes_.tolist() == sorted(plain)
    assert list(map(type, fitted.classes_.tolist())) == list(map(type, sorted(plain)))
    assert fitted.score(X, y) == 1
    assert fitted.score(X, repeated(series, 8)[::2] if isinstance(series, pl.Series) else y.to_list()) in (0.5, 1)


@pytest.mark.parametrize(
    "series",
    [series for series in EXTENSION_TYPES.values() if isinstance(series, pd.Series)],
    ids=lambda s: str(s.dtype),
)
def test_labels_of_extension_arrays_keep_their_kind(series):
    """They make a list by another method than a Series."""
    y, plain = repeated(series, 4).array, series.to_list()
    fitted = classifier().partial_fit(sequences(), y, classes=series.array)
    assert fitted.classes_.tolist() == sorted(plain)
    assert list(map(type, fitted.classes_.tolist())) == list(map(type, sorted(plain)))
    assert fitted.score(sequences(), y) == fitted.score(sequences(), list(y))


NO_LABELS = [
    *(lambda: iter("abababab"), lambda: dict(enumerate("abababab")).values(), lambda: set(range(8))),
    *(lambda: bytes(8), lambda: bytearray(8), lambda: 5, lambda: np.array(5), object, lambda: "abababab"),
]


@pytest.mark.parametrize("make", NO_LABELS, ids=lambda make: type(make()).__name__)
def test_what_is_no_list_of_labels(make):
    message = r" is .*\. Pass a list of one label per sequence\."
    with pytest.raises(TypeError, match="^y" + message):
        classifier().fit(sequences(), make())
    with pytest.raises(TypeError, match="^y_val" + message):
        classifier(early_stopping=True).fit(sequences(), ["a", "b"] * 4, X_val=sequences(), y_val=make())


@pytest.mark.parametrize("label", [UserString("a"), pa.scalar("a"), 1j, b"a", None], ids=lambda x: type(x).__name__)
def test_no_label_is_read_as_its_parts(label):
    with pytest.raises(TypeError, match=r"^y\[0\]: argument must be a string or a number, got "):
        classifier().fit(sequences(), [label] * 8)


def test_labels_of_two_dimensions_are_called_by_their_argument():
    with pytest.raises(ValueError, match=r"^classes should be a 1d array, got an array of shape"):
        classifier().partial_fit(sequences(), ["a", "b"] * 4, classes=[["a", "b"]])


@pytest.mark.filterwarnings("error")
def test_large_floats_are_no_classes():
    with pytest.raises(ValueError, match=r"^Unknown label type: continuous\. y must hold .* can be converted"):
        classifier().fit(sequences(), np.array([1e300, 2e300] * 4))


@pytest.mark.parametrize("series", EXTENSION_TYPES.values(), ids=EXTENSION_TYPES)
def test_tokens_of_frames_keep_their_kind(series):
    """As an item, as columns of a table, and one beside a column of another dtype."""
    plain = series.to_list()
    frame = pl.DataFrame if isinstance(series, pl.Series) else pd.DataFrame
    for X in [[series] * 3, [series.to_list()] * 3, frame({"a": series, "b": repeated(series, 1)})]:
        fitted = model().fit(X)
        assert fitted.classes_.tolist() == sorted(plain)
        assert list(map(type, fitted.classes_.tolist())) == list(map(type, sorted(plain)))
        assert_allclose(fitted.score_samples(X), fitted.score_samples([list(row) for row in rows(X)]))


def rows(X):
    if isinstance(X, list):
        return X
    return X.rows() if isinstance(X, pl.DataFrame) else X.itertuples(index=False, name=None)


def test_columns_of_a_table_do_not_change_each_other():
    frame = pd.DataFrame({"id": [2**53 + 1, 2**53 + 2], "other": [0.5, 1.5]})
    assert model().fit(frame).classes_.tolist() == [0.5, 1.5, 2**53 + 1, 2**53 + 2]


@pytest.mark.parametrize("container", [list, as_object_array, pd.Series], ids=["list", "array", "Series"])
@pytest.mark.parametrize("missing", [None, pd.NA, pd.NaT], ids=repr)
@pytest.mark.parametrize("label", ["a", 1, True], ids=repr)
def test_missing_labels_are_named(missing, label, container):
    y = as_object_array([label] * 8)
    y[5] = missing
    y = container(y) if container is not pd.Series else pd.Series(y, dtype=object)
    with pytest.raises(TypeError, match=r"^y\[5\]: argument must be .*Fill missing values, or leave them out\.$"):
        classifier().fit(sequences(), y)


@pytest.mark.parametrize("dtype", ["string", "Int64", "boolean", "int64[pyarrow]", "string[pyarrow]"])
def test_missing_values_of_frames_are_named(dtype):
    values = {"s": ["a", "b"], "i": [1, 2], "b": [True, False]}[dtype[0].lower()]
    series = pd.Series([*values * 3, None, values[0]], dtype=dtype)
    with pytest.raises(TypeError, match=r"^y\[6\]: argument must be .*Fill missing values"):
        classifier().fit(sequences(), series)
    with pytest.raises(TypeError, match=r"^X\[1\], position 6: argument must be .*Fill missing values"):
        model().fit([series[:2], series])
    with pytest.raises(TypeError, match=r"^X\[6\], position 0: argument must be .*Fill missing values"):
        model().fit(pd.DataFrame({"a": series}))


BAD_LABELS = {
    "beyond 64 bits": (
        [2**64, 1],
        r"y holds numbers that no dtype .* exactly: y\[0\] is 18446744073709551616",
    ),
    "negative beside unsigned": (
        [-1, 2**63],
        r"y holds numbers that no dtype .* exactly: y\[1\] is 922337",
    ),
    "integers beside floats": (
        [2**53 + 1, 0.0],
        r"y holds numbers that no dtype .* exactly: y\[0\] is 9007",
    ),
    "far beyond 64 bits": ([10**400, 1] * 4, r"y\[0\] is an integer of 1329 bits\. Convert the labels"),
    "texts beside numbers": (["a", 1] * 4, r"y mixes labels that cannot be sorted, of the types int, str"),
    "dates": (np.array(["2020", "2021"] * 4, "M8[D]"), r"Unknown label type: datetime64\[D\]"),
    "labels of steps": (
        [["a", "b"], ["a"]] * 4,
        r"y\[0\] is \['a', 'b'\]\. Pass one label for each sequence, not one for",
    ),
    "as many labels of steps": ([["a", "b"]] * 8, r"got an array of shape .* instead\. Pass one label for each"),
    "numbers": (np.linspace(0, 1, 8), r"Unknown label type: continuous.*RNNSequenceRegressor predicts numbers;"),
    "a set": ({0, 1}, r"y is \{0, 1\} \(set\)\. Pass a list of one label per sequence"),
    "a dict": ({0: 1}, r"y is \{0: 1\} \(dict\)\. Pass a list of one label per sequence"),
    "masked": (np.ma.array([0, 1], mask=[0, 1]), "y has masked entries, which would be read as data"),
}


@pytest.mark.parametrize(("y", "message"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_labels_that_are_refused(y, message):
    if not isinstance(y, (set, dict)):
        y = (
            np.ma.concatenate([y] * 4)
            if isinstance(y, np.ma.MaskedArray)
            else [*y] * 4
            if isinstance(y, list)
            else np.tile(y, 4)
        )
    with pytest.raises((TypeError, ValueError), match=message):
        classifier().fit(sequences(), y)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({(1, 2): 5}, r"class_weight has a weight for \(1, 2\), which is not one of the classes \[1, 2\]"),
        ({(1, 2): 5, (2, 1): 5}, r"class_weight has a weight for \(1, 2\)"),
        ({"1": 5}, r"class_weight has a weight for '1'"),
        ({None: 5}, r"class_weight has a weight for None"),
        ({1.5: 5}, r"class_weight has a weight for 1\.5"),
        ({1: 10**400}, r"class_weight\[1\] is an integer of 1329 bits\. Weights must be numbers, finite"),
        ({1: "2"}, r"class_weight\[1\] is '2'\. Weights must be numbers, finite"),
    ],
    ids=str,
)
def test_keys_of_class_weight_are_exact(class_weight, message):
    with pytest.raises(ValueError, match=message):
        classifier(class_weight=class_weight).fit(sequences(), [1, 2] * 4)


@pytest.mark.parametrize("key", [1, 1.0, True, np.int8(1), np.float32(1), np.True_, Code(2) - 1], ids=repr)
def test_equal_keys_are_the_same(key):
    wanted = classifier(class_weight={1: 5}, max_iter=3).fit(sequences(), [1, 2] * 4)
    got = classifier(class_weight={key: 5}, max_iter=3).fit(sequences(), [1, 2] * 4)
    assert_array_equal(got._fitted.params, wanted._fitted.params)


def test_scores_count_labels_never_seen():
    fitted = classifier().fit(sequences(), ["a", "b"] * 4)
    assert fitted.score(sequences(), ["a", "c"] * 4) == 0.5
    assert fitted.score(sequences(), [1, 2] * 4) == 0


def test_labels_are_called_by_the_argument_they_came_in():
    """And what a label says of itself is not touched."""
    with pytest.raises(ValueError, match=r"^y_val\[0\] is 'X', which is not one of the classes \['a', 'b'\]"):
        classifier(early_stopping=True).fit(sequences(), ["a", "b"] * 4, X_val=sequences(), y_val=["X", "y"] * 4)


# Tokens


TOKEN_CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "iterator": iter,
    "object array": as_object_array,
    "Series": lambda values: pd.Series(values, dtype=object, index=range(3, 3 + len(values))),
}


@pytest.mark.parametrize(("pair", "plain"), (PAIRS | ONLY_TOKENS).values(), ids=PAIRS | ONLY_TOKENS)
@pytest.mark.parametrize("container", TOKEN_CONTAINERS.values(), ids=TOKEN_CONTAINERS)
def test_tokens_are_the_values_themselves(pair, plain, container):
    fitted = model().fit([container(pair) for _ in range(5)])

    assert fitted.classes_.tolist() == sorted(plain)
    assert [token for token in fitted.vocabulary_ if token not in (END, UNKNOWN)] == sorted(plain)
    wanted = fitted.score_samples([plain])[0]
    assert_allclose(fitted.score_samples([container(pair), plain, as_object_array(plain)]), [wanted] * 3, rtol=1e-12)
    assert wanted > fitted.score_samples([[pair[0], UNSEEN[type(plain[0])]]])[0]


UNSEEN = {str: "not seen", int: 77, bool: 77, float: 77.5}


@pytest.mark.parametrize(("pair", "plain"), (PAIRS | ONLY_TOKENS).values(), ids=PAIRS | ONLY_TOKENS)
def test_every_way_in_reads_tokens_alike(pair, plain):
    fitted = model().fit([plain] * 5)

    stream, of_plain = fitted.start(), fitted.start()
    for token, value in zip(pair, plain):
        assert stream.update({"a": token}) == of_plain.update({"a": value})
    for name in ("stop_tokens", "forbidden_tokens"):
        options = {"max_new_tokens": 5, "random_state": 0}
        assert fitted.generate([pair], **options, **{name: [pair[0]]}) == fitted.generate(
            [plain], **options, **{name: [plain[0]]}
        )
    told = model(vocabulary=list(pair)).partial_fit([plain]).partial_fit([pair])
    assert told.classes_.tolist() == list(plain)
    for written in fitted.generate([as_object_array(plain), tuple(plain), plain], max_new_tokens=3, random_state=0):
        assert as_list(written)[:2] == plain
    (written,) = fitted.generate([exact_array(plain)], max_new_tokens=3, random_state=0)
    assert written.tolist()[:2] == plain


def test_dtypes_of_other_sequences_change_nothing():
    """Signed and unsigned, narrow and wide, in one call or another."""
    ids = [2**53 + 1, 2**53 + 2]
    fitted = model().fit([np.array(ids), np.array(ids, dtype=np.uint64)] * 3)
    assert fitted.classes_.tolist() == ids
    alone = fitted.score_samples([ids])
    for other in [np.array([2**63 + 1], dtype=np.uint64), np.array([0.5]), np.array([-1], dtype=np.int8)]:
        for values in [ids, np.array(ids), np.array(ids, dtype=np.uint64)]:
            assert_allclose(fitted.score_samples([values, other])[0], alone[0], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float32, np.float64, bool, ">i4", "<U1"])
def test_classes_have_the_dtype_of_the_data(dtype):
    values = np.array([0, 1], dtype=dtype)
    assert model().fit([values] * 3).classes_.dtype == np.result_type(values, values)
    assert model().fit(np.array([values] * 3)).classes_.dtype == np.result_type(values, values)


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="NumPy 2 has it")
def test_texts_of_any_length_in_an_array():
    values = np.array(["login", "log\0", "a" * 1000], dtype=np.dtypes.StringDType())
    for X in ([values] * 3, np.array([values] * 3), as_object_array([values] * 3)):
        assert model().fit(X).classes_.tolist() == sorted(values.tolist())
    assert model().fit(values).classes_.tolist() == sorted(set("".join(values.tolist())))
    assert classifier().fit(sequences(6), np.tile(values, 2)).classes_.tolist() == sorted(values.tolist())


def test_every_character_of_a_text_is_read():
    fitted = model().fit(["a\0b\0"] * 20)
    assert fitted.classes_.tolist() == ["\0", "a", "b"]
    assert len(fitted.generate("a\0", max_new_tokens=4, random_state=0, forbidden_tokens=[END])) == 6


def test_a_text_may_be_of_a_derived_type():
    fitted = model().fit([Event.IN, Event.OUT] * 3)
    assert fitted.classes_.tolist() == sorted(set("loginlogout"))
    assert fitted.generate(Event.IN, max_new_tokens=1, random_state=0).startswith("login")
    assert isinstance(fitted.generate(max_new_tokens=3, random_state=0)[0], str)


@given(st.text(), st.text(min_size=1))
def test_characters_of_a_text_are_the_tokens_of_a_list(text, learned):
    vocabulary = make_vocabulary(set(learned), [], has_end=True, learns_unknown=False, has_texts=True)
    assert_array_equal(vocabulary.encode(text), vocabulary.encode(list(text)))


def test_a_text_has_the_characters_that_str_says():
    wanted = model().fit(["abab", "ba"] * 3)
    got = model().fit([Text("abab"), Text("ba")] * 3)
    assert_array_equal(got.classes_, wanted.classes_)
    assert_array_equal(got.score_samples([Text("abab")]), wanted.score_samples(["abab"]))


@pytest.mark.parametrize("as_sequence", [AsArray, lambda values: memoryview(np.array(values))])
def test_sequences_that_are_no_containers_of_objects(as_sequence):
    fitted = model().fit([as_sequence([2**60, 2**60 + 1])] * 3)
    assert fitted.classes_.tolist() == [2**60, 2**60 + 1]


def test_an_array_without_dimensions_is_one_token():
    """And never a sequence of its characters."""
    fitted = model().fit([["login", "out"], ["login"]] * 3)
    token = np.array("login")
    for method in (fitted.fit, fitted.score, fitted.predict):
        with pytest.raises(TypeError, match=r"^X is array\('login'.*, without dimensions, but a list of sequences"):
            method(token)
    assert fitted.start().update({0: token}) == fitted.start().update({0: "login"})
    with pytest.raises(TypeError, match=r"^steps is array.*Pass a dict"):
        fitted.start().update(token)
    options = {"max_new_tokens": 3, "random_state": 0}
    assert fitted.generate(stop_tokens=token, **options) == fitted.generate(stop_tokens="login", **options)


@pytest.mark.parametrize("missing", [pd.Series(["a", None]), pd.Series(["a", None], dtype="category"), ["a", np.nan]])
def test_missing_texts_are_named(missing):
    """Not as a mixture, which str would turn into the text nan."""
    with pytest.raises((TypeError, ValueError), match=r"X\[1\].*position 1.* Fill missing values"):
        model().fit([["a", "b"], missing])


@pytest.mark.parametrize("n_short", [3, 5000])
def test_memory_follows_the_text(n_short):
    """One long token does not widen all others."""
    import tracemalloc

    tokens = [*map(str, range(n_short)), "x" * 10_000]
    tracemalloc.start()
    fitted = model(max_iter=1, hidden_size=1, vocabulary=tokens).partial_fit([tokens[-3:]])
    fitted.predict([tokens[:2]])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
    assert fitted.vocabulary_["x" * 10_000] == len(tokens) - 1


# What is refused


NO_SEQUENCES = {
    "set": ({("a", "b")}, r"X is a set, which has no order\. Pass a list of sequences\."),
    "dict": ({"x": "ab"}, r"X is a dict, which has no order\. Pass .* list\(X\.values\(\)\)\."),
    "keys": ({"x": "ab"}.keys(), r"X is a dict_keys, which has no order"),
    "set inside": (["ab", {"a", "b"}], r"X\[1\] is a set, which has no order\. Pass a list of tokens\."),
    "frozenset inside": ([frozenset("ab")], r"X\[0\] is a frozenset, which has no order"),
    "dict inside": ([{"a": 1}], r"X\[0\] is a dict, which has no order"),
    "frame inside": (
        [pd.DataFrame({"event": ["a", "b"]})],
        r"X\[0\] is a DataFrame, but a sequence of tokens has no columns\. Pass one of them: X\[0\]\['event'\]\.",
    ),
    "polars frame inside": ([pl.DataFrame({"event": ["a", "b"]})], r"Pass one of them: X\[0\]\['event'\]\."),
    "table inside": ([np.array([["a"]])], r"X\[0\] has 2 dimensions \(shape \(1, 1\)\)\. A sequence of tokens has one"),
    "bytes": (b"ab", "X is b'ab', but a list of sequences is needed"),
    "bytes inside": (["a", b"ab"], r"X\[1\] is b'ab', but every item must be a sequence of tokens, or a str"),
    "bytearray inside": ([bytearray(b"ab")], r"X\[0\] is bytearray\(b'ab'\), but every item must be a sequence"),
    "masked": (np.ma.array([[1, 2]], mask=[[0, 1]]), r"X has masked entries.*skrnn\.sequences\.from_padded"),
    "masked inside": ([np.ma.array([1, 2], mask=[0, 1])], r"X has masked entries"),
    "longdouble": ([np.array([1, 2], dtype=np.longdouble)], r"X\[0\] has dtype (float128|longdouble|float96)"),
    "complex": ([[1j]], r"X\[0\], position 0: argument must be a string or a number, got 1j \(complex\)"),
}


@pytest.mark.parametrize(("X", "message"), NO_SEQUENCES.values(), ids=NO_SEQUENCES)
def test_what_is_no_sequence_is_refused(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        model().fit(X)
    with pytest.raises((TypeError, ValueError), match=message):
        model().fit(["ab", "ba"]).score(X)


@pytest.fixture(scope="module")
def words():
    return model().fit([["the", "cat"], ["the", "dog", "a"]] * 3)


@pytest.fixture(scope="module")
def characters():
    return model().fit(["abc", "bca"] * 3)


@pytest.fixture(scope="module")
def numbers():
    return model().fit([[1, 2], [2, 3]] * 3)


METHODS = [
    "predict",
    "predict_proba",
    "score",
    "score_samples",
    "perplexity",
    "token_log_proba",
    "token_rank",
    "transform",
]


@pytest.mark.parametrize("method", METHODS)
def test_another_kind_of_token_is_refused(method, words, numbers):
    with pytest.raises(TypeError, match=r"^X\[1\] holds numbers, but the model was fitted on strings, \['a', 'cat'"):
        getattr(words, method)([["the"], [1, 2]])
    with pytest.raises(TypeError, match=r"^X\[0\] holds strings, but the model was fitted on numbers, \[1, 2, 3\]"):
        getattr(numbers, method)(["12", "3"])


def test_another_kind_of_token_is_refused_everywhere(words, numbers):
    for fitted, token, kind in [(words, 1, "numbers"), (numbers, "1", "strings")]:
        with pytest.raises(TypeError, match=rf"prompts\[0\] holds {kind}"):
            fitted.generate([[token]], max_new_tokens=1)
        for name in ("stop_tokens", "forbidden_tokens"):
            for tokens in (token, [token]):
                with pytest.raises(TypeError, match=rf"{name}(\[0\])? holds {kind}"):
                    fitted.generate(max_new_tokens=1, **{name: tokens})
        with pytest.raises(TypeError, match=rf"steps\['a'\] holds {kind}"):
            fitted.start().update({"a": token})
    with pytest.raises(TypeError, match=r"X\[0\] holds numbers"):
        model(warm_start=True).fit(["ab"]).fit([[1, 2]])
    with pytest.raises(TypeError, match=r"X\[0\] holds strings"):
        model().partial_fit([[1, 2]]).partial_fit(["ab"])
    with pytest.raises(TypeError, match=r"X_val\[0\] holds numbers"):
        model(early_stopping=True).fit(["ab", "b"], X_val=[[1, 2]])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "X", [["the", "cat"], ["the cat"], np.array(["the", "cat"]), pd.Series(["the", "cat"])], ids=str
)
def test_a_text_is_no_list_of_words(method, X, words):
    with pytest.raises(TypeError, match=r"^X\[0\] is the str 'the( cat)?', whose tokens would be its characters, but"):
        getattr(words, method)(X)


def test_a_prompt_is_no_list_of_words(words):
    for prompts in ("the cat", ["the cat"]):
        with pytest.raises(
            TypeError, match=r"^prompts\[0\] is the str 'the cat'.*Pass lists .*: \[\['the', 'cat'\]\] for"
        ):
            words.generate(prompts, max_new_tokens=1)


def test_a_text_may_be_read_where_texts_were_learned():
    """Longer tokens in other sequences of the fit notwithstanding."""
    fitted = model().fit(["abc", ["the", "a"]] * 3)
    assert np.isfinite(fitted.score(["abc"]))
    assert np.isfinite(model().fit([["a", "b"]] * 3).score(["ab"]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("default:No token of")
def test_a_call_of_unknown_tokens_warns_once(method, words, characters, numbers):
    for fitted, X, read in [
        (words, [["The cat"], []], r"X\[0\] was read as \['The cat'\]"),
        (characters, ["", "xyz"], r"X\[1\] was read as \['x', 'y', 'z'\]"),
        (numbers, [range(10, 99)], r"X\[0\] was read as \[10, 11, 12, 13, 14, 15, \.\.\.\ 7 in all\]"),
    ]:
        with pytest.warns(UserWarning, match=r"^No token of X is in the vocabulary: " + read) as caught:
            getattr(fitted, method)(X)
        assert len(caught) == 1
        assert caught[0].filename == __file__


@pytest.mark.filterwarnings("error:No token of")
def test_no_warning_where_a_token_is_known_or_none_is_there(words, characters):
    words.score([["The cat"], ["the"]])
    characters.score_samples(["", ""])
    characters.generate(max_new_tokens=2, random_state=0)
    characters.start().update({0: "x"})  # a stream meets tokens one by one


NO_TOKENS = [None, 5.5j, b"a", bytearray(b"a"), object(), pd.DataFrame({"a": ["b"]}), pl.DataFrame({"a": ["b"]})]


@pytest.mark.parametrize("token", [*NO_TOKENS, {"a"}, {"a": 1}, ["a"]], ids=lambda value: type(value).__name__)
def test_what_a_stream_cannot_read(token, characters, numbers):
    for fitted in (characters, numbers):
        with pytest.raises(TypeError, match=r"^steps is .*\. Pass a dict of the next step by the key"):
            fitted.start().update([token])
        with pytest.raises(TypeError, match=r"^steps\['a'\]: argument must be a string or a number, got "):
            fitted.start().update({"a": token})


@pytest.mark.parametrize("tokens", NO_TOKENS[1:], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", ["stop_tokens", "forbidden_tokens"])
def test_what_is_no_list_of_tokens(name, tokens, characters, numbers):
    """Bytes are no numbers, and the names of columns no tokens."""
    for fitted in (characters, numbers):
        with pytest.raises(TypeError, match=rf"^{name} is .*\. Pass a list of tokens, or one token"):
            fitted.generate(max_new_tokens=1, **{name: tokens})


@pytest.mark.parametrize("token", [np.nan, np.inf, -np.float32("inf")])
def test_tokens_that_come_one_by_one_are_finite(token, numbers):
    with pytest.raises(ValueError, match=r"^steps\['b'\] is (nan|-?inf)\. Tokens must be finite"):
        numbers.start().update({"a": 1, "b": token})
    with pytest.raises(ValueError, match=r"^stop_tokens\[0\] is (nan|-?inf)"):
        numbers.generate(max_new_tokens=1, stop_tokens=token)


@pytest.mark.parametrize("name", ["stop_tokens", "forbidden_tokens"])
@pytest.mark.parametrize("token", [["a"], {"a"}, None, object(), pd.NA], ids=lambda value: type(value).__name__)
def test_what_is_no_token_cannot_be_named(name, token, characters):
    with pytest.raises(TypeError, match=rf"^{name}\[1\]: argument must be a string or a number, got "):
        characters.generate(max_new_tokens=1, **{name: ["a", token]})


# Messages


def test_messages_are_bounded():
    """Many classes, long labels, long tokens, long numbers."""
    X, long = sequences(2000), "x" * 1_000_000
    y = [f"class {i}" for i in range(2000)]
    fitted = classifier(max_iter=1, warm_start=True).fit(X, y)
    lone = classifier(max_iter=1, warm_start=True).fit(X[:4], [long, "y"] * 2)
    for known, labels in [(fitted, [long] * 2000), (fitted, ["unseen"] * 2000), (lone, ["a"] * 2000)]:
        with pytest.raises(ValueError, match="is not one of the classes") as caught:
            known.fit(X, labels)
        assert len(str(caught.value)) < 600
    with pytest.raises(ValueError, match="is not the same as on the first call") as caught:
        fitted.partial_fit(X, y, classes=[*y, long])
    assert len(str(caught.value)) < 800

    strict = model(handle_unknown="error").fit([["a", "b"], [long, "b"]])
    calls = [
        lambda: strict.score([[long + "y"]]),
        lambda: strict.start().update({long: long + "y"}),
        lambda: strict.start().update(long + "y"),
        lambda: strict.generate(max_new_tokens=1, stop_tokens=[long + "y"]),
        lambda: strict.score([long]),
        lambda: strict.score([[10**5000]]),
        lambda: strict.score([{long: 1}]),
        lambda: strict.fit(long),
        lambda: strict.generate(10**5000, max_new_tokens=1),
        lambda: strict.generate(max_new_tokens=-(10**5000)),
        lambda: strict.generate(None, 10**5000, max_new_tokens=1),
        lambda: strict.generate(max_new_tokens=1, temperature=-(10**5000)),
        lambda: strict.generate(max_new_tokens=1, num_beams=2, top_k=10**5000),
        lambda: strict.predict_top_k(["a"], 10**5000),
        lambda: strict.predict_top_k(["a"], long),
        lambda: strict.start(10**5000),
        lambda: strict.start(3).close(list(range(10**5))),
        lambda: strict.start(3).close([10**5000]),
        lambda: strict.start(3).close([[1], [1, 2]]),
        lambda: classifier(early_stopping=True, scoring=long).fit(X, y),
        lambda: classifier(early_stopping=True, scoring=lambda *_: 10**5000).fit(X[:4], [1, 2] * 2),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert 20 < len(str(caught.value)) < 700


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()), max_size=30))
def test_reprs_are_bounded(values):
    assert all(len(shown(value)) <= 60 for value in values)
    assert len(shown_all(values)) <= 500


# Values


NUMBERS = st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.lists(NUMBERS, min_size=1))
def test_arrays_of_numbers_are_exact(values):
    assert exact_array(values).tolist() == values


@given(st.lists(st.text(), min_size=1))
def test_arrays_of_texts_are_exact(values):
    assert exact_array(values).tolist() == values


@given(st.lists(NUMBERS, min_size=1, unique=True), st.randoms())
def test_vocabularies_do_not_depend_on_the_order_of_sequences(values, random):
    X = [[value] for value in values]
    wanted = model(max_iter=1, hidden_size=1).fit(X)
    random.shuffle(X)
    got = model(max_iter=1, hidden_size=1).fit(X)
    assert_array_equal(got.classes_, wanted.classes_, strict=True)


def test_what_is_no_str_is_no_text():
    with pytest.raises(TypeError, match=r"here 1: argument must be a string or a number, got .* \(UserString\)"):
        plain_values(["a", UserString("b")], lambda i: f"here {i}")
