"""Converters: there and back, options, copies, messages."""

import numpy as np
import pytest
from helpers import assert_sequences_equal, object_array, raises
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal
from read_features import fit, steps

from skrnn.sequences import (
    from_channels_first,
    from_concatenated,
    from_long_dataframe,
    from_padded,
    sliding_windows,
    to_padded,
)

RAGGED_2 = [np.arange(8.0).reshape(4, 2), np.arange(6.0).reshape(3, 2)]


def ragged(dtype=np.float64):
    """Lists of 1 to 5 arrays (T_i, F)."""
    values = hnp.from_dtype(np.dtype(dtype), allow_nan=False, allow_infinity=False)
    shapes = st.integers(1, 3).map(lambda n_features: st.tuples(st.integers(1, 6), st.just(n_features)))
    return shapes.flatmap(lambda shape: st.lists(hnp.arrays(dtype, shape, elements=values), min_size=1, max_size=5))


class TestFromPadded:
    X = np.array([[[1, 2], [0, 0], [3, 0], [0, 0]], [[0, 5], [0, 0], [0, 0], [0, 0]], [[1, 1]] * 4])

    def test_only_the_tail_is_padding(self):
        expected = [self.X[0, :3], self.X[1, :1], self.X[2]]
        assert_sequences_equal(from_padded(self.X, pad_value=0), expected)

    def test_lengths_may_keep_the_pad_value(self):
        assert_sequences_equal(from_padded(self.X, [4, 2, 1]), [self.X[0], self.X[1, :2], self.X[2, :1]])

    def test_nan_in_the_middle_stays(self):
        nan = np.nan
        (x,) = from_padded([[1, nan, 3, nan]], pad_value=nan)
        assert_array_equal(x, [1, nan, 3])
        with raises(ValueError, "Input X[0] contains NaN."):
            fit([x])

    def test_step_that_is_nan_only_in_part_is_data(self):
        X = np.array([[[1.0, np.nan], [np.nan, np.nan]]])
        assert_sequences_equal(from_padded(X, pad_value=np.nan), [X[0, :1]])

    def test_univariate_stays_one_dimensional(self):
        assert_sequences_equal(from_padded(np.array([[1, 0], [1, 2]]), pad_value=0), [np.array([1]), np.array([1, 2])])

    def test_copies(self):
        X = np.ones((2, 3))
        from_padded(X, [3, 2])[0][:] = 7
        assert_array_equal(X, 1)

    @pytest.mark.parametrize("options", [{}, {"lengths": [1], "pad_value": 0}])
    def test_needs_one_of_the_two(self, options):
        with raises(TypeError, "from_padded needs lengths or pad_value, one of the two."):
            from_padded([[1.0]], **options)

    @pytest.mark.parametrize(
        ("X", "options", "message"),
        [
            (
                np.ones(3),
                {"lengths": [1]},
                "X has shape (3,), but padded sequences have shape (n_sequences, n_steps, n_features) or "
                "(n_sequences, n_steps).",
            ),
            (np.ones((1, 2)), {"lengths": [3]}, "lengths[0] is 3, but X has 2 steps."),
            (np.ones((1, 2)), {"lengths": [1, 1]}, "lengths has 2 entries, but X has 1 sequence."),
            (np.ones((2, 2)), {"lengths": [1, 0]}, "lengths[1] is 0: every sequence needs at least one step."),
            (
                np.ones((1, 2)),
                {"lengths": [1.0]},
                "lengths has shape (1,) and dtype float64. Pass one integer for each",
            ),
            (np.ones((1, 2)), {"lengths": 1}, "lengths has shape () and dtype int"),
            (
                np.array([[1, 0], [0, 0]]),
                {"pad_value": 0},
                "X[1] is nothing but padding (0): every sequence needs at least one step. Leave it out.",
            ),
            (np.ones((1, 0)), {"pad_value": np.nan}, "X[0] is nothing but padding (nan)"),
        ],
    )
    def test_messages(self, X, options, message):
        with raises(ValueError, message):
            from_padded(X, **options)


