"""SequenceScaler: its statistics, its containers, and scikit-learn's rules."""

import math
import pickle
import re
from decimal import Decimal, localcontext

import numpy as np
import pytest
from helpers import object_array
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks

from skrnn.preprocessing import SequenceScaler

MEAN, SCALE = np.array([5.0, -2.0]), np.array([3.0, 0.1])


@pytest.fixture
def X(rng):
    return [rng.normal(MEAN, SCALE, size=(n, 2)) for n in (4, 1, 7, 2)]


def assert_sequences_close(actual, expected, **tolerance):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected):
        assert a.shape == b.shape
        assert_allclose(a, b, **tolerance)


# scikit-learn's rules


def test_check_estimator_passes_and_skips_nothing():
    results = estimator_checks.check_estimator(SequenceScaler(), on_skip=None, on_fail=None)
    assert len(results) > 40
    assert [(result["check_name"], result["exception"]) for result in results if result["status"] != "passed"] == []


@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names:UserWarning")
@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_get_feature_names_out_error",
        "check_inplace_ensure_writeable",
        "check_param_validation",
        "check_global_output_transform_pandas",
        "check_global_set_output_transform_polars",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
    ],
)
def test_checks_that_scikit_learn_keeps_to_itself(name):
    check = getattr(estimator_checks, name, None)
    if check is None:
        pytest.skip("this release of scikit-learn has no such check")
    check("SequenceScaler", SequenceScaler())


# Statistics


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_equals_standard_scaler_on_the_steps(X, with_mean, with_std):
    scaler = SequenceScaler(with_mean=with_mean, with_std=with_std)
    reference = StandardScaler(with_mean=with_mean, with_std=with_std).fit(np.concatenate(X))
    assert_sequences_close(scaler.fit_transform(X), [reference.transform(x) for x in X], rtol=1e-12)
    assert_sequences_close(scaler.inverse_transform(X), [reference.inverse_transform(x) for x in X], rtol=1e-12)


def test_statistics(X):
    scaler = SequenceScaler().fit(X)
    reference = StandardScaler().fit(np.concatenate(X))
    assert_allclose(scaler.mean_, reference.mean_, rtol=1e-13)
    assert_allclose(scaler.var_, reference.var_, rtol=1e-13)
    assert_allclose(scaler.scale_, reference.scale_, rtol=1e-13)
    assert (scaler.n_steps_seen_, scaler.n_features_in_, scaler.n_inputs_) == (14, 2, 2)


@pytest.mark.parametrize("slices", [[1, 1, 1, 1], [3, 1], [1, 3]])
def test_partial_fit_in_parts(X, slices):
    whole, parts = SequenceScaler().fit(X), SequenceScaler()
    for start, n in zip(np.cumsum([0, *slices]), slices):
        assert parts.partial_fit(X[start : start + n]) is parts
    assert parts.n_steps_seen_ == whole.n_steps_seen_ == 14
    for name in ("mean_", "var_", "scale_"):
        assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)


def test_fit_forgets(X, rng):
    scaler = SequenceScaler().fit([rng.normal(size=(9, 5))]).fit(X)
    assert_array_equal(scaler.mean_, SequenceScaler().fit(X).mean_)
    assert scaler.n_steps_seen_ == 14


def test_two_dimensions_have_one_mean_and_one_scale(rng):
    X = rng.normal([0, 10, 20], size=(50, 3))
    scaler = SequenceScaler().fit(X)
    assert_allclose([scaler.mean_, scaler.scale_], [[X.mean()], [X.std()]])
    assert (scaler.n_features_in_, scaler.n_inputs_, scaler.n_steps_seen_) == (3, 1, 150)
    assert_allclose(scaler.transform(X), (X - X.mean()) / X.std())
    assert_allclose(scaler.transform([X[0, :2]])[0], scaler.transform(X)[0, :2])


@pytest.mark.parametrize("partial", [False, True])
def test_large_offset(rng, partial):
    noise = rng.normal(size=(20_000, 2))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    X = noise + np.array([1e8, -1e10])
    scaler = SequenceScaler()
    if partial:
        for part in np.split(X, 10):
            scaler.partial_fit([part])
    else:
        scaler.fit([X])
    assert_allclose(scaler.scale_, 1, rtol=1e-6)
    assert_allclose(scaler.transform([X])[0], noise, atol=1e-5)


