"""RNNSequenceRegressor: what it takes for y, what it learns, in what units it speaks, and what it says."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from helpers import object_array, raises
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, mean_poisson_deviance, mean_squared_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor
from skrnn.preprocessing import SequenceScaler
from skrnn.sequences import from_channels_first

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LOSSES = ["squared_error", "absolute_error", "huber", "poisson", "quantile", "gaussian"]


def make(**params):
    return RNNSequenceRegressor(**{"hidden_size": 6, "max_iter": 5, "quantile": 0.3, "random_state": 0, **params})


@pytest.fixture
def X(rng):
    return [rng.standard_normal((n, 2)) for n in rng.integers(2, 8, 30)]


def sums(X):
    return np.array([x[:, 0].sum() for x in X])


def running_sums(X):
    return [np.cumsum(x[:, 0]) for x in X]


# What it learns


def test_it_learns_sums_whatever_their_unit():
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n) for n in rng.integers(3, 9, 150)]
    y = np.array([x.sum() for x in X])
    for factor, offset in ((1, 0), (1e6, 1e7), (1e-6, 0)):
        model = RNNSequenceRegressor(16, max_iter=100, learning_rate_init=0.01, random_state=0)
        assert model.fit(X, factor * y + offset).score(X, factor * y + offset) > 0.97


def test_it_learns_a_number_of_each_step():
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n) for n in rng.integers(3, 9, 150)]
    y = [np.cumsum(x) for x in X]
    model = RNNSequenceRegressor(16, max_iter=100, learning_rate_init=0.01, random_state=0).fit(X, y)

    predicted = model.predict(X)

    assert predicted.shape == (150,)
    assert [len(p) for p in predicted] == [len(x) for x in X]
    assert r2_score(np.concatenate(y), np.concatenate(predicted)) > 0.97


@pytest.mark.parametrize("loss", LOSSES)
def test_a_unit_changes_nothing_but_the_unit(loss, X):
    y = np.abs(np.round(sums(X) * 4))
    model, scaled = (make(loss=loss).fit(X, factor * y) for factor in (1, 8))

    assert_allclose(scaled.predict(X), 8 * model.predict(X), rtol=1e-10)
    power = {"squared_error": 64, "huber": 64, "gaussian": None}.get(loss, 8)
    if power:
        assert_allclose(
            scaled.loss_curve_, power * np.array(model.loss_curve_), rtol=1e-3
        )  # the penalty is scaled, too
    else:
        assert_allclose(scaled.loss_curve_, np.array(model.loss_curve_) + np.log(8), rtol=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("per_step", [False, True])
def test_loss_and_validation_score_are_in_units_of_y(loss, per_step, X):
    y = [np.abs(v) * 50 for v in running_sums(X)] if per_step else np.abs(sums(X)) * 50
    model = make(loss=loss, alpha=0, batch_size=30, max_iter=1, early_stopping=True)
    model.fit(X, y, X_val=X, y_val=y)

    flat = np.concatenate(y) if per_step else y
    metric = {
        "squared_error": lambda y, p: mean_squared_error(y, p) / 2,
        "absolute_error": mean_absolute_error,
        "poisson": lambda y, p: mean_poisson_deviance(y, p) / 2,
        "quantile": lambda y, p: mean_pinball_loss(y, p, alpha=0.3),
    }.get(loss)
    if metric:
        predicted = np.hstack(model.predict(X))
        assert -model.validation_scores_[0] == pytest.approx(metric(flat, predicted), rel=1e-10)
        before = RNNSequenceRegressor.predict(make(loss=loss, learning_rate_init=1e-300, max_iter=1).fit(X, y), X)
        assert model.loss_curve_[0] == pytest.approx(metric(flat, np.hstack(before)), rel=1e-10)
    else:
        assert np.isfinite(model.validation_scores_[0])


def test_coverage_of_quantile_and_gaussian():
    rng = np.random.default_rng(0)
    X = [rng.standard_normal(n) for n in rng.integers(3, 7, 400)]
    y = np.array([x[-1] for x in X]) + np.array([0.2 + (x[0] > 0) for x in X]) * rng.standard_normal(400)
    params = {"hidden_size": 12, "max_iter": 60, "learning_rate_init": 0.01, "batch_size": 50, "random_state": 0}

    low = RNNSequenceRegressor(loss="quantile", quantile=0.1, **params).fit(X, y).predict(X)
    mean, std = RNNSequenceRegressor(loss="gaussian", **params).fit(X, y).predict(X, return_std=True)

    assert 0.03 < (y < low).mean() < 0.17
    assert 0.6 < (abs(y - mean) < std).mean() < 0.78
    is_noisy = np.array([x[0] > 0 for x in X])
    assert std[is_noisy].mean() > 2 * std[~is_noisy].mean()


# What it takes for y


def test_shapes_of_y_and_of_predictions(X):
    y, steps = sums(X), running_sums(X)
    for targets, shape in [
        (y, (30,)),
        (y.tolist(), (30,)),
        (pd.Series(y, index=range(5, 35)), (30,)),
        (y[:, None], (30, 1)),
        (np.column_stack([y, -y]), (30, 2)),
        (pd.DataFrame({"a": y, "b": -y}), (30, 2)),
        ([[a, -a, 0.0] for a in y], (30, 3)),
    ]:
        assert make(max_iter=1).fit(X, targets).predict(X).shape == shape
    rows = [np.column_stack([v, -v]) for v in steps]
    lists = [v.tolist() for v in steps]
    for targets, width in [
        (pd.Series(steps, index=range(5, 35)), None), (pd.Series(lists), None), (pl.Series(lists), None),
        (pa.array(lists), None), ([pd.Series(v) for v in steps], None), ([pd.DataFrame(v) for v in rows], 2),
        (steps, None), ([v.tolist() for v in steps], None), (object_array(steps), None), (rows, 2), (tuple(rows), 2)
    ]:  # fmt: skip
        predicted = make(max_iter=1).fit(X, targets).predict(X)
        assert predicted.dtype == object
        assert [p.shape for p in predicted] == [(len(x),) if width is None else (len(x), width) for x in X]


def test_equal_lengths_stay_an_array_of_arrays(rng):
    X = rng.standard_normal((20, 4, 2))
    y = X.cumsum(axis=1)
    model = make(max_iter=1).fit(X, y)

    assert model.predict(X).shape == (20,)
    assert model.predict(X)[0].shape == (4, 2)
    assert cross_val_predict(make(max_iter=1), X, object_array(list(y)), cv=2).shape == (20,)


def test_score_is_r2_over_sequences_or_steps(X):
    weights = np.arange(30.0)
    y, steps = np.column_stack([sums(X), sums(X) ** 2]), running_sums(X)

    model = make().fit(X, y)
    assert model.score(X, y, weights) == pytest.approx(r2_score(y, model.predict(X), sample_weight=weights))
    model.fit(X, steps)
    flat = np.concatenate(steps), np.concatenate(model.predict(X))
    of_steps = np.repeat(weights, [len(x) for x in X])
    assert model.score(X, steps, weights) == pytest.approx(r2_score(*flat, sample_weight=of_steps))
    assert model.score(X, steps, 2.0**900 * weights) == pytest.approx(r2_score(*flat, sample_weight=of_steps))


@pytest.mark.parametrize("per_step", [False, True])
def test_in_searches_and_pipelines(per_step, X):
    y = running_sums(X) if per_step else sums(X)
    pipeline = make_pipeline(SequenceScaler(), make(max_iter=2))

    assert len(cross_val_score(pipeline, X, y, cv=3)) == 3
    search = GridSearchCV(pipeline, {"rnnsequenceregressor__hidden_size": [2, 3]}, cv=2).fit(X, y)
    assert np.isfinite(search.best_score_)
    assert cross_val_predict(pipeline, X, y, cv=3).shape == (30,)


def test_weights_repeat_sequences_to_the_bit(X):
    y, weights = running_sums(X), np.arange(30) % 3
    rows = np.repeat(np.arange(30), weights)

    weighted = make().fit(X, y, sample_weight=weights)
    repeated = make().fit([X[i] for i in rows], [y[i] for i in rows])

    for name, value in weighted.weights_.items():
        assert_array_equal(value, repeated.weights_[name])


def test_center_and_scale_are_those_of_the_first_call(X):
    y = sums(X)
    model = make().partial_fit(X, y)
    center = model._fitted.reading.center

    model.partial_fit(X, 100 + y)

    assert model._fitted.reading.center == center
    assert model.set_params(warm_start=True).fit(X, 50 + y)._fitted.reading.center == center
    assert model.set_params(warm_start=False).fit(X, 50 + y)._fitted.reading.center != center


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "poisson"])
def test_a_constant_is_predicted(loss, X):
    model = make(loss=loss, max_iter=150, learning_rate_init=0.01)
    for constant in (0.0, 3.0, -1e9):
        assert_allclose(model.fit(X, np.full(30, constant)).predict(X), constant, rtol=0, atol=0.2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("factor", [1e-310, 1e-200, 1e200, 1e300])
def test_numbers_at_the_ends_of_the_range(loss, factor, X):
    y = abs(sums(X))
    wanted, model = (make(loss=loss, max_iter=30).fit(X, unit * y) for unit in (1, factor))

    assert model.score(X, factor * y) == pytest.approx(wanted.score(X, y), rel=1e-3)
    assert np.isfinite(model.predict(X)).all()


def test_float32_only_where_all_of_X_is(X):
    y = sums(X)
    assert make().fit([x.astype(np.float32) for x in X], y).predict(X).dtype == np.float32
    assert make().fit(X, y.astype(np.float32)).predict(X).dtype == np.float64


# What it says


BAD = {
    "none": (lambda X: None, "RNNSequenceRegressor requires y to be passed, but the target y is None"),
    "text": (lambda X: ["a"] * 30, "y has dtype <U1, but numbers are needed"),
    "numbers as text": (lambda X: ["1"] * 30, "y has dtype <U1, but numbers are needed"),
    "one text": (lambda X: "abc", "y is a str ('abc'). Pass one number"),
    "complex": (lambda X: [1j] * 30, "Complex data not supported"),
    "nan": (lambda X: [np.nan] * 30, "Input y contains NaN. It is at y[0]. Leave it out, or fill it."),
    "inf": (
        lambda X: [1.0] * 29 + [np.inf],
        "y contains infinity or a value too large for dtype('float64'). It is at y[29]",
    ),
    "too few": (lambda X: np.zeros(29), "inconsistent numbers of samples: X has 30 sequences, but y has 29"),
    "three dimensions of too few": (lambda X: np.zeros((29, 2, 2)), "X has 30 sequences, but y has 29"),
    "steps of one missing": (
        lambda X: [v[: len(v) - (i == 4)] for i, v in enumerate(running_sums(X))],
        "Pass one value, or one row, for each step",
    ),
    "nan in a step": (
        lambda X: [*running_sums(X)[:-1], np.r_[np.ones(len(X[-1]) - 1), np.nan]],
        "Input y[29] contains NaN. It is at y[29][5].",
    ),
    "rows of other widths": (
        lambda X: [np.zeros((len(x), 1 + (i == 7))) for i, x in enumerate(X)],
        "y[7] has shape",
    ),
    "numbers and steps": (
        lambda X: [*running_sums(X)[:-1], 3.0],
        "y[29] is a float (3.0), but y[0] has 7 entries. Pass numbers for each step of all sequences, or for none.",
    ),
    "steps and numbers": (lambda X: [3.0, *running_sums(X)[1:]], "y[0] is a float (3.0), but y[1] has 5 entries."),
    "masked steps": (lambda X: [np.ma.array([1.0], mask=True)] * 30, "y has masked entries"),
    "masked": (lambda X: np.ma.array(np.zeros(30), mask=[True] + [False] * 29), "y has masked entries"),
}


@pytest.mark.parametrize(("bad", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_bad_targets(bad, message, method, X):
    model = make().fit(X, sums(X))
    before = {name: value.copy() for name, value in model.weights_.items()}

    with raises((ValueError, TypeError), message):
        getattr(model, method)(X, bad(X))

    for name, value in model.weights_.items():
        assert_array_equal(value, before[name])


def test_too_large_for_the_dtype(X):
    y = np.where(np.arange(30) == 7, -1e300, 1)
    with raises(ValueError, "y[7] has the size 1e+300, too large for float32, the dtype of X. Divide y by a number."):
        make().fit([x.astype(np.float32) for x in X], y)


def test_negative_counts_are_found(X):
    steps = [np.abs(v) for v in running_sums(X)]
    steps[3][1] = -2
    with raises(ValueError, "y[3][1] holds -2, but loss='poisson' needs y >= 0: counts. Use another loss."):
        make(loss="poisson").fit(X, steps)
    y = np.abs(sums(X))
    model = make(loss="poisson", early_stopping=True).fit(X, y)
    with raises(ValueError, "y_val[29] holds -1, but loss='poisson' needs y_val >= 0"):
        model.fit(X, y, X_val=X, y_val=np.r_[y[1:], -1])


def test_a_single_sequence_is_not_held_out(X):
    with raises(ValueError, "X has 1 sequence: too few to hold out validation_fraction=0.1 of them. Pass more, X_val"):
        make(early_stopping=True).fit(X[:1], [1.0])


def test_scorers_of_scikit_learn_score_no_steps(X):
    steps = running_sums(X)
    with raises(ValueError, "scoring='r2' needs a y of one entry for each sequence, but y has one for each step. Use"):
        make(early_stopping=True, scoring="r2").fit(X, steps)
    with raises(ValueError, "scoring is 'r3', which names no scorer of scikit-learn."):
        make(early_stopping=True, scoring="r3").fit(X, steps)
    model = make(early_stopping=True, scoring=None).fit(X, steps, X_val=X, y_val=steps)
    assert max(model.validation_scores_) == model.score(X, steps)


@pytest.mark.parametrize("as_X", [lambda X: X, list], ids=["array", "list"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_single_step_of_many_features_is_suspicious(as_X, method, rng):
    X, y = rng.standard_normal((20, 1, 9)), np.arange(20.0)
    message = r"Every sequence of X has one step of 9 features, .* pass skrnn\.sequences\.from_channels_first\(X\)"
    model = make()
    with pytest.warns(UserWarning, match=message):
        getattr(model, method)(as_X(X), y)
    model.set_params(warm_start=True).fit(as_X(X), y)  # said once
    make().fit(from_channels_first(X), y)
    make().fit(X[:, :, :3], y)


def test_another_shape_than_in_the_first_fit(X):
    y = sums(X)
    model = make(warm_start=True).fit(X, y)
    for call in (model.fit, model.partial_fit, model.score):
        with raises(
            ValueError, "y has 2 numbers for each sequence, but y had 1 number for each sequence when the model"
        ):
            call(X, np.column_stack([y, y]))
        with raises(ValueError, "y has 1 number for each step, but y had 1 number for each sequence when the model"):
            call(X, running_sums(X))
    with raises(ValueError, "y_val has 2 numbers for each sequence"):
        model.set_params(early_stopping=True).fit(X, y, X_val=X, y_val=np.column_stack([y, y]))


def test_parameters_of_losses(X):
    with raises(ValueError, "loss='quantile' needs a quantile, a number between 0 and 1"):
        make(loss="quantile", quantile=None).fit(X, sums(X))
    for quantile in (0, 1, -0.5, 2):
        with raises(ValueError, "The 'quantile' parameter of RNNSequenceRegressor must be"):
            make(loss="quantile", quantile=quantile).fit(X, sums(X))
    with raises(ValueError, "The 'huber_delta' parameter of RNNSequenceRegressor must be"):
        make(loss="huber", huber_delta=0).fit(X, sums(X))
    with raises(ValueError, "but loss='poisson' needs y >= 0: counts. Use another loss."):
        make(loss="poisson").fit(X, sums(X))
    with raises(ValueError, "y is always zero, but loss='poisson' needs a positive mean"):
        make(loss="poisson").fit(X, np.zeros(30))
    with raises(
        ValueError, "return_std=True needs a model of loss='gaussian', but this one was fitted with loss='huber'"
    ):
        make(loss="huber").fit(X, sums(X)).predict(X, return_std=True)


def test_numbers_of_steps_are_no_labels(X):
    with raises(TypeError, "Pass one label for each sequence, not one for each step: RNNSequenceTagger labels steps."):
        RNNSequenceClassifier(4, max_iter=1).fit(X, running_sums(X))


def test_clone_has_all_parameters():
    model = make(loss="huber", huber_delta=2.0)
    assert clone(model).get_params() == model.get_params()


def test_what_verbose_prints_is_in_units_of_y(capsys):
    X, y = [np.full((3, 1), k / 10) for k in range(20)], 1000.0 * np.arange(20)
    model = RNNSequenceRegressor(4, max_iter=2, verbose=2, early_stopping=True, random_state=0).fit(X, y)

    (*_, last) = capsys.readouterr().out.splitlines()
    assert f"loss {model.loss_:.4f}"[:12] in last or f"loss {model.loss_:.4g}" in last
    assert f"validation score {model.validation_scores_[-1]:.4g}" in last or (
        f"validation score {model.validation_scores_[-1]:.4f}" in last
    )
    assert model.validation_scores_[-1] < -1000