class TestToPadded:
    def test_pads_the_ends(self):
        padded, lengths = to_padded(RAGGED_2, pad_value=-1)
        assert padded.shape == (2, 4, 2)
        assert_array_equal(padded[1], [[0, 1], [2, 3], [4, 5], [-1, -1]])
        assert_array_equal(lengths, [4, 3])

    def test_keeps_nan(self):
        padded, _ = to_padded([np.array([np.nan, 1.0]), np.array([2.0])])
        assert_array_equal(padded[:, :, 0], [[np.nan, 1], [2, 0]])

    @pytest.mark.parametrize(
        ("X", "dtype"),
        [([np.ones(2, "f4")], "f4"), ([np.ones(2, "f4"), np.ones(2)], "f8"), ([np.ones(2, int)], "f8")],
    )
    def test_dtype(self, X, dtype):
        assert to_padded(X)[0].dtype == dtype

    @pytest.mark.parametrize("X", [np.ones((2, 3)), np.ones((2, 3, 1)), [[1, 1, 1], [1, 1, 1]]])
    def test_rectangles(self, X):
        padded, lengths = to_padded(X)
        assert_array_equal(padded, np.ones((2, 3, 1)), strict=True)
        assert_array_equal(lengths, [3, 3])

    def test_messages_are_those_of_the_estimators(self):
        with raises(ValueError, "X[1] is empty: every sequence needs at least one step."):
            to_padded([np.ones(2), np.ones(0)])
        with raises(ValueError, "X is empty: at least one sequence is needed."):
            to_padded([])
        with raises(ValueError, "0 feature(s) (shape=(2, 0))"):
            to_padded(np.ones((2, 0)))

    @given(ragged())
    @settings(max_examples=40, deadline=None)
    def test_round_trip_by_lengths(self, X):
        padded, lengths = to_padded(X, pad_value=X[0][0, 0])
        assert_sequences_equal(from_padded(padded, lengths), X)

    @given(ragged(np.float32))
    @settings(max_examples=40, deadline=None)
    def test_round_trip_by_value(self, X):
        padded, lengths = to_padded(X, pad_value=np.nan)
        assert np.isnan(padded).sum() == (lengths.max() - lengths).sum() * X[0].shape[1]
        assert_sequences_equal(from_padded(padded, pad_value=np.nan), X)


class TestFromConcatenated:
    @given(ragged())
    @settings(max_examples=40, deadline=None)
    def test_round_trip(self, X):
        assert_sequences_equal(from_concatenated(np.concatenate(X), [len(x) for x in X]), X)

    def test_rows_of_scalars(self):
        assert_sequences_equal(from_concatenated(np.arange(3), [1, 2]), [np.array([0]), np.array([1, 2])])

    def test_copies(self):
        X = np.ones(3)
        from_concatenated(X, [3])[0][:] = 7
        assert_array_equal(X, 1)

    @pytest.mark.parametrize(
        ("X", "lengths", "message"),
        [
            (np.ones(3), [1, 1], "lengths sum to 2, but X has 3 rows."),
            (np.ones(1), [2], "lengths sum to 2, but X has 1 row."),
            (np.ones(3), [4, -1], "lengths[1] is -1: every sequence needs at least one step."),
            (np.ones(3), [], "lengths has shape (0,) and dtype float64. Pass one integer for each sequence."),
            (
                np.ones((3, 1, 1)),
                [3],
                "X has shape (3, 1, 1), but concatenated sequences have shape (n_rows, n_features) or (n_rows,).",
            ),
        ],
    )
    def test_messages(self, X, lengths, message):
        with raises(ValueError, message):
            from_concatenated(X, lengths)