def test_first_step_far_from_the_others(rng):
    X = np.concatenate([[[1e9, -1e9]], rng.normal(size=(50_000, 2))])
    mean = np.array([math.fsum(column) / len(X) for column in X.T])
    scaler = SequenceScaler().fit([X])
    assert_allclose(scaler.mean_, mean, rtol=1e-11)
    assert_allclose(scaler.var_, [math.fsum(column) / len(X) for column in np.square(X - mean).T], rtol=1e-12)


def test_statistics_of_float32_are_in_float64(rng):
    X = (rng.normal(size=(50_000, 1)) + 1e4).astype(np.float32)
    scaler = SequenceScaler().fit([X])
    assert scaler.mean_.dtype == scaler.scale_.dtype == np.float64
    assert_allclose(scaler.mean_, X.astype(np.float64).mean(), rtol=1e-13)
    assert_allclose(scaler.scale_, X.astype(np.float64).std(), rtol=1e-10)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8 + 0.1, -1e300])
@pytest.mark.parametrize("partial", [False, True])
def test_constant_feature(value, partial):
    X = [np.full((7, 1), value), np.full((3, 1), value)]
    scaler = SequenceScaler()
    if partial:
        scaler.partial_fit(X[:1]).partial_fit(X[1:])
    else:
        scaler.fit(X)
    assert (scaler.mean_, scaler.var_, scaler.scale_) == (value, 0, 1)
    assert_array_equal(scaler.transform(X)[0], 0)


def test_rounding_is_no_variation():
    x = np.array([0.1, np.nextafter(0.1, 1)] * 3)
    assert_array_equal(SequenceScaler().fit([x]).scale_, 1)
    assert_array_equal(StandardScaler().fit(x[:, None]).scale_, 1)


def test_one_step():
    scaler = SequenceScaler().fit([np.array([[3.0, 4.0]])])
    assert_array_equal([scaler.mean_, scaler.scale_], [[3, 4], [1, 1]])


@st.composite
def sequences(draw):
    shapes = st.tuples(st.integers(1, 6), st.just(draw(st.integers(1, 3))))
    values = st.floats(-1e6, 1e6, width=32)
    return draw(st.lists(shapes.flatmap(lambda s: hnp.arrays(np.float64, s, elements=values)), min_size=1, max_size=5))


@given(sequences())
@settings(max_examples=60, deadline=None)
def test_inverse_transform_is_the_inverse(X):
    scaler = SequenceScaler().fit(X)
    assert_sequences_close(scaler.inverse_transform(scaler.transform(X)), X, rtol=1e-9, atol=1e-8)


