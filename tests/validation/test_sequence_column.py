"""A table of one column whose cells are sequences is the list of its cells, with `n_features_in_` of 1."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from helpers import assert_sequences_equal, object_array, raises
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    RNNNextTokenModel,
    RNNSequenceAnomalyDetector,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
)
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer
from skrnn.sequences import from_channels_first, to_column, to_forecasting, to_padded

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FEATURES = [np.sin(np.arange(2.0 * n)).reshape(n, 2) * (-1) ** n for n in (3, 2, 4, 1, 3, 2)]
NUMBERS = [x[:, 0] for x in FEATURES]
ONE_LENGTH = [x[:1] for x in FEATURES]
TOKENS = [["a", "b"], ["b"], ["c", "a", "a"], ["b", "b"], ["a"], ["c", "b"]]
IDS = [[5, 7], [7], [5, 5, 9], [9], [7, 7], [5]]
KINDS = {"features": FEATURES, "numbers": NUMBERS, "one length": ONE_LENGTH, "tokens": TOKENS, "ids": IDS}
Y = np.arange(6) % 2


def in_array(items):
    return object_array(items)[:, np.newaxis]


def in_pandas(items):
    return pd.DataFrame({"x": object_array(items)}, index=range(6, 6 - len(items), -1))


def as_lists(items):
    return [np.asarray(item).tolist() for item in items]


COLUMNS = {
    "arrays": in_array,
    "lists": lambda items: in_array(as_lists(items)),
    "tuples": lambda items: in_array([tuple(item) for item in items]),
    "pandas": in_pandas,
    "pandas, lists": lambda items: in_pandas(as_lists(items)),
    "pandas, Arrow": lambda items: pd.DataFrame(
        {"x": pd.Series(as_lists(items), dtype=pd.ArrowDtype(pa.array(as_lists(items)).type))}
    ),
    "polars": lambda items: pl.DataFrame({"x": as_lists(items)}),
    "polars, objects": lambda items: pl.DataFrame({"x": pl.Series(items, dtype=pl.Object)}),
    "pyarrow": lambda items: pa.table({"x": as_lists(items)}),
}
each_column = pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)


def classifier(**params):
    return RNNSequenceClassifier(**{"hidden_size": 3, "max_iter": 2, "random_state": 0, **params})


def fitted(model, X, kind="features"):
    """Fit a clone of an estimator, or the token model, on sequences of that kind."""
    model = clone(model)
    if isinstance(model, SequenceScaler | RNNNextTokenModel):
        return model.fit(X)
    if kind == "ids":
        model.set_params(input_type="tokens")
    return model.fit(X, [[str(k % 2) for k in range(len(x))] for x in KINDS[kind]] if is_tagger(model) else Y)


def is_tagger(model):
    return isinstance(model, RNNSequenceTagger)


def answers(model, X):
    """All that an estimator says of X, as arrays."""
    if isinstance(model, RNNNextTokenModel):
        written = model.generate(X, max_new_tokens=2, random_state=0)
        texts = ["".join(map(str, item)) for item in written]
        return [model.predict_proba(X), model.score_samples(X), model.transform(X), np.array(texts)]
    if is_tagger(model):
        return [np.concatenate(model.predict_proba(X)), np.concatenate(model.predict(X))]
    return [model.predict(X), model.transform(X)]


MODELS = {
    "classifier": classifier(),
    "regressor": RNNSequenceRegressor(3, max_iter=2, random_state=0),
    "tagger": RNNSequenceTagger(3, max_iter=2, random_state=0),
    "token model": RNNNextTokenModel(3, max_iter=2, random_state=0),
}
CASES = [(name, kind) for name in MODELS for kind in KINDS if name != "token model" or kind in ("tokens", "ids")]


@each_column
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_column_is_the_list_of_its_cells(name, kind, column):
    X = KINDS[kind]
    on_list, on_column = fitted(MODELS[name], X, kind), fitted(MODELS[name], column(X), kind)

    wanted = answers(on_list, X)
    for got in (answers(on_column, X), answers(on_column, column(X)), answers(on_list, column(X))):
        for a, b in zip(got, wanted, strict=True):
            assert_array_equal(a, b)

    assert on_column.n_features_in_ == 1
    assert getattr(on_column, "n_inputs_", None) == getattr(on_list, "n_inputs_", None)
    names = ["x"] if hasattr(column(X), "columns") else None
    assert getattr(on_column, "feature_names_in_", np.array(None)).tolist() == names
    stored = pickle.loads(pickle.dumps(on_column))
    assert stored.n_features_in_ == 1
    for a, b in zip(answers(stored, column(X)), wanted, strict=True):
        assert_array_equal(a, b)


@each_column
def test_a_refit_forgets_what_X_was(column):
    model, scaler = classifier(), SequenceScaler()
    for X, n, names in (
        (column(FEATURES), 1, hasattr(column(FEATURES), "columns")),
        (FEATURES, 2, False),
        (np.ones((6, 4)), 4, False),
    ):
        model.fit(X, Y)
        scaler.fit(X)
        assert (model.n_features_in_, scaler.n_features_in_) == (n, n)
        assert hasattr(model, "feature_names_in_") == hasattr(scaler, "feature_names_in_") == names


def test_cells_of_one_length_fix_no_length():
    """Lists of one length are a table, but a column of them says that each is a sequence."""
    model = classifier().fit(in_array([[0.0, 1.0]] * 6), Y)

    assert (model.n_features_in_, model.n_inputs_) == (1, 1)
    assert_array_equal(model.predict_proba(in_array([[1.0, 2.0, 3.0]])), model.predict_proba([np.arange(1.0, 4.0)]))


def test_what_is_passed_later_is_held_against_the_features():
    model = classifier().fit(in_array(FEATURES), Y)

    with raises(ValueError, "X[1] has 1 feature per step, but RNNSequenceClassifier was fitted on sequences of 2."):
        model.predict(in_array([FEATURES[0], NUMBERS[1]]))
    with raises(
        ValueError, "X has 2 dimensions (shape (6, 1)), but RNNSequenceClassifier was fitted on sequences of 2"
    ):
        model.predict(np.ones((6, 1)))
    with raises(TypeError, "X holds text, but the model was fitted on numbers."):
        model.predict(in_array(TOKENS))
    with raises(TypeError, "X[0] holds numbers, but the model was fitted on strings"):
        classifier().fit(in_array(TOKENS), Y).predict(in_array(NUMBERS))


def test_a_warm_start_and_a_partial_fit_take_the_other_container():
    for first, second in ((in_array, list), (list, in_array)):
        model = classifier(warm_start=True).fit(first(FEATURES), Y)
        model.fit(second(FEATURES), Y).partial_fit(second(FEATURES), Y)
        assert model.n_features_in_ == (1 if first is in_array else 2)
        assert model.n_iter_ == 5


# Validation sequences, and scorers


@pytest.mark.parametrize("kind", ["features", "tokens"])
@pytest.mark.parametrize("scoring", ["loss", "accuracy"])
@pytest.mark.parametrize("column", [in_array, in_pandas])
def test_early_stopping(kind, scoring, column):
    X, y = KINDS[kind] * 4, np.tile(Y, 4)
    make = classifier(early_stopping=True, scoring=scoring, validation_fraction=0.3)
    assert make.fit(column(X), y).validation_scores_ == clone(make).fit(X, y).validation_scores_
    passed = {"X_val": column(KINDS[kind]), "y_val": Y}
    assert make.fit(column(X), y, **passed).validation_scores_ == clone(make).fit(X, y, **passed).validation_scores_


def test_weights_and_the_end_of_a_token_model():
    language = RNNNextTokenModel(3, max_iter=2, early_stopping=True, validation_fraction=0.3, random_state=0)
    weights = [1, 2, 0, 1, 3, 1]
    model = language.fit(in_array(TOKENS), sample_weight=weights, X_val=in_array(TOKENS[:3]))

    same = clone(language).fit(TOKENS, sample_weight=weights, X_val=TOKENS[:3])

    assert model.column_tokens_.tolist() == same.column_tokens_.tolist()  # the end among them
    assert model.validation_scores_ == same.validation_scores_
    assert clone(language).fit(np.array([["a", "b"]] * 6)).column_tokens_.tolist()[:2] == ["a", "b"]
    model.score_samples(np.array([["a", "b", "c"]]))  # any width, as after a list


@pytest.mark.parametrize("column", [in_array, in_pandas, lambda items: pd.DataFrame(items[:1] * 6, columns=["a", "b"])])
def test_a_scorer_of_the_user_is_given_sequences_without_a_warning(column):
    X, seen = column(TOKENS), []

    def score(model, X):
        seen.append(X)
        return model.score(X)

    model = RNNNextTokenModel(3, max_iter=2, early_stopping=True, validation_fraction=0.3, scoring=score)
    clone(model).fit(X, X_val=X)
    model.fit(X)
    assert {len(X) for X in seen} == {6, 2}


# Names


def test_the_name_of_the_column_is_compared():
    for model, items in ((classifier(), FEATURES), (classifier(), TOKENS)):
        model.fit(in_pandas(items), Y)
        with raises(
            ValueError, "The feature names should match those that were passed during fit.\nFeature names unse"
        ):
            model.predict(in_pandas(items).set_axis(["y"], axis=1))
        with pytest.warns(UserWarning, match="^X does not have valid feature names, but RNNSequenceClassifier was"):
            model.predict(in_array(items))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict(items)
            model.predict(in_pandas(items))


def test_names_of_features_are_not_those_of_a_column():
    frames = [pd.DataFrame(x, columns=["left", "right"]) for x in FEATURES]
    model = classifier().fit(frames, Y)

    with pytest.warns(UserWarning, match="^X does not have valid feature names"):
        model.predict(in_pandas(FEATURES))
    assert model.feature_names_in_.tolist() == ["left", "right"]
    for column in (in_array, in_pandas):
        model.fit(column(FEATURES), Y)
        with pytest.warns(UserWarning, match="^X has feature names, but RNNSequenceClassifier was fitted without"):
            model.predict(frames)


def test_the_name_of_a_column_is_that_of_no_feature():
    X = in_pandas(FEATURES)  # named x
    with raises(ValueError, "time_feature is 'x', but X has no column of that name. Pass its position, or DataFrames."):
        SequenceImputer(time_feature="x").fit(X)
    with raises(TypeError, "steps['key'] is a dict, but the model knows no names of features. Pass a list."):
        classifier().fit(X, Y).start().update({"key": {"x": 0.0}})


# Categories beside numbers


def test_categories():
    X = [[[v, "up" if v > 0 else "down"] for v in x] for x in NUMBERS]
    X = [np.array(x, dtype=object) for x in X]
    model = classifier(categorical_features=[1])

    on_column = clone(model).fit(in_array(X), Y)

    assert (on_column.n_features_in_, on_column.n_inputs_) == (1, 2)
    assert on_column.categories_[1].tolist() == ["down", "up"]
    assert_array_equal(on_column.predict_proba(X), model.fit(X, Y).predict_proba(in_array(X)))


# What is no column of sequences


def test_a_column_of_texts_is_a_table_of_tokens():
    texts = np.array([["up"], ["down"]] * 3, dtype=object)
    model = RNNNextTokenModel(3, max_iter=2, random_state=0)
    for X in (texts, texts.astype("U"), pd.DataFrame({"x": texts[:, 0]}), pl.DataFrame({"x": texts[:, 0].tolist()})):
        with pytest.warns(UserWarning, match="^X is a table of one column, so every sequence is one token, such as "):
            assert model.fit(X).classes_.tolist() == ["down", "up"]
        with pytest.warns(UserWarning, match="every sequence is one token"):
            assert list(classifier().fit(X, Y).vocabulary_)[:2] == ["down", "up"]


@pytest.mark.parametrize("X", [np.arange(6.0)[:, None], np.arange(6.0)[:, None].astype(object), pd.DataFrame({"x": Y})])
def test_a_column_of_numbers_is_a_table(X):
    model = classifier().fit(X, Y)
    assert (model.n_features_in_, model.n_inputs_) == (1, 1)
    assert_array_equal(model.predict_proba(X), model.predict_proba(list(np.asarray(X, float))))


ENTRIES = {
    **{f"fit of {name}": lambda X, model=model: clone(model).fit(X, Y) for name, model in MODELS.items()},
    "predict": lambda X: classifier().fit(FEATURES, Y).predict(X),
    "predict tokens": lambda X: classifier().fit(TOKENS, Y).predict(X),
    "partial_fit": lambda X: classifier().partial_fit(X, Y, classes=[0, 1]),
    "score_samples": lambda X: RNNNextTokenModel(3, max_iter=2).fit(TOKENS).score_samples(X),
    "scaler": lambda X: SequenceScaler().fit(X),
    "transform": lambda X: SequenceScaler().fit(FEATURES).transform(X),
    "to_padded": to_padded,
}
each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)


@each_entry
@pytest.mark.parametrize("items", [FEATURES, TOKENS], ids=["features", "tokens"])
@pytest.mark.parametrize(
    ("cell", "found", "advice"),
    [
        ("text", "a str ('text')", "Split texts into tokens."),
        (None, "None", "Drop rows without one."),
        (np.nan, "a float (nan)", "Drop rows without one."),
        (pd.NA, "a NAType", "Drop rows without one."),
        (3, "a int (3)", "Drop rows without one."),
        ({1.0: 2.0}, "a dict", "Drop rows without one."),
        (b"xy", "a bytes", "Drop rows without one."),
    ],
    ids=repr,
)
@pytest.mark.parametrize("row", [0, 3])
def test_other_cells_among_sequences(entry, items, cell, found, advice, row):
    X = in_array(items)
    X[row, 0] = cell
    first = 1 if row == 0 else 0
    message = (
        f"X[{row}] is {found}, but X[{first}] is a {type(items[0]).__name__}. Every cell of a column of sequences must "
        f"hold a list, a tuple or an array. {advice}"
    )
    for table in (X, pd.DataFrame(X)):
        with raises(TypeError, message):
            entry(table)


@each_entry
def test_frames_in_cells(entry):
    frames = [pd.DataFrame(x, columns=["left", "right"]) for x in FEATURES]
    with raises(TypeError, "X[0] is a DataFrame, but the cells of a column of sequences are lists, tuples or arrays."):
        entry(in_array(frames))


@pytest.mark.parametrize("column", [in_array, in_pandas])
@pytest.mark.parametrize(
    ("row", "cell", "message"),
    [
        (2, np.ones((2, 3)), "X[2] has 3 features per step, X[0] has 2."),
        (3, np.ones((0, 2)), "X[3] is empty: every sequence needs at least one step."),
        (3, [], "X[3] is empty: every sequence needs at least one step."),
        (1, np.array([[1.0, np.nan]]), "Input X[1] contains NaN. It is at step 0, feature 1."),
        (1, np.ones((1, 2, 2)), "X[1] has 3 dimensions (shape (1, 2, 2)), but a sequence has shape (n_steps,"),
        (4, [[1.0, "a"]], "X[4] cannot be read as an array of numbers"),
    ],
)
def test_a_cell_that_is_no_such_sequence(column, row, cell, message):
    X = list(FEATURES)
    X[row] = cell
    for entry in (classifier().fit, lambda X, y: SequenceScaler().fit(X)):
        with pytest.raises((TypeError, ValueError)) as caught:
            entry(column(X), Y)
        assert message in str(caught.value) or "X[4] has dtype" in str(caught.value)


def test_masked_cells():
    X = np.ma.array(in_array(FEATURES), mask=np.arange(6)[:, None] == 2)
    with raises(TypeError, "X has masked entries, which would be read as data."):
        classifier().fit(X, Y)


def test_two_columns_of_sequences():
    X = np.column_stack([in_array(NUMBERS), in_array(NUMBERS)])
    for table in (X, pd.DataFrame(X, columns=["a", "b"])):
        with raises(ValueError, "If the cells of X hold whole sequences, pass a list of them, or one column."):
            classifier().fit(table, Y)


def test_a_failed_fit_leaves_the_model():
    model = classifier().fit(in_array(FEATURES), Y)
    before = model.predict_proba(FEATURES)

    with pytest.raises(TypeError, match=r"X\[1\] is None"):
        model.fit(in_array([FEATURES[0], None]), [0, 1])

    assert (model.n_features_in_, model.n_inputs_) == (1, 2)
    assert_array_equal(model.predict_proba(FEATURES), before)


# The scaler


def cells_of(table):
    """The cells of a table of one column as arrays."""
    column = table[:, 0] if isinstance(table, np.ndarray) else table["x"]
    return [np.array(np.asarray(cell).tolist(), dtype=float) for cell in np.asarray(column)]


@each_column
@pytest.mark.parametrize("items", [FEATURES, NUMBERS, ONE_LENGTH], ids=["features", "numbers", "one length"])
def test_the_scaler_returns_the_container(column, items):
    X, scaler = column(items), SequenceScaler()

    scaled = scaler.fit_transform(X)

    assert type(scaled) is type(X)
    assert scaled.shape == (6, 1)
    assert_sequences_equal(cells_of(scaled), SequenceScaler().fit_transform(items))
    assert_sequences_equal(cells_of(scaler.inverse_transform(scaled)), scaler.inverse_transform(cells_of(scaled)))
    assert (scaler.n_features_in_, scaler.n_inputs_) == (1, np.ndim(items[0]))
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_index_equal(scaled.index, X.index)
    if hasattr(X, "columns"):
        assert scaler.get_feature_names_out().tolist() == ["x"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("column", [in_array, in_pandas])
def test_the_scaler_returns_the_frame_that_is_asked_for(library, column):
    wanted = SequenceScaler().fit_transform(FEATURES)
    for known in (FEATURES, column(FEATURES)):
        frame = SequenceScaler().set_output(transform=library).fit(known).transform(column(FEATURES))
        assert type(frame).__module__.startswith(library)
        assert list(frame.columns) == ["x" if column is in_pandas else "x0"]
        assert_sequences_equal(list(np.asarray(frame)[:, 0]), wanted)


@pytest.mark.parametrize("column", [in_array, in_pandas, COLUMNS["polars"]])
def test_a_pipeline(column):
    pipeline = make_pipeline(SequenceScaler(), classifier())

    proba = pipeline.fit(column(FEATURES), Y).predict_proba(column(FEATURES))

    assert pipeline.n_features_in_ == pipeline[-1].n_features_in_ == 1
    assert_array_equal(proba, clone(pipeline).fit(FEATURES, Y).predict_proba(FEATURES))


def test_float32_stays_float32():
    X = in_array([x.astype(np.float32) for x in FEATURES])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert classifier().fit(X, Y)._fitted.params.dtype == np.float32
    assert {x.dtype for x in SequenceScaler().fit_transform(X)[:, 0]} == {np.dtype(np.float32)}
    single = pa.list_(pa.list_(pa.float32()))
    for frame in (
        pl.DataFrame({"x": as_lists(FEATURES)}, schema={"x": pl.List(pl.List(pl.Float32))}),
        pa.table({"x": as_lists(FEATURES)}, schema=pa.schema([("x", single)])),
        pd.DataFrame({"x": pd.Series(as_lists(NUMBERS), dtype=pd.ArrowDtype(pa.list_(pa.float32())))}),
    ):
        assert RNNSequenceClassifier(3, max_iter=1).fit(frame, Y)._fitted.params.dtype == np.float32
        assert SequenceScaler().fit(SequenceScaler().fit_transform(frame)).transform(frame).shape == (6, 1)
    assert SequenceScaler().fit_transform(
        pa.table({"x": as_lists(FEATURES)}, pa.schema([("x", single)]))
    ).schema.types == [single]


@pytest.mark.parametrize("column", [in_array, in_pandas, COLUMNS["polars"]])
def test_converters_read_a_column(column):
    long = [np.vstack([x, x]) for x in FEATURES]
    assert_array_equal(to_padded(column(FEATURES))[0], to_padded(FEATURES)[0])
    for got, wanted in zip(to_forecasting(column(long)), to_forecasting(long), strict=True):
        assert_sequences_equal(got, wanted)
    got = from_channels_first(column([x.T for x in FEATURES]))
    assert_sequences_equal([np.array(x.tolist()) for x in got], FEATURES)


# Into a column


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", [list, tuple, object_array, pd.Series, in_array, in_pandas])
def test_to_column(kind, container):
    items = KINDS[kind]

    column = to_column(container(items))

    assert column.shape == (6, 1)
    assert all(cell is item for cell, item in zip(column[:, 0], items, strict=True))


@pytest.mark.parametrize("X", [np.arange(12.0).reshape(6, 2), np.arange(24.0).reshape(6, 2, 2)])
def test_to_column_of_arrays(X):
    assert_sequences_equal(list(to_column(X)[:, 0]), list(X))
    if X.ndim == 2:
        assert_sequences_equal(list(to_column(pd.DataFrame(X))[:, 0]), list(X))


def test_to_column_of_texts():
    assert to_column(["ab", "c"])[:, 0].tolist() == [["a", "b"], ["c"]]
    language = RNNNextTokenModel(3, max_iter=2, random_state=0)
    ab = ["ab", "b", "ba"]
    assert_array_equal(clone(language).fit(to_column(ab)).score_samples(ab), language.fit(ab).score_samples(ab))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (None, TypeError, "X is None. Pass an array or a list of sequences."),
        ("text", TypeError, "X is a str ('text'). Pass an array or a list of sequences."),
        ({0: [1.0]}, TypeError, "X is a dict. Pass an array or a list of sequences."),
        ([], ValueError, "X is empty: at least one sequence is needed."),
        ([1.0, 2.0], TypeError, "X[0] is a float (1.0), but every item of X must be a sequence."),
        ([[1.0], None], TypeError, "X[1] is None, but X[0] is a list."),
        ([pd.DataFrame({"a": [1.0]})], TypeError, "X[0] is a DataFrame, but the cells of a column of sequences are"),
        ([np.ma.masked_equal([1.0, 2.0], 2)], TypeError, "X has masked entries"),
    ],
)
def test_to_column_of_what_are_no_sequences(X, error, message):
    with raises(error, message):
        to_column(X)


# Other estimators


@pytest.mark.parametrize("column", [in_array, in_pandas, COLUMNS["polars"]])
@pytest.mark.parametrize(
    "transformer",
    [
        SequenceImputer(),
        SequenceImputer(add_indicator=True),
        StepTransformer(StandardScaler()),
        StepTransformer(StandardScaler().set_output(transform="pandas")),
    ],
    ids=repr,
)
def test_transformers_return_a_column(column, transformer):
    X = column(FEATURES)
    scaled = clone(transformer).fit_transform(X)

    assert type(scaled) is type(X)
    assert scaled.shape == (6, 1)
    wanted = clone(transformer).fit_transform(FEATURES)
    assert_sequences_equal(cells_of(scaled), list(map(np.asarray, wanted)))
    assert_sequences_equal(cells_of(clone(transformer).fit(FEATURES).transform(X)), list(map(np.asarray, wanted)))


@pytest.mark.parametrize("column", [in_array, in_pandas, COLUMNS["polars"]])
def test_a_summary_of_a_column(column):
    summarizer = SequenceSummarizer(["mean", "length"]).set_output(transform="pandas")

    summary = summarizer.fit_transform(column(FEATURES))

    assert list(summary.columns) == ["x0_mean", "x1_mean", "length"]
    assert_array_equal(summary.to_numpy(), SequenceSummarizer(["mean", "length"]).fit_transform(FEATURES))


@pytest.mark.parametrize("column", [in_array, in_pandas])
@pytest.mark.parametrize("kind", ["two steps", "tokens"])
def test_a_detector(column, kind):
    X = [np.vstack([x, x]) for x in FEATURES] if kind == "two steps" else TOKENS
    network = RNNSequenceRegressor(3, loss="gaussian", max_iter=2) if kind == "two steps" else MODELS["token model"]
    detector = RNNSequenceAnomalyDetector(network, random_state=0)

    scores = clone(detector).fit(X).score_samples(column(X))

    on_column = clone(detector).fit(column(X))
    assert on_column.n_features_in_ == 1
    assert_array_equal(on_column.score_samples(X), scores)
    assert_array_equal(on_column.score_samples(column(X)), scores)
