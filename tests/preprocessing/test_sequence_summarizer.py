"""SequenceSummarizer: statistics of each sequence, as NumPy computes them."""

import pickle

import numpy as np
import pytest
from helpers import object_array, raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn.preprocessing import SequenceSummarizer, StepTransformer

BY_HAND = {
    "mean": lambda x: x.mean(0),
    "std": lambda x: x.std(0),
    "min": lambda x: x.min(0),
    "max": lambda x: x.max(0),
    "first": lambda x: x[0],
    "last": lambda x: x[-1],
    "length": lambda x: [len(x)],
}


@pytest.fixture
def X(rng):
    return [rng.normal(3, 2, size=(n, 2)) for n in rng.integers(1, 9, size=20)]


@pytest.mark.parametrize("statistics", [list(BY_HAND), ["last", "mean"], *([name] for name in BY_HAND)])
def test_statistics(X, statistics):
    expected = [np.concatenate([BY_HAND[name](x) for name in statistics]) for x in X]
    assert_allclose(SequenceSummarizer(statistics).fit_transform(X), expected, rtol=1e-12)


def test_all_by_default(X):
    assert_array_equal(SequenceSummarizer().fit_transform(X), SequenceSummarizer(tuple(BY_HAND)).fit_transform(X))


@pytest.mark.parametrize("value", [0.1, 1e300, 1e-300])
def test_the_deviation_of_a_constant_is_zero(value):
    assert_array_equal(SequenceSummarizer(["std"]).fit_transform([np.full(7, value)]), [[0]])


@pytest.mark.parametrize("scale", [1e305, 1e-305])
def test_ends_of_the_range(rng, scale):
    x = rng.normal(size=(50, 1))
    expected = SequenceSummarizer(["mean", "std"]).fit_transform([x])
    assert_allclose(SequenceSummarizer(["mean", "std"]).fit_transform([x * scale]) / scale, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [list, tuple, object_array, np.stack])
def test_containers(rng, kind, dtype):
    sequences = [rng.normal(size=(4, 2)).astype(dtype) for _ in range(3)]
    output = SequenceSummarizer().fit_transform(kind(sequences))
    assert output.dtype == dtype
    assert_array_equal(output, SequenceSummarizer().fit_transform(sequences))


def test_a_table_holds_sequences_of_one_feature(rng):
    X = rng.normal(size=(5, 4))
    summarizer = SequenceSummarizer(["mean", "length"]).fit(X)
    assert_allclose(summarizer.transform(X), np.column_stack([X.mean(1), np.full(5, 4)]))
    assert summarizer.get_feature_names_out().tolist() == ["mean", "length"]
    assert_allclose(summarizer.transform([[1.0, 3.0], [2.0]]), [[2, 2], [2, 1]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_in_and_out(library):
    frames = pytest.importorskip(library)
    X = [frames.DataFrame({"a": [1.0, 3.0], "b": [4, 6]}), frames.DataFrame({"a": [5.0], "b": [7]})]
    summarizer = SequenceSummarizer(["mean", "length"]).set_output(transform=library)
    table = summarizer.fit_transform(X)
    assert type(table) is frames.DataFrame
    assert list(table.columns) == ["a_mean", "b_mean", "length"]
    assert_array_equal(table.to_numpy(), [[2, 5, 2], [5, 7, 1]])


def test_names(X):
    summarizer = SequenceSummarizer(["max", "length", "first"]).fit(X)
    assert summarizer.get_feature_names_out().tolist() == ["x0_max", "x1_max", "length", "x0_first", "x1_first"]
    assert summarizer.get_feature_names_out(["p", "q"]).tolist() == ["p_max", "q_max", "length", "p_first", "q_first"]


def test_pipeline_and_search(rng):
    y = np.arange(20) % 2
    X = [rng.normal(3 * label, 1, size=(rng.integers(2, 6), 1)) for label in y]
    pipeline = make_pipeline(SequenceSummarizer(), LogisticRegression())
    search = GridSearchCV(pipeline, {"sequencesummarizer__statistics": [["length"], ["mean", "last"]]}, cv=4).fit(X, y)
    assert search.best_params_ == {"sequencesummarizer__statistics": ["mean", "last"]}
    assert search.score(X, y) == 1


def test_categories_are_encoded_first():
    pd = pytest.importorskip("pandas")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    X = [pd.DataFrame({"a": list(text)}) for text in ("xxy", "yy", "xy", "yyx")]
    y = [1, 0, 1, 0]
    steps = StepTransformer(preprocessing.OneHotEncoder()), SequenceSummarizer(["first"])
    forest = make_pipeline(*steps, RandomForestClassifier(5, random_state=0)).fit(X, y)
    assert forest.score(X, y) == 1


def test_pickle(X):
    summarizer = SequenceSummarizer().fit(X)
    assert_array_equal(pickle.loads(pickle.dumps(summarizer)).transform(X), summarizer.transform(X))


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        ([], "statistics is empty. Pass some of mean, std, min, max, first, last, length."),
        (["mean", "sum"], "statistics holds 'sum'. Pass some of"),
        (["mean", "mean"], "statistics holds 'mean' twice. Name each once."),
        ("mean", "statistics"),
        (5, "The 'statistics' parameter of SequenceSummarizer must be"),
        ({"mean"}, "statistics"),
    ],
)
def test_statistics_that_are_refused(X, statistics, message):
    with raises(ValueError, message):
        SequenceSummarizer(statistics).fit(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([np.array([[1, np.nan]])], "Input X[0] contains NaN."),
        ([np.array([["a", "b"]])], "X[0] has dtype <U1, but numbers are needed."),
        ([np.ones((2, 3))], "X[0] has 3 features per step, but SequenceSummarizer was fitted on sequences of 2."),
        ([], "X is empty"),
    ],
)
def test_sequences_that_are_refused(X, message):
    with raises(ValueError, message):
        SequenceSummarizer().fit([np.ones((2, 2))]).transform(X)


def test_not_fitted(X):
    for method in (SequenceSummarizer().transform, SequenceSummarizer().get_feature_names_out):
        with pytest.raises(NotFittedError):
            method(X)
