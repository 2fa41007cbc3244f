"""StepTransformer: any transformer of tables, for the steps of all sequences."""

import pickle

import numpy as np
import pytest
from helpers import assert_sequences_equal, object_array, raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from skrnn import RNNSequenceClassifier, RNNSequenceTagger
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer
from skrnn.sequences import to_column

LENGTHS = [4, 1, 3, 6, 2]


@pytest.fixture
def X(rng):
    return [rng.normal(5, 3, size=(n, 3)) for n in LENGTHS]


def frames_of(library, rng, lengths=LENGTHS):
    """Sequences of a text and two numbers."""
    return [
        library.DataFrame({"act": list(rng.choice(["a", "b"], n)), "x": rng.normal(size=n), "y": rng.normal(size=n)})
        for n in lengths
    ]


def scaled_and_kept():
    return make_column_transformer(
        (StandardScaler(), ["x", "y"]), remainder="passthrough", verbose_feature_names_out=False
    )


# Arrays


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        PCA(2, random_state=0),
        KBinsDiscretizer(2, strategy="uniform"),
        KBinsDiscretizer(2, strategy="uniform", encode="ordinal"),
        make_pipeline(StandardScaler(), PCA(2, random_state=0)),
        FunctionTransformer(np.cbrt),
        make_column_transformer((MinMaxScaler(), [0, 2]), ("drop", [1])),
    ],
    ids=lambda transformer: type(transformer).__name__,
)
def test_steps_are_the_samples(X, transformer):
    expected = clone(transformer).fit_transform(np.concatenate(X))
    expected = expected.toarray() if hasattr(expected, "toarray") else expected
    steps = StepTransformer(transformer)
    expected = np.split(expected, np.cumsum(LENGTHS)[:-1])
    for output in (steps.fit_transform(X), steps.transform(X), steps.transform(X[::-1])[::-1]):
        assert [x.dtype for x in output] == [x.dtype for x in expected]
        for x, values in zip(output, expected, strict=True):
            assert_allclose(x, values, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("transformer", [StandardScaler(), PCA(3), OneHotEncoder(), OrdinalEncoder()])
def test_inverse(X, transformer):
    X = [np.round(x) for x in X]
    steps = StepTransformer(transformer).fit(X)
    for x, back in zip(X, steps.inverse_transform(steps.transform(X)), strict=True):
        assert_allclose(back.astype(float), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [list, tuple, object_array, np.stack])
@pytest.mark.parametrize(("transformer", "n"), [(StandardScaler(), 2), (PCA(1), 1)])
def test_containers(rng, kind, dtype, transformer, n):
    sequences = [rng.normal(size=(4, 2)).astype(dtype) for _ in range(3)]
    X = kind(sequences)
    output = StepTransformer(transformer).fit_transform(X)
    assert type(output) is type(X)
    assert len(output) == 3
    assert all(x.shape == (4, n) and x.dtype == dtype for x in output)


def test_tables(rng):
    X = rng.normal(size=(5, 4))
    steps = StepTransformer(StandardScaler()).fit(X)
    assert_allclose(steps.transform(X), (X - X.mean()) / X.std())
    assert_allclose(steps.inverse_transform(steps.transform(X)), X)
    assert steps.get_feature_names_out().tolist() == ["x0", "x1", "x2", "x3"]
    functions = StepTransformer(FunctionTransformer(np.cbrt))  # which has no get_feature_names_out
    assert_array_equal(functions.fit_transform(X), np.cbrt(X))
    ordinal = np.round(X).clip(-1, 1)
    encoder = StepTransformer(OneHotEncoder()).fit(ordinal)
    assert encoder.transform(ordinal).shape == (5, 4, 3)
    assert_array_equal(encoder.inverse_transform(encoder.transform(ordinal)), ordinal)


@pytest.mark.parametrize(
    "X",
    [
        [["u", "v"], ["w"]],
        ["uv", "w"],
        [np.array(["u", "v"]), np.array(["w"])],
        [np.array(["u", "v"], dtype=object), np.array(["w"], dtype=object)],
    ],
)
def test_tokens(X):
    onehot = StepTransformer(OneHotEncoder()).fit_transform(X)
    assert_sequences_equal(onehot, [np.array([[1.0, 0, 0], [0, 1, 0]]), np.array([[0, 0, 1.0]])])
    assert_sequences_equal(StepTransformer(OrdinalEncoder()).fit_transform(X), [np.array([0.0, 1]), np.array([2.0])])


def test_numbers_beside_text_stay_numbers():
    X = [[["u", 10], ["v", 9]], [["u", 10]]]
    steps = StepTransformer(OneHotEncoder()).fit(X)
    assert [values.tolist() for values in steps.transformer_.categories_] == [["u", "v"], [9, 10]]
    mixed = [np.array(["a", "b"]), np.array([1, 2])]
    with pytest.raises(TypeError, match="uniformly strings or numbers"):
        StepTransformer(OneHotEncoder()).fit(mixed)


def test_gaps_are_the_transformers():
    X = [np.array([[np.nan], [1.0]]), np.array([[3.0]])]
    assert_array_equal(StepTransformer(SimpleImputer()).fit_transform(X)[0], [[2], [1]])
    with raises(ValueError, "Input X contains NaN."):
        StepTransformer(PCA(1)).fit(X)


# Frames


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_numbers_scaled_and_categories_kept(name, rng):
    library = pytest.importorskip(name)
    X = frames_of(library, rng)
    rows = library.concat(X)
    numbers = StandardScaler().fit_transform(rows[["x", "y"]].to_numpy())
    output = StepTransformer(scaled_and_kept()).fit_transform(X)
    assert all(type(frame) is library.DataFrame and list(frame.columns) == ["x", "y", "act"] for frame in output)
    assert_allclose(np.concatenate([frame[["x", "y"]].to_numpy() for frame in output]), numbers)
    assert [value for frame in output for value in frame["act"].to_list()] == rows["act"].to_list()


@pytest.mark.parametrize("name", ["pandas", "polars"])
@pytest.mark.parametrize(
    "transformer",
    [
        OneHotEncoder(),
        make_column_transformer((OneHotEncoder(), ["act"]), (StandardScaler(), ["x"])),
        make_column_transformer((KBinsDiscretizer(2, strategy="uniform"), ["y"])),
        FunctionTransformer(lambda frame: frame[["x"]]),
    ],
)
def test_frames_stay_frames(name, rng, transformer):
    library = pytest.importorskip(name)
    X = frames_of(library, rng)
    steps = StepTransformer(transformer).fit(X)
    output = steps.transform(X)
    assert all(type(frame) is library.DataFrame for frame in output)
    assert [len(frame) for frame in output] == LENGTHS
    if hasattr(steps, "get_feature_names_out"):
        assert list(output[0].columns) == steps.get_feature_names_out().tolist()


def test_index_and_dtypes_of_pandas(rng):
    pd = pytest.importorskip("pandas")
    X = [frame.set_index(frame.index + 10 * i) for i, frame in enumerate(frames_of(pd, rng))]
    X = [frame.astype({"x": np.float32, "y": np.float32}) for frame in X]
    for x, frame in zip(X, StepTransformer(scaled_and_kept()).fit_transform(X), strict=True):
        assert frame.index.equals(x.index)
        assert frame.dtypes[["x", "y", "act"]].tolist() == [np.float32, np.float32, x["act"].dtype]


def test_categories_of_pandas_stay_categories():
    pd = pytest.importorskip("pandas")
    X = [pd.DataFrame({"act": pd.Categorical(codes), "x": 1.0, "y": 2.0}) for codes in ([3, 1], [2])]
    output = StepTransformer(scaled_and_kept()).fit_transform(X)
    assert [frame["act"].dtype for frame in output] == ["category"] * 2
    assert [frame["act"].tolist() for frame in output] == [[3, 1], [2]]
    ordered = [
        pd.DataFrame({"act": pd.Categorical(list(codes), ordered=True), "x": 1.0, "y": 2.0}) for codes in ("ab", "c")
    ]
    with raises(ValueError, "The frames in X cannot be joined: to union ordered Categoricals, all categories must be"):
        StepTransformer(scaled_and_kept()).fit(ordered)


def test_tables_of_pyarrow_become_arrays():
    pa = pytest.importorskip("pyarrow")
    X = [pa.table({"x": [1.0, 3.0]}), pa.table({"x": [2.0]})]
    output = StepTransformer(MinMaxScaler()).fit_transform(X)
    assert_sequences_equal(output, [np.array([[0.0], [1]]), np.array([[0.5]])])


def test_set_output(X, rng):
    pd = pytest.importorskip("pandas")
    steps = StepTransformer(StandardScaler()).set_output(transform="pandas")
    output = steps.fit_transform(X)
    assert all(type(frame) is pd.DataFrame and list(frame.columns) == ["x0", "x1", "x2"] for frame in output)
    assert type(clone(steps).fit_transform(np.stack([X[0], X[0]]))[0]) is pd.DataFrame
    assert type(steps.set_output(transform="default").transform(X)[0]) is np.ndarray
    with config_context(transform_output="pandas"):
        assert type(StepTransformer(StandardScaler()).fit_transform(X)[0]) is pd.DataFrame
    frames = frames_of(pd, rng)
    arrays = StepTransformer(OneHotEncoder()).set_output(transform="default").fit_transform(frames)
    assert all(type(x) is np.ndarray for x in arrays)
    own = StepTransformer(OneHotEncoder().set_output(transform="default")).fit_transform(frames)
    assert_sequences_equal(own, arrays)
    polars = pytest.importorskip("polars")
    table = StepTransformer(StandardScaler()).set_output(transform="polars").fit_transform(np.ones((2, 3)))
    assert type(table) is polars.DataFrame
    lists = polars.Series("s", [[1.0, 3.0], [2.0]])
    assert_allclose(StepTransformer(MinMaxScaler()).fit_transform(lists).to_list()[0], [0, 1])
    assert len(StepTransformer(MinMaxScaler()).set_output(transform="polars").fit_transform(lists)[0]) == 2
    with raises(ValueError, "set_output got transform='excel'."):
        StepTransformer(StandardScaler()).set_output(transform="excel").fit(X)


def test_a_column_of_sequences_stays_one(X):
    pd, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    table = pd.DataFrame({"s": X, "n": range(5)}, index=list("abcde"))
    steps = StepTransformer(StandardScaler()).fit(table[["s"]])
    wanted = StepTransformer(StandardScaler()).fit_transform(X)
    columns = ColumnTransformer([("steps", steps, ["s"])], remainder="passthrough").set_output(transform="pandas")

    assert steps.get_feature_names_out(["s"]).tolist() == steps.get_feature_names_out().tolist() == ["s"]
    assert_sequences_equal(columns.fit_transform(table)["steps__s"].tolist(), wanted)
    for library, name in ((pd, "pandas"), (polars, "polars")):
        output = clone(steps).set_output(transform=name).fit_transform(to_column(X))
        assert type(output) is library.DataFrame
        assert output.shape == (5, 1)
        assert_sequences_equal(list(output["x0"]), wanted)


def test_sparse_output_becomes_dense(X):
    output = StepTransformer(SparseOutput()).fit_transform(X)
    assert_sequences_equal(output, X)


class SparseOutput(TransformerMixin, BaseEstimator):
    """Returns what it gets, as a sparse matrix."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        from scipy.sparse import csr_array

        return csr_array(X)


def test_what_cannot_be_configured(X):
    with raises(ValueError, "SparseOutput has no set_output, so the container of its output cannot be chosen."):
        StepTransformer(SparseOutput()).set_output(transform="pandas").fit(X)


# What comes beside X


def test_y_is_repeated(X):
    y = np.array([0, 1, 1, 0, 1])
    expected = SelectKBest(f_classif, k=2).fit_transform(np.concatenate(X), np.repeat(y, LENGTHS))
    steps = StepTransformer(SelectKBest(f_classif, k=2))
    for labels in (y, y.tolist(), [np.full(n, label) for n, label in zip(LENGTHS, y)]):
        assert_array_equal(np.concatenate(steps.fit_transform(X, labels)), expected)


def test_y_of_steps(X, rng):
    y = [rng.integers(0, 2, n) for n in LENGTHS]
    expected = SelectKBest(f_classif, k=1).fit(np.concatenate(X), np.concatenate(y))
    steps = StepTransformer(SelectKBest(f_classif, k=1)).fit(X, [labels.tolist() for labels in y])
    assert_array_equal(steps.transformer_.scores_, expected.scores_)


class CrossFitted(StandardScaler):
    """Transforms what it learns from in another way, as TargetEncoder does."""

    def fit_transform(self, X, y=None, **params):
        return self.fit(X, y, **params).transform(X) + y[:, np.newaxis]


def test_fit_transform_is_the_transformers(X):
    steps = StepTransformer(CrossFitted())
    trained, later = steps.fit_transform(X, np.arange(5.0)), steps.transform(X)
    for i, (a, b) in enumerate(zip(trained, later, strict=True)):
        assert_array_equal(a, b + i)


def test_target_encoder(rng):
    X = [rng.choice(["u", "v"], size=(n, 1)).astype(object) for n in rng.integers(1, 5, size=20)]
    y = rng.normal(size=20)
    steps = StepTransformer(TargetEncoder(target_type="continuous")).fit(X, y)
    expected = TargetEncoder(target_type="continuous").fit(np.concatenate(X), np.repeat(y, [len(x) for x in X]))
    assert_array_equal(np.concatenate(steps.transform(X)), expected.transform(np.concatenate(X)))


def test_weights_are_repeated(X):
    weights = [1.0, 0.0, 2.0, 0.5, 3.0]
    expected = StandardScaler().fit(np.concatenate(X), sample_weight=np.repeat(weights, LENGTHS))
    steps = StepTransformer(StandardScaler())
    assert_array_equal(steps.fit(X, sample_weight=weights).transformer_.mean_, expected.mean_)
    of_steps = [np.full(n, weight) for n, weight in zip(LENGTHS, weights)]
    assert_array_equal(steps.fit(X, sample_weight=of_steps).transformer_.mean_, expected.mean_)
    assert_array_equal(
        np.concatenate(steps.fit_transform(X, sample_weight=weights)), expected.transform(np.concatenate(X))
    )
    steps.fit(X, sample_weight=None)


def test_metadata_routing(X):
    weights = np.array([1.0, 0.0, 2.0, 0.5, 3.0])
    expected = StandardScaler().fit(np.concatenate(X), sample_weight=np.repeat(weights, LENGTHS))
    with config_context(enable_metadata_routing=True):
        inner = StandardScaler().set_fit_request(sample_weight=True)
        steps = StepTransformer(inner).fit(X, sample_weight=weights)
        assert_array_equal(steps.transformer_.mean_, expected.mean_)
        pipeline = make_pipeline(StepTransformer(inner), FunctionTransformer()).fit(X, sample_weight=weights)
        assert_array_equal(pipeline[0].transformer_.mean_, expected.mean_)
        with pytest.raises(TypeError, match="sample_weight"):
            StepTransformer(StandardScaler().set_fit_request(sample_weight=False)).fit(X, sample_weight=weights)


def test_partial_fit(X):
    steps = StepTransformer(IncrementalPCA(1)).partial_fit(X[:2]).partial_fit(X[2:])
    expected = IncrementalPCA(1).partial_fit(np.concatenate(X[:2])).partial_fit(np.concatenate(X[2:]))
    assert_array_equal(np.concatenate(steps.transform(X)), expected.transform(np.concatenate(X)))
    assert not hasattr(StepTransformer(PCA()), "partial_fit")
    with raises(ValueError, "X[0] has 2 features per step, but StepTransformer was fitted on sequences of 3."):
        steps.partial_fit([np.ones((2, 2))])


# In company


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_frames_for_the_network(name, rng):
    library = pytest.importorskip(name)
    X = frames_of(library, rng, lengths=rng.integers(1, 6, size=12))
    y = np.arange(12) % 2
    network = RNNSequenceClassifier(hidden_size=2, max_iter=1, learning_rate="cosine", random_state=0)
    pipeline = make_pipeline(StepTransformer(scaled_and_kept()), network).fit(X, y)
    assert list(pipeline[-1].categories_) == ["act"]
    grid = {"steptransformer__transformer__standardscaler__with_mean": [False, True]}
    assert GridSearchCV(pipeline, grid, cv=2).fit(X, y).predict(X).shape == (12,)


def test_gaps_beside_categories(rng):
    pd = pytest.importorskip("pandas")
    X = frames_of(pd, rng)
    X[0].loc[1, "x"] = np.nan
    encode = make_column_transformer((OneHotEncoder(), ["act"]), remainder="passthrough")
    output = make_pipeline(StepTransformer(encode), SequenceImputer()).fit_transform(X)
    assert output[0]["remainder__x"].tolist()[1] == X[0]["x"][0]


def test_labels_of_steps_in_a_pipeline(X):
    y = [list("pq" * n)[:n] for n in LENGTHS]
    tagger = RNNSequenceTagger(hidden_size=2, max_iter=1, learning_rate="cosine", random_state=0)
    pipeline = make_pipeline(StepTransformer(SelectKBest(f_classif, k=1)), tagger).fit(X, y)
    assert [len(labels) for labels in pipeline.predict(X)] == LENGTHS


def test_pickle_and_parameters(X):
    steps = StepTransformer(PCA(2)).fit(X)
    assert_sequences_equal(pickle.loads(pickle.dumps(steps)).transform(X), steps.transform(X))
    assert steps.get_params()["transformer__n_components"] == 2
    assert steps.transformer_ is not steps.transformer
    assert not hasattr(steps.transformer, "components_")
    assert steps.get_feature_names_out().tolist() == ["pca0", "pca1"]


def test_methods_are_those_of_the_transformer():
    assert not hasattr(StepTransformer(SparseOutput()), "inverse_transform")
    assert not hasattr(StepTransformer(SparseOutput()), "get_feature_names_out")
    assert hasattr(StepTransformer(StandardScaler()), "inverse_transform")


def test_X_is_not_modified(X):
    before = [x.copy() for x in X]
    StepTransformer(StandardScaler(copy=False)).fit_transform(X)
    stacked = np.stack([X[0], X[0]])
    StepTransformer(StandardScaler(copy=False)).fit_transform(stacked)
    assert_sequences_equal(X, before)
    assert_sequences_equal(stacked, [before[0]] * 2)


# Messages


def same_names(frames, library):
    return [frames.DataFrame({"x": [1.0]}), library.DataFrame({"x": [1.0]})]


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([], None, "X is empty"),
        ([np.ones((2, 2)), np.ones((0, 2))], None, "X[1] is empty: every sequence needs at least one step."),
        ([np.ones((2, 2)), np.ones((2, 3))], None, "X[1] has 3 features per step, X[0] has 2."),
        ([np.ones((2, 2, 2))], None, "X[0] has 3 dimensions (shape (2, 2, 2))"),
        (np.ones((2, 0, 2)), None, "X has no steps (shape (2, 0, 2))"),
        ([np.array([["a"]])], None, "could not convert string to float"),
        ([np.ones((2, 2))], [1, 2], "X has 1 sequence, but y has 2 entries. Pass one for each sequence"),
        ([np.ones((2, 2)), np.ones((1, 2))], [[1, 2, 3], [1]], "y[0] has 3 values, but X[0] has 2 steps."),
    ],
)
def test_what_is_refused(X, y, message):
    steps = StepTransformer(StandardScaler()).fit([np.ones((2, 1))])
    before = dict(vars(steps))
    with raises(ValueError, message):
        steps.fit(X, y)
    assert vars(steps) == before


def test_frames_that_do_not_agree():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    steps = StepTransformer(StandardScaler())
    with raises(TypeError, "X[1] is of polars, but X[0] is a frame of pandas. Pass frames of one."):
        steps.fit(same_names(pd, pl))
    with raises(ValueError, "X[1] has the columns ['y'], X[0] has the columns ['x']."):
        steps.fit([pd.DataFrame({"x": [1.0]}), pd.DataFrame({"y": [1.0]})])
    with raises(ValueError, "X[1] has no column names, X[0] has the columns ['x']."):
        steps.fit([pd.DataFrame({"x": [1.0]}), np.ones((1, 1))])
    with raises(ValueError, "X[1] has shape (0, 1): every sequence needs at least one step and one feature."):
        steps.fit([pd.DataFrame({"x": [1.0]}), pd.DataFrame({"x": []})])
    with raises(ValueError, "The frames in X cannot be joined: "):
        steps.fit([pl.DataFrame({"x": [1.0]}), pl.DataFrame({"x": ["a"]})])
    with raises(ValueError, "The feature names should match those that were passed during fit."):
        steps.fit([pd.DataFrame({"x": [1.0]})]).transform([pd.DataFrame({"y": [1.0]})])


def test_a_row_for_each_step(X):
    with raises(ValueError, "FunctionTransformer returned shape (1, 3) for 16 steps, but one row for each step is"):
        StepTransformer(FunctionTransformer(lambda rows: rows[:1])).fit_transform(X)


@pytest.mark.parametrize("transformer", [None, "passthrough", 5])
def test_what_is_no_transformer(X, transformer):
    with raises(ValueError, "The 'transformer' parameter of StepTransformer must be an object implementing"):
        StepTransformer(transformer).fit(X)


@pytest.mark.parametrize("wrap", [clone, lambda transformer: make_pipeline(StandardScaler(), transformer)])
@pytest.mark.parametrize("transformer", [SequenceScaler(), SequenceSummarizer(), StepTransformer(PCA())])
def test_transformers_of_sequences_are_no_transformers_of_steps(X, transformer, wrap):
    with raises(ValueError, f"{type(transformer).__name__} reads sequences, but a StepTransformer would pass it"):
        StepTransformer(wrap(transformer)).fit(X)


def test_not_fitted(X):
    steps = StepTransformer(StandardScaler())
    for method in (steps.transform, steps.inverse_transform, steps.get_feature_names_out):
        with pytest.raises(NotFittedError):
            method(X)