@given(sequences(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_partial_fit_is_fit_on_all(X, cut):
    cut = min(cut, len(X) - 1)
    whole = SequenceScaler().fit(X)
    parts = SequenceScaler().partial_fit(X[cut:])
    if cut:
        parts.partial_fit(X[:cut])
    steps = np.concatenate(X)
    assert_allclose(parts.mean_, whole.mean_, rtol=1e-9, atol=1e-13 * np.abs(steps).max())
    assert_allclose(parts.var_, whole.var_, rtol=1e-9, atol=1e-13 * np.square(steps).max())
    assert_allclose(whole.var_, steps.var(axis=0), rtol=1e-9, atol=1e-13 * np.square(steps).max())


# Numbers at the ends of their range

LARGEST, LARGEST_SINGLE = np.finfo(np.float64).max, np.finfo(np.float32).max
SMALLEST, SMALLEST_SINGLE = 5e-324, np.float32(1e-45)
EXTREME = {
    "1e300": (np.array([1.0, 2, 3, 4]) * 1e300, np.float64),
    "opposite": (np.array([1.0, -1, 1, -1]) * 1e308, np.float64),
    "largest": (np.array([1.0, -1, 1, 1]) * LARGEST, np.float64),
    "large beside small": (np.array([1, 2, 1e300, 2e300]), np.float64),
    "1e-300": (np.array([1.0, 2, 3, 4]) * 1e-300, np.float64),
    "denormal": (np.array([1.0, 2, 3, 4]) * 1e-310, np.float64),
    "zeros, then 1e-200": (np.array([0, 0, 1e-200, 2e-200]), np.float64),
    "single": (np.array([3e38, -3e38, 1e38, 2e38]), np.float32),
    "largest single": (np.array([1.0, -1, 1, -1]) * LARGEST_SINGLE, np.float32),
    "smallest single": (np.array([1.0, 2, 4, 5]) * SMALLEST_SINGLE, np.float32),
}


def from_batches(x, how):
    """A scaler that has seen the numbers x in one call, in two, or in two the other way round."""
    if how == "fit":
        return SequenceScaler().fit([x])
    first, second = ([x[:2]], [x[2:]]) if how == "partial_fit" else ([x[2:]], [x[:2]])
    return SequenceScaler().partial_fit(first).partial_fit(second)


@pytest.mark.parametrize("how", ["fit", "partial_fit", "reversed"])
@pytest.mark.parametrize(("x", "dtype"), EXTREME.values(), ids=EXTREME)
def test_numbers_near_the_ends_of_their_range(x, dtype, how):
    x = x.astype(dtype)
    with localcontext() as context:
        context.prec = 700
        exact = [Decimal(float(value)) for value in x]
        mean = sum(exact) / len(x)
        scale = (sum((value - mean) ** 2 for value in exact) / len(x)).sqrt()
        z = [float((value - mean) / scale) for value in exact]
    tolerance = 1e-6 if dtype == np.float32 else 1e-12

    scaler = from_batches(x, how)

    assert_allclose(scaler.mean_[0], float(mean), rtol=1e-12, atol=1e-12 * float(scale))
    assert_allclose(scaler.scale_[0], float(scale), rtol=1e-12)
    (scaled,) = scaler.transform([x])
    assert scaled.dtype == dtype
    assert_allclose(scaled, z, rtol=tolerance, atol=tolerance)
    assert_allclose(scaler.inverse_transform([scaled])[0] / x.max(), x / x.max(), rtol=tolerance, atol=tolerance)


@given(hnp.arrays(np.float64, st.integers(2, 9), elements=st.integers(-1000, 1000)), st.integers(-1000, 1000))
@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("how", ["fit", "partial_fit", "reversed"])
def test_a_power_of_two_changes_nothing(how, x, exponent):
    x = np.append(x, x[:2] + 1)
    scaler, other = from_batches(x, how), from_batches(np.ldexp(x, exponent), how)
    assert_allclose(other.transform([np.ldexp(x, exponent)])[0], scaler.transform([x])[0], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("mean", [1e308, -1e308])
def test_a_large_constant_is_zero(mean):
    scaler = SequenceScaler().fit([np.full(3, mean)])
    assert_array_equal(scaler.transform([np.full(2, mean)])[0], 0)
    assert_array_equal(scaler.inverse_transform([np.zeros(2)])[0], mean)


def test_what_leaves_the_range_is_named():
    scaler = SequenceScaler().fit([np.array([[0.0, 1e-300], [1.0, 3e-300]])])
    message = "X[1] at step 0, feature 1 leaves the range of float64 with the mean 2e-300 and scale 1e-300."
    with pytest.raises(ValueError, match=re.escape(message)):
        scaler.transform([np.zeros((2, 2)), np.array([[0.0, 1e10]])])
    scaler = SequenceScaler(with_std=False).fit([np.array([3e38, -3e38, -3e38], dtype=np.float32)])
    with pytest.raises(ValueError, match="X\\[0\\] at step 0, feature 0 leaves the range of float32"):
        scaler.transform([np.array([3e38], dtype=np.float32)])
    with pytest.raises(ValueError, match="leaves the range of float64"):
        SequenceScaler().fit([np.array([1e308, -1e308])]).inverse_transform([np.array([1e10])])


# Containers


@pytest.mark.parametrize(("container", "kind"), [(list, list), (tuple, tuple), (object_array, np.ndarray)])
@pytest.mark.parametrize("equal_lengths", [False, True])
def test_containers(X, container, kind, equal_lengths):
    if equal_lengths:
        X = [x[:1] for x in X]
    scaler = SequenceScaler().fit(X)
    out = scaler.transform(container(X))
    assert type(out) is kind
    assert_sequences_close(out, [(x - scaler.mean_) / scaler.scale_ for x in X])
    if kind is np.ndarray:
        assert out.dtype == object
        assert out.shape == (4,)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 1)])