@pytest.mark.parametrize("library", ["pandas", "polars"])
class TestFromLongDataFrame:
    def frame(self, library, **columns):
        table = {"id": list("babba"), "t": [2, 9, 1, 1, 8], "x": [0, 1, 2, 3, 4], "y": [0.5, 1.5, 2.5, 3.5, 4.5]}
        return pytest.importorskip(library).DataFrame({**table, **columns})

    def read(self, df, **options):
        return from_long_dataframe(df, **{"sequence": "id", "order": None, "columns": ["x"], **options})

    def test_order_of_first_appearance(self, library):
        data = self.read(self.frame(library), columns=["y", "x"])
        assert data.ids.tolist() == ["b", "a"]
        assert_sequences_equal(data.X, [np.array([[0.5, 0], [2.5, 2], [3.5, 3]]), np.array([[1.5, 1], [4.5, 4]])])
        assert data.y is None
        assert data.static is None

    def test_stable_order(self, library):
        data = self.read(self.frame(library), order="t", columns=["x", "y"])
        assert_sequences_equal(data.X, [np.array([[2, 2.5], [3, 3.5], [0, 0.5]]), np.array([[4, 4.5], [1, 1.5]])])

    def test_rows_may_have_any_index(self, library):
        data = self.read(self.frame(library)[::-1])
        assert data.ids.tolist() == ["a", "b"]
        assert_sequences_equal(data.X, [np.array([[4.0], [1.0]]), np.array([[3.0], [2.0], [0.0]])])

    def test_one_name_gives_one_dimension(self, library):
        assert_sequences_equal(self.read(self.frame(library), columns="x").X, [np.array([0, 2, 3]), np.array([1, 4])])

    def test_ids_keep_their_dtype(self, library):
        days = np.array(["2020-01-02", "2020-01-01", "2020-01-02", "2020-01-02", "2020-01-01"], dtype="M8[ns]")
        assert_array_equal(self.read(self.frame(library, id=days)).ids, days[:2])

    def test_float32(self, library):
        df = self.frame(library, x=np.ones(5, "f4"), y=np.ones(5, "f4"))
        assert self.read(df, columns=["x", "y"]).X[0].dtype == np.float32
        assert self.read(df, columns=["x", "t"]).X[0].dtype == np.float64

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"sequence": "q"}, "df has no column 'q'. Its columns are ['id', 't', 'x', 'y']."),
            ({"order": "q"}, "df has no column 'q'."),
            ({"columns": ["x", "q"]}, "df has no column 'q'."),
            ({"target": "q"}, "df has no column 'q'."),
            ({"static": ["q"]}, "df has no column 'q'."),
            ({"columns": []}, "df has 5 rows, and columns names 0. At least one of each is needed."),
            ({"target": []}, "target names no column."),
            ({"target": ["y", "y"]}, "target names 'y' twice. Name each column once."),
            ({"target": "x"}, "target 'x' is among columns, too: a model would read what it is to predict."),
            ({"target": "id"}, "sequence is 'id', and so is target, but it is the same in all steps. Leave it out."),
            ({"target": "y", "target_per": "steps"}, "target_per is 'steps'. Pass 'auto', 'sequence' or 'step'."),
            ({"static": "y"}, "df['y'] is not constant in the sequence 'b': 0.5 in row 0, 2.5 in row 2."),
            (
                {"target": "y", "target_per": "sequence"},
                "df['y'] is not constant in the sequence 'b': 0.5 in row 0, 2.5 in row 2. Pass target_per='step'",
            ),
        ],
    )
    def test_messages(self, library, options, message):
        with raises(ValueError, message):
            self.read(self.frame(library), **options)

    def test_missing_keys(self, library):
        df = self.frame(library, id=["b", "a", None, "b", "a"])
        with raises(ValueError, "df['id'] has a missing value in row 2. Fill it, or drop this row."):
            self.read(df)
        with raises(ValueError, "df['id'] has a missing value in row 2."):
            self.read(df, sequence="t", order="id")
        df = self.frame(library, id=["b", None, None, "b", "a"])
        with raises(ValueError, "df['id'] has missing values in the rows [1, 2]. Fill them, or drop these rows."):
            self.read(df)

    def test_empty(self, library):
        with raises(ValueError, "df has 0 rows, and columns names 1."):
            self.read(self.frame(library)[:0])

    def test_text_alone_is_tokens(self, library):
        df = self.frame(library, x=list("uvwxy"))
        for columns in ("x", ["x"]):
            assert self.read(df, columns=columns, order="t").X == [["w", "x", "u"], ["y", "v"]]

    def test_text_beside_numbers_is_a_frame(self, library):
        df = self.frame(library, x=list("uvwxy"))
        first, second = self.read(df, columns=["x", "y"], order="t").X
        assert type(first) is type(df)
        assert list(first.columns) == ["x", "y"]
        assert first["x"].to_list() == ["w", "x", "u"]
        assert second["y"].to_list() == [4.5, 1.5]

    @pytest.mark.parametrize("values", [["u", None, "w", "x", "y"], [None, None, "w", None, "y"]])
    @pytest.mark.parametrize("columns", ["x", ["x", "y"]])
    def test_missing_text(self, library, columns, values):
        with raises(ValueError, "df['x'] has "):
            self.read(self.frame(library, x=values), columns=columns)

    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            (["p", "q", "p", "p", "q"], ["p", "q"]),
            ([3, 5, 3, 3, 5], [3, 5]),
            ([True, False, True, True, False], [True, False]),
            ([2**60 + 1, 0, 2**60 + 1, 2**60 + 1, 0], [2**60 + 1, 0]),
        ],
    )
    @pytest.mark.parametrize("target_per", ["auto", "sequence"])
    def test_target_of_sequences(self, library, labels, expected, target_per):
        y = self.read(self.frame(library, y=labels), target="y", target_per=target_per).y
        assert_array_equal(y, np.array(expected), strict=True)

    @pytest.mark.parametrize("labels", [list("pqrst"), [1, 2, 3, 4, 5], [0.5, 1.5, 2.5, 3.5, 4.5]])
    @pytest.mark.parametrize("target_per", ["auto", "step"])
    def test_target_of_steps(self, library, labels, target_per):
        y = self.read(self.frame(library, y=labels), order="t", target="y", target_per=target_per).y
        assert_sequences_equal(y, [np.array([labels[2], labels[3], labels[0]]), np.array([labels[4], labels[1]])])

    def test_target_of_steps_that_happens_to_be_constant(self, library):
        y = self.read(self.frame(library, y=[1] * 5), target="y", target_per="step").y
        assert_sequences_equal(y, [np.array([1, 1, 1]), np.array([1, 1])])

    def test_target_that_is_constant_in_some_sequences_only(self, library):
        df = self.frame(library, y=[1, 2, 1, 1, 3])
        with pytest.warns(
            UserWarning, match=r"^target 'y' changes within 1 of 2 sequences of several steps, the first of them 'a'"
        ) as caught:
            y = self.read(df, target="y").y
        assert caught[0].filename == __file__
        assert_sequences_equal(y, [np.array([1, 1, 1]), np.array([2, 3])])
        assert_sequences_equal(self.read(df, target="y", target_per="step").y, y)

    def test_sequences_of_one_step_do_not_make_a_target_doubtful(self, library):
        df = self.frame(library, id=list("babbc"), y=[1, 2, 1, 3, 3])
        assert_sequences_equal(self.read(df, target="y").y, [np.array([1, 1, 3]), np.array([2]), np.array([3])])

    def test_several_targets(self, library):
        df = self.frame(library, u=[1, 2, 1, 1, 2], v=[0.5, 1.5, 0.5, 0.5, 1.5])
        assert_array_equal(self.read(df, target=["u", "v"]).y, np.array([[1, 0.5], [2, 1.5]]), strict=True)
        assert_array_equal(self.read(df, target=["u"]).y, np.array([[1], [2]]), strict=True)
        y = self.read(df, target=["u", "y"]).y
        assert_sequences_equal(y, [np.array([[1, 0.5], [1, 2.5], [1, 3.5]]), np.array([[2, 1.5], [2, 4.5]])])

    def test_targets_of_two_kinds(self, library):
        with raises(ValueError, "target names 'y' of numbers and 'z' of text. Name columns of one kind."):
            self.read(self.frame(library, z=list("pqppq")), target=["y", "z"])

    @pytest.mark.parametrize("values", [[1.0, None, 1.0, 1.0, 2.0], ["p", "q", "p", None, "q"]])
    def test_missing_targets(self, library, values):
        with raises(ValueError, f"df['y'] has a missing value in row {values.index(None)}. Fill it, or drop this row."):
            self.read(self.frame(library, y=values), target="y")

    @pytest.mark.parametrize("values", [["p", "q", "p", "p", "q"], [1.5, None, 1.5, 1.5, None]])
    def test_static(self, library, values):
        static = self.read(self.frame(library, s=values, y=[1, 2, 1, 1, 2]), static=["y", "s"]).static
        assert list(static.columns) == ["y", "s"]
        assert static["y"].to_list() == [1, 2]
        if values[1] is None:
            assert static["s"][:1].to_list() == [1.5]
            assert np.isnan(np.array(static["s"].to_list(), dtype=float)[1])
        else:
            assert static["s"].to_list() == ["p", "q"]
        if library == "pandas":
            assert static.index.tolist() == ["b", "a"]
            assert static.index.name == "id"

    def test_static_that_is_missing_in_some_steps(self, library):
        df = self.frame(library, s=[1.5, 2.0, None, 1.5, 2.0])
        with raises(ValueError, "df['s'] is not constant in the sequence 'b': 1.5 in row 0, "):
            self.read(df, static="s")


