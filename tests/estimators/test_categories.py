"""Frames and arrays of which some columns hold categories."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, cross_val_score

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
ACTIVITIES = np.array(["close", "open", "pay"])


def frame(n, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "activity": rng.choice(ACTIVITIES, n),
            "amount": rng.normal(size=n),
            "day": pd.Categorical(rng.integers(0, 7, n), categories=range(7)),
            "elapsed": rng.integers(0, 9, n),
        }
    )


X = [frame(n, seed) for seed, n in enumerate(rng.integers(1, 7, size=40))]
Y = [int((x["activity"] == "pay").any()) for x in X]
SMALL = {"hidden_size": 8, "max_iter": 4, "random_state": 0}
NUMBERS = [x.assign(activity=np.searchsorted(ACTIVITIES, x["activity"]), day=x["day"].astype(int)) for x in X]


@pytest.mark.parametrize("embedding_size", [None, 2, "auto"])
def test_categories_beside_numbers_are_learned(embedding_size):
    params = {"hidden_size": 8, "max_iter": 60, "learning_rate_init": 0.02, "random_state": 0}
    model = RNNSequenceClassifier(**params, embedding_size=embedding_size).fit(X, Y)

    assert model.score(X, Y) == 1
    assert list(model.categories_) == ["activity", "day"]
    assert_array_equal(model.categories_["activity"], ACTIVITIES)
    assert_array_equal(model.feature_names_in_, X[0].columns)
    assert model.n_features_in_ == model.n_inputs_ == 4


def test_one_hot_columns_are_the_same():
    model = RNNSequenceClassifier(**SMALL, embedding_size=None, alpha=0).fit(X, Y)
    hot = [
        np.column_stack(
            [x["amount"], x["elapsed"], np.eye(3)[np.searchsorted(ACTIVITIES, x["activity"])], np.eye(7)[x["day"]]]
        )
        for x in X
    ]
    wanted = RNNSequenceClassifier(**SMALL, alpha=0).fit(hot, Y)

    assert_allclose(model.predict_proba(X), wanted.predict_proba(hot), rtol=1e-9)


@pytest.mark.parametrize("columns", [["activity", "day"], np.array(["day", "activity"])])
def test_columns_may_be_named(columns):
    named = RNNSequenceClassifier(**SMALL, categorical_features=columns).fit(NUMBERS, Y)

    assert set(named.categories_) == {"activity", "day"}
    assert named.predict_proba(NUMBERS).shape == (40, 2)


def test_columns_of_arrays_are_counted():
    arrays = [x.to_numpy(dtype=float) for x in NUMBERS]
    model = RNNSequenceClassifier(**SMALL, categorical_features=[2, 0]).fit(arrays, Y)

    assert_array_equal(model.categories_[0], [0, 1, 2])
    objects = [x.to_numpy(dtype=object) for x in X]
    of_text = RNNSequenceClassifier(**SMALL, categorical_features=[2, 0]).fit(objects, Y)
    assert_array_equal(of_text.categories_[0], ACTIVITIES)
    assert_array_equal(of_text.predict_proba(objects), model.predict_proba(arrays))


def test_frames_of_polars_are_the_same():
    polars = pytest.importorskip("polars")
    of_polars = [polars.DataFrame({name: x[name].to_list() for name in x.columns}) for x in X]
    model = RNNSequenceClassifier(**SMALL, categorical_features=["activity", "day"])

    assert_array_equal(model.fit(of_polars, Y).predict_proba(of_polars), model.fit(X, Y).predict_proba(X))


def test_tables_of_arrow_are_the_same():
    arrow = pytest.importorskip("pyarrow")
    tables = [arrow.table({name: x[name].to_list() for name in x.columns}) for x in X]
    model = RNNSequenceClassifier(**SMALL, categorical_features=["activity", "day"])

    assert_array_equal(model.fit(tables, Y).predict_proba(tables), model.fit(X, Y).predict_proba(X))


def test_categories_alone():
    only = [x[["activity", "day"]] for x in X]

    assert RNNSequenceClassifier(**SMALL).fit(only, Y).predict(only).shape == (40,)


@pytest.mark.parametrize(
    "rows",
    [[["a", 1.0], ["b", 2.0]], np.array([["a", 1.0]], dtype=object), (("a", 1.0),)],
    ids=["lists", "array", "tuples"],
)
def test_text_in_rows_asks_for_the_columns(rows):
    with pytest.raises(
        ValueError, match=r"X\[0\] has text in the columns \[0\] of its steps.*categorical_features=\[0\]"
    ):
        RNNSequenceClassifier(**SMALL).fit([rows] * 4, [0, 1, 0, 1])
    RNNSequenceClassifier(**SMALL, categorical_features=[0]).fit([rows] * 4, [0, 1, 0, 1])


def test_columns_may_be_marked():
    marked = RNNSequenceClassifier(**SMALL, categorical_features=[True, False, True, False]).fit(X, Y)

    assert_array_equal(marked.predict_proba(X), RNNSequenceClassifier(**SMALL).fit(X, Y).predict_proba(X))
    with pytest.raises(ValueError, match=r"says of 1 columns whether they are categories, but X\[0\] has 4"):
        RNNSequenceClassifier(**SMALL, categorical_features=[True]).fit(X, Y)


@pytest.mark.parametrize(
    "of",
    [
        lambda frames: [frame.set_axis(range(4), axis=1) for frame in frames],
        pd.Series,
        lambda frames: as_object_array(frames),
        tuple,
    ],
    ids=["numbered columns", "series", "object array", "tuple"],
)
def test_frames_in_any_container(of):
    wanted = RNNSequenceClassifier(**SMALL).fit(X, Y).predict_proba(X)

    assert_array_equal(RNNSequenceClassifier(**SMALL).fit(of(X), Y).predict_proba(of(X)), wanted)


def as_object_array(frames):
    array = np.empty(len(frames), dtype=object)
    for i, frame in enumerate(frames):
        array[i] = frame
    return array


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_what_is_missing_in_the_first_frame_is_said(missing):
    first = X[0].assign(activity=pd.Series([missing] * len(X[0]), dtype=object))
    with pytest.raises((TypeError, ValueError), match=r"column 'activity' of X\[0\].*position 0.*Fill missing values"):
        RNNSequenceClassifier(**SMALL).fit([first, *X[1:]], Y)


def test_a_step_may_be_one_category():
    codes = [np.array([3.0, 5.0]), np.array([5.0]), np.array([3.0])] * 4

    assert_array_equal(
        RNNSequenceClassifier(**SMALL, categorical_features=[0]).fit(codes, [0, 1, 0] * 4).categories_[0], [3, 5]
    )


@pytest.mark.parametrize(
    ("X", "reason"),
    [
        (["ab", "b"], "X holds tokens"),
        (np.ones((2, 3)), "X is a table, whose columns are steps"),
        (pd.DataFrame(np.ones((2, 3)), columns=list("abc")), "X is a table, whose columns are steps"),
    ],
)
def test_columns_that_are_none(X, reason):
    with pytest.raises(ValueError, match=f"categorical_features names columns, but {reason}"):
        RNNSequenceClassifier(**SMALL, categorical_features=["a"]).fit(X, [0, 1])


def test_none_reads_numbers():
    with pytest.raises(ValueError, match=r"numbers are needed|is text"):
        RNNSequenceClassifier(**SMALL, categorical_features=None).fit(X, Y)
    assert not hasattr(RNNSequenceClassifier(**SMALL).fit(NUMBERS, Y), "categories_")


def test_the_type_follows_the_numbers():
    singles = [x.astype({"amount": np.float32, "elapsed": np.float32}) for x in X]

    assert RNNSequenceClassifier(**SMALL).fit(singles, Y).predict_proba(singles).dtype == np.float32
    assert RNNSequenceClassifier(**SMALL).fit(X, Y).predict_proba(X).dtype == np.float64


def test_unknown_and_rare_categories():
    model = RNNSequenceClassifier(**SMALL, embedding_size=2).fit(X, Y)
    others = [x.assign(activity="refund") for x in X]

    with pytest.warns(UserWarning, match="No token of the column 'activity' of X is in the vocabulary"):
        model.predict(others)
    assert not model.weights_["embedding.E_0"][3].any()
    rare = RNNSequenceClassifier(**SMALL, max_tokens=2).fit(X, Y)
    assert len(rare.categories_["day"]) == 2
    strict = RNNSequenceClassifier(**SMALL, handle_unknown="error").fit(X, Y)
    with pytest.raises(ValueError, match=r"the column 'activity' of X\[0\] holds 'refund', which is not in the vocab"):
        strict.predict(others)


def test_around_it():
    model = RNNSequenceClassifier(**SMALL, early_stopping=True, scoring="accuracy", warm_start=True).fit(X, Y)
    model.fit(X, Y, X_val=X[:5], y_val=Y[:5])
    grid = GridSearchCV(RNNSequenceClassifier(**SMALL), {"embedding_size": [None, 2]}, cv=2).fit(X, Y)
    read = pickle.loads(pickle.dumps(grid.best_estimator_))

    assert_array_equal(read.predict_proba(X), grid.predict_proba(X))
    assert len(cross_val_score(RNNSequenceRegressor(**SMALL), X, np.arange(40.0), cv=2)) == 2
    tagger = RNNSequenceTagger(**SMALL).fit(X, [x["activity"].tolist() for x in X])
    assert len(tagger.predict(X[:3])) == 3
    assert RNNSequenceClassifier(hidden_size=4).partial_fit(X, Y, classes=[0, 1]).partial_fit(X, Y).n_iter_ == 2


@pytest.mark.parametrize(
    ("params", "change", "message"),
    [
        (
            {"categorical_features": ["colour"]},
            lambda x: x,
            "categorical_features holds 'colour', but the",
        ),
        ({"categorical_features": ["day", "day"]}, lambda x: x, "categorical_features holds 'day' twice"),
        ({"categorical_features": "activity"}, lambda x: x, "'categorical_features' parameter of"),
        ({"categorical_features": [7]}, lambda x: x.to_numpy(dtype=object), "categorical_features holds 7, but"),
        ({}, lambda x: x.assign(activity=[None] * len(x)), r"the column 'activity' of X\[\d+\], position 0"),
        ({}, lambda x: x.drop(columns="activity"), r"X\[\d+\] has no column 'activity' of categories"),
        ({}, lambda x: x.to_numpy(dtype=object), r"X\[\d+\] has no column 'activity' of categories"),
        ({}, lambda x: x.assign(amount=np.nan), r"Input X\[\d+\] contains NaN"),
    ],
)
def test_what_does_not_fit(params, change, message):
    is_at_once = bool(params)
    X_bad = [change(x) if is_at_once or i == 3 else x for i, x in enumerate(X)]
    with pytest.raises((ValueError, TypeError), match=message):
        RNNSequenceClassifier(**SMALL, **params).fit(X_bad, Y)
    if not is_at_once:
        with pytest.raises((ValueError, TypeError), match=message):
            RNNSequenceClassifier(**SMALL).fit(X, Y).predict([change(x) for x in X])