def test_arrays(rng, shape):
    X = rng.normal(3, 2, size=shape)
    scaler = SequenceScaler().fit(X)
    out = scaler.transform(X)
    assert out.shape == shape
    assert out.flags.c_contiguous
    assert_allclose(out, (X - scaler.mean_) / scaler.scale_)
    assert_allclose(scaler.inverse_transform(out), X)


def test_univariate_items_stay_one_dimensional():
    X = [np.array([1.0, 2.0]), np.array([[3.0]]), [4.0]]
    out = SequenceScaler().fit_transform(X)
    assert [x.shape for x in out] == [(2,), (1, 1), (1,)]


def test_nested_lists_become_arrays():
    out = SequenceScaler().fit_transform([[1, 2], [3]])
    assert isinstance(out, list)
    assert_allclose(np.concatenate(out), np.array([-1, 0, 1]) / np.sqrt(2 / 3))
    assert isinstance(SequenceScaler().fit_transform([[1, 2], [3, 4]]), np.ndarray)


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
@pytest.mark.parametrize("kind", ["list", "3-D", "2-D"])
def test_input_is_not_modified(X, kind, method):
    X = {"list": X, "3-D": np.stack([x[:1] for x in X]), "2-D": np.arange(12.0).reshape(3, 4)}[kind]
    before = pickle.dumps(X)
    scaler = SequenceScaler().fit(X)
    for out in getattr(scaler, method)(X):
        out[:] = 7
    assert pickle.dumps(X) == before


def test_items_do_not_share_memory(X):
    first, second, *_ = SequenceScaler().fit_transform(X)
    assert first.base is None
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(X, dtype):
    X = [x.astype(dtype) for x in X]
    scaler = SequenceScaler().fit(X)
    for out in (scaler.transform(X), scaler.inverse_transform(X)):
        assert {x.dtype for x in out} == {np.dtype(dtype)}
    mixed = scaler.transform([X[0], X[1].astype(np.float64)])
    assert {x.dtype for x in mixed} == {np.dtype(np.float64)}


def test_pandas(X):
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(x, columns=["a", "b"], index=np.arange(len(x)) + 10) for x in X]
    scaler = SequenceScaler().fit(frames)
    expected = SequenceScaler().fit_transform(X)
    for frame, out, values in zip(frames, scaler.transform(frames), expected):
        pd.testing.assert_frame_equal(out, pd.DataFrame(values, columns=frame.columns, index=frame.index))
    series = pd.Series(X, index=list("wxyz"), name="s")
    scaler = SequenceScaler().fit(series)
    out = scaler.transform(series)
    assert isinstance(out, pd.Series)
    assert (out.index.tolist(), out.name) == (list("wxyz"), "s")
    assert_sequences_close(out, expected)
    equal = pd.Series([x[:1] for x in X])
    assert_sequences_close(scaler.transform(equal), [x[:1] for x in expected])
    column = pd.Series([1.0, 3.0], index=[5, 6], name="c")
    (out,) = SequenceScaler().fit_transform([column])
    pd.testing.assert_series_equal(out, pd.Series([-1.0, 1.0], index=[5, 6], name="c"))


def test_pandas_table(rng):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(rng.normal(size=(3, 2)), columns=["t0", "t1"], index=[4, 5, 6])
    scaler = SequenceScaler().fit(table)
    expected = (table - scaler.mean_[0]) / scaler.scale_[0]
    pd.testing.assert_frame_equal(scaler.transform(table), expected)
    assert scaler.get_feature_names_out().tolist() == ["t0", "t1"]


def test_polars(X):
    pl = pytest.importorskip("polars")
    expected = SequenceScaler().fit_transform(X)
    frames = [pl.DataFrame(x, schema=["a", "b"]) for x in X]
    for out, values in zip(SequenceScaler().fit_transform(frames), expected):
        assert isinstance(out, pl.DataFrame)
        assert out.columns == ["a", "b"]
        assert_allclose(out.to_numpy(), values)
    table = pl.DataFrame(np.array([[1.0, 3.0]]), schema=["t0", "t1"])
    assert SequenceScaler().fit_transform(table).to_dict(as_series=False) == {"t0": [-1.0], "t1": [1.0]}
    (out,) = SequenceScaler().fit_transform([pl.Series("c", [1, 3])])
    assert (out.name, out.to_list()) == ("c", [-1.0, 1.0])