def test_from_long_dataframe_needs_a_frame():
    with raises(TypeError, "df is a list. Pass a pandas or polars DataFrame."):
        from_long_dataframe([1], sequence="a", order=None, columns="x")


def test_static_of_tuples_as_ids():
    pd = pytest.importorskip("pandas")
    df = pd.DataFrame({"id": [("a", 1), ("b", 2)], "x": [1.0, 2.0], "s": [3, 4]})
    data = from_long_dataframe(df, sequence="id", order=None, columns="x", static="s")
    assert data.static.index.tolist() == data.ids.tolist() == [("a", 1), ("b", 2)]


class TestFromChannelsFirst:
    def test_array(self, rng):
        X = rng.normal(size=(2, 3, 5))
        moved = from_channels_first(X)
        assert_array_equal(moved[1, 4], X[1, :, 4])
        assert moved.shape == (2, 5, 3)
        assert not np.shares_memory(moved, X)

    @pytest.mark.parametrize("container", [list, tuple, object_array])
    def test_list(self, container):
        X = [np.arange(6).reshape(2, 3), np.arange(8).reshape(2, 4)]
        moved = from_channels_first(container(X))
        assert_sequences_equal(moved, [X[0].T, X[1].T])
        assert not np.shares_memory(moved[0], X[0])

    def test_messages(self):
        with raises(
            ValueError,
            "X has shape (2, 3), but (n_sequences, n_channels, n_steps) is needed. "
            "Univariate sequences (n_sequences, n_steps) need no conversion.",
        ):
            from_channels_first(np.ones((2, 3)))
        with raises(ValueError, "X[1] has shape (3,), but (n_channels, n_steps) is needed."):
            from_channels_first([np.ones((2, 3)), np.ones(3)])


class TestSlidingWindows:
    @given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
    def test_each_window(self, n_steps, size, step):
        size = min(size, n_steps)
        X = np.arange(2 * n_steps).reshape(n_steps, 2)
        windows = sliding_windows(X, size, step=step)
        assert windows.shape == ((n_steps - size) // step + 1, size, 2)
        for i, window in enumerate(windows):
            assert_array_equal(window, X[i * step : i * step + size])

    def test_univariate(self):
        assert_array_equal(sliding_windows([1, 2, 3], 2), [[[1], [2]], [[2], [3]]])

    def test_read_only_view(self):
        X = np.zeros((9, 2))
        windows = sliding_windows(X, np.int64(3))
        assert np.shares_memory(windows, X)
        assert not windows.flags.writeable

    def test_estimators_read_it(self):
        X = np.arange(8.0).reshape(4, 2)
        assert_sequences_equal(steps(fit(sliding_windows(X, 3)).sequences), [X[:3], X[1:]])

    @pytest.mark.parametrize(
        ("X", "options", "error", "message"),
        [
            (np.ones((2, 3, 4)), {"size": 1}, ValueError, "X has shape (2, 3, 4), but one recording has shape"),
            (np.ones(3), {"size": 4}, ValueError, "size is 4, but X has 3 steps. Pass a size of at most that."),
            (np.ones(3), {"size": 0}, ValueError, "size is 0. Pass an integer of at least 1."),
            (np.ones(3), {"size": 1, "step": -1}, ValueError, "step is -1. Pass an integer of at least 1."),
            (np.ones(3), {"size": 1, "step": True}, TypeError, "step is a bool (True). Pass an integer of at least 1."),
            (np.ones(3), {"size": 2.0}, TypeError, "size is a float (2.0). Pass an integer of at least 1."),
        ],
    )
    def test_messages(self, X, options, error, message):
        with raises(error, message):
            sliding_windows(X, **options)


NAN = np.ones((4, 2))


PADDING = "If NaN marks padding, cut it off with skrnn.sequences.from_padded(X, pad_value=np.nan)."


SHAPES = "Pass arrays of shape (n_steps,) or (n_steps, n_features)."


NOT_X = "Pass an array or a list of sequences."