@pytest.mark.parametrize(("element", "scaled"), [("Float32", "Float32"), ("Float64", "Float64"), ("Int64", "Float64")])
@pytest.mark.parametrize("values", [[[1, 3], [2]], [[[1, 1], [3, 3]], [[2, 2]]]])
def test_polars_lists(values, element, scaled):
    pl = pytest.importorskip("polars")
    dtype, expected = getattr(pl, element), getattr(pl, scaled)
    for _ in range(np.ndim(values[1])):
        dtype, expected = pl.List(dtype), pl.List(expected)
    out = SequenceScaler().fit_transform(pl.Series("s", values, dtype=dtype))
    assert (out.name, out.dtype) == ("s", expected)
    flat = np.array([np.ravel(item).tolist() for item in out[:1].to_list()])
    assert_allclose(np.unique(flat), [-np.sqrt(1.5), np.sqrt(1.5)], rtol=1e-6)


# In company


class SumClassifier(ClassifierMixin, BaseEstimator):
    """Tells sequences with a positive sum from the others."""

    def fit(self, X, y):
        assert isinstance(X, list)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[[int(x.sum() > 0) for x in X]]


def labelled(rng):
    y = np.arange(20) % 2
    return [rng.normal(100 + 4 * label, 1, size=(rng.integers(2, 6), 1)) for label in y], y


def test_pipeline_and_search(rng):
    X, y = labelled(rng)
    pipeline = make_pipeline(SequenceScaler(), SumClassifier())
    assert pipeline.fit(X, y).score(X, y) == 1
    search = GridSearchCV(pipeline, {"sequencescaler__with_mean": [False, True]}, cv=4).fit(X, y)
    assert search.best_params_ == {"sequencescaler__with_mean": True}


@pytest.mark.parametrize("transform", ["default", "pandas", None])
def test_set_output_leaves_sequences_alone(rng, transform):
    X, y = labelled(rng)
    pipeline = make_pipeline(SequenceScaler(), SumClassifier()).set_output(transform=transform)
    assert pipeline.fit(X, y).score(X, y) == 1
    scaler = SequenceScaler()
    assert scaler.set_output(transform=transform) is scaler


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output_chooses_the_frame_of_tables(rng, library):
    frames = pytest.importorskip(library)
    table = rng.standard_normal((5, 3))
    scaler = SequenceScaler().set_output(transform=library)

    frame = clone(scaler).fit_transform(table)

    assert type(frame) is frames.DataFrame
    assert list(frame.columns) == ["x0", "x1", "x2"]
    assert_allclose(frame.to_numpy(), (table - table.mean()) / table.std())


def test_set_output_names_what_it_knows(rng):
    scaler = SequenceScaler().set_output(transform="excel")
    with pytest.raises(ValueError, match="got transform='excel'"):
        scaler.fit_transform(rng.standard_normal((5, 3)))


def test_feature_names_out(X):
    assert SequenceScaler().fit(X).get_feature_names_out().tolist() == ["x0", "x1"]
    assert SequenceScaler().fit(X).get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]


def test_pickle_and_clone(X):
    scaler = SequenceScaler(with_std=False).fit(X)
    assert_sequences_close(pickle.loads(pickle.dumps(scaler)).transform(X), scaler.transform(X), rtol=0)
    assert clone(scaler).get_params() == {"with_mean": True, "with_std": False}
    assert not hasattr(clone(scaler), "mean_")


# Messages


@pytest.mark.parametrize("name", ["with_mean", "with_std"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_parameters(X, name, method):
    scaler = SequenceScaler(**{name: "yes"})
    with pytest.raises(
        ValueError, match=f"The '{name}' parameter of SequenceScaler must be .*bool.* Got 'yes' instead."
    ):
        getattr(scaler, method)(X)
    assert not hasattr(scaler, "mean_")


def test_other_features_than_in_fit(X):
    scaler = SequenceScaler().fit(X)
    before = dict(vars(scaler))
    message = re.escape(
        "X[1] has 3 features per step, but SequenceScaler was fitted on sequences of 2. "
        "Pass arrays of shape (n_steps, 2)."
    )
    for method in (scaler.partial_fit, scaler.transform, scaler.inverse_transform):
        with pytest.raises(ValueError, match=message):
            method([X[0], np.ones((4, 3))])
    assert vars(scaler) == before


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_not_fitted(X, method):
    with pytest.raises(NotFittedError):
        getattr(SequenceScaler(), method)(X)
