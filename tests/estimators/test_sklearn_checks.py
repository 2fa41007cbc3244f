"""scikit-learn's rules: its own suite without a failure or a skip, and what that suite cannot ask of sequences."""

from unittest import SkipTest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PowerTransformer,
    SplineTransformer,
)
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator

from skrnn import (
    EarlyClassifier,
    RNNNextTokenModel,
    RNNSequenceAnomalyDetector,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
)
from skrnn.core.cells import CELLS
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def small(**params):
    """Make a classifier that fits in milliseconds."""
    return RNNSequenceClassifier(**{"hidden_size": 8, "max_iter": 25, "learning_rate_init": 0.01, **params})


def small_regressor(**params):
    """Make a regressor that fits in milliseconds."""
    return RNNSequenceRegressor(**{"hidden_size": 8, "max_iter": 60, "learning_rate_init": 0.02, **params})


def small_tokens(**params):
    """Make a token model that fits in milliseconds."""
    return RNNNextTokenModel(**{"hidden_size": 4, "max_iter": 5, **params})


ESTIMATORS = {
    "default": RNNSequenceClassifier(),
    "tanh": small(cell="tanh"),
    "relu": small(cell="relu"),
    "lstm": small(cell="lstm"),
    "two_layers": small(n_layers=2),
    "bidirectional": small(bidirectional=True),
    "sgd": small(solver="sgd", learning_rate_init=0.1),
    "rmsprop": small(solver="rmsprop"),
    "lbfgs": small(solver="lbfgs"),
    "mean": small(pooling="mean"),
    "max": small(pooling="max"),
    "regressor": RNNSequenceRegressor(),
    "regressor_tanh": small_regressor(cell="tanh"),
    "regressor_relu": RNNSequenceRegressor(cell="relu"),
    "regressor_lstm": small_regressor(cell="lstm"),
    "regressor_two_layers": small_regressor(n_layers=2, bidirectional=True, pooling="mean"),
    "regressor_sgd": small_regressor(solver="sgd", learning_rate_init=0.1, max_iter=200),
    "regressor_rmsprop": small_regressor(solver="rmsprop"),
    "regressor_lbfgs": small_regressor(solver="lbfgs"),
    "absolute_error": small_regressor(loss="absolute_error"),
    "huber": small_regressor(loss="huber"),
    "poisson": small_regressor(loss="poisson", max_iter=200),
    "quantile": small_regressor(loss="quantile", quantile=0.5),
    "gaussian": small_regressor(loss="gaussian", max_iter=200),
    "detector": RNNSequenceAnomalyDetector(),
    "detector_max": RNNSequenceAnomalyDetector(small_regressor(loss="gaussian"), aggregation="max"),
    "early": EarlyClassifier(small(random_state=0)),
    "early_of_pipeline": EarlyClassifier(
        make_pipeline(SequenceScaler(), small(random_state=0)), probability_threshold=0.95, consecutive_predictions=2
    ),
    "scaler": SequenceScaler(),
    "imputer": SequenceImputer(),
    "imputer_of_numbers": SequenceImputer(missing_values=-1, initial_strategy="median"),
    "imputer_with_indicators": SequenceImputer(missing_values=-1, add_indicator=True, add_time_since=True),
    "summarizer": SequenceSummarizer(),
    "steps": StepTransformer(PowerTransformer()),
    "steps_binned": StepTransformer(KBinsDiscretizer(3, encode="ordinal", strategy="uniform")),
    "steps_of_several_outputs": StepTransformer(SplineTransformer(n_knots=3)),
    "steps_decomposed": StepTransformer(PCA()),
    "steps_encoded": StepTransformer(OneHotEncoder(handle_unknown="ignore")),
    "steps_of_a_function": StepTransformer(FunctionTransformer(validate=True)),
    "steps_selected": StepTransformer(SelectKBest(k="all")),
    "tokens": small_tokens(max_iter=20),
    "tokens_tanh": small_tokens(cell="tanh"),
    "tokens_relu": small_tokens(cell="relu"),
    "tokens_lstm": small_tokens(cell="lstm"),
    "tokens_two_layers": small_tokens(n_layers=2),
    "tokens_lbfgs": small_tokens(solver="lbfgs"),
    "tokens_embedding": small_tokens(embedding_size=4, tie_weights=True),
}
READ_NAN = ["imputer", "steps", "steps_encoded"]


# scikit-learn's suite


def yielded_checks():
    return [
        pytest.param(estimator, check, id=f"{name}-{i}-{check.func.__name__}")
        for name, estimator in ESTIMATORS.items()
        for i, (_, check) in enumerate(estimator_checks_generator(estimator))
    ]


@pytest.mark.parametrize(("estimator", "check"), yielded_checks())
def test_scikit_learn_check(estimator, check):
    try:
        check(clone(estimator))
    except SkipTest as skip:
        pytest.fail(f"skipped: {skip}")


@pytest.mark.parametrize(
    ("name", "n_checks"),
    [
        ("default", 61),
        ("lbfgs", 61),
        ("regressor", 59),
        ("gaussian", 59),
        ("detector", 45),
        ("scaler", 45),
        ("imputer", 45),
        ("imputer_of_numbers", 46),
        ("summarizer", 46),
        ("steps", 45),
        ("steps_decomposed", 46),
        ("tokens", 53),
        ("tokens_lbfgs", 53),
    ],
)
def test_the_suite_is_whole(name, n_checks):
    """What scikit-learn 1.7 yields; later versions yield more."""
    assert len(list(estimator_checks_generator(ESTIMATORS[name]))) >= n_checks


@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS)
def test_no_tag_lightens_the_suite(estimator):
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array != isinstance(estimator, RNNNextTokenModel)
    assert not tags.input_tags.string  # it would spare the token model a check
    assert not tags.no_validation
    assert not tags.non_deterministic
    assert not tags._skip_test
    assert not tags.input_tags.allow_nan or estimator in map(ESTIMATORS.get, READ_NAN)
    assert not hasattr(estimator, "_xfail_checks")


# Checks that scikit-learn runs on its own estimators only. Some are not in every supported version.

CLASSIFIER_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_inplace_ensure_writeable",
    "check_param_validation",
]
SCALER_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_inplace_ensure_writeable",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
TOKEN_MODEL_CHECKS = sorted({*CLASSIFIER_CHECKS, *SCALER_CHECKS})


def available(names):
    return [getattr(estimator_checks, name) for name in names if hasattr(estimator_checks, name)]


@pytest.mark.parametrize("check", available(CLASSIFIER_CHECKS))
def test_private_check_of_the_classifier(check):
    check("RNNSequenceClassifier", small())


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("check", available(SCALER_CHECKS))
@pytest.mark.parametrize("kind", [RNNSequenceClassifier, RNNSequenceRegressor])
def test_private_check_of_transform(kind, check):
    check(kind.__name__, kind(hidden_size=4, max_iter=5))


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")  # set_output's mix frames and arrays
@pytest.mark.parametrize("check", available(SCALER_CHECKS))
@pytest.mark.parametrize("name", ["scaler", "imputer", "summarizer", "steps", "steps_decomposed"])
def test_private_check_of_transformers(name, check):
    check(type(ESTIMATORS[name]).__name__, clone(ESTIMATORS[name]))


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("check", available(TOKEN_MODEL_CHECKS))
def test_private_check_of_the_token_model(check):
    check("RNNNextTokenModel", small_tokens())


def test_most_private_checks_are_available():
    assert len(available(CLASSIFIER_CHECKS)) >= 2
    assert len(available(SCALER_CHECKS)) >= 5
    assert len(available(TOKEN_MODEL_CHECKS)) >= 6


# The same laws on sequences: scikit-learn feeds tables only.

NETWORKS = {
    **{cell: {"cell": cell} for cell in sorted(CELLS)},
    "deep": {"n_layers": 2, "bidirectional": True},
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max"},
    "lbfgs": {"solver": "lbfgs"},
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS)
def classifier(request):
    return RNNSequenceClassifier(hidden_size=4, max_iter=12, learning_rate_init=0.02, random_state=0, **request.param)


@pytest.fixture(params=["3-D", "ragged"])
def X(request, rng):
    """15 sequences of 2 features; indexed by `take`."""
    lengths = np.full(15, 4) if request.param == "3-D" else rng.integers(1, 8, size=15)
    sequences = [rng.normal(size=(n, 2)) for n in lengths]
    return np.stack(sequences) if request.param == "3-D" else sequences


@pytest.fixture
def y():
    return np.arange(15) % 3


def take(X, indices):
    return [X[i] for i in indices] if isinstance(X, list) else X[indices]


METHODS = ["predict_proba", "predict_log_proba", "predict"]


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_sequences_is_irrelevant(classifier, X, y, rng, method):
    predict = getattr(classifier.fit(X, y), method)
    order = rng.permutation(len(y))

    assert_allclose(predict(take(X, order)), predict(X)[order], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_prediction_does_not_depend_on_the_other_sequences(classifier, X, y, method):
    predict = getattr(classifier.fit(X, y), method)

    one_by_one = np.concatenate([predict(take(X, [i])) for i in range(len(y))])

    assert_allclose(one_by_one, predict(X), rtol=1e-7, atol=1e-9)


def test_weights_repeat_sequences(classifier, X, y, rng):
    weights = rng.integers(1, 4, size=len(y))
    repeated = rng.permutation(np.repeat(np.arange(len(y)), weights))

    weighted = clone(classifier).fit(X, y, sample_weight=weights)
    unweighted = clone(classifier).fit(take(X, repeated), y[repeated])

    assert_array_equal(weighted.predict_proba(X), unweighted.predict_proba(X))


def test_weight_zero_is_absence(classifier, X, y):
    weights = np.where(np.arange(len(y)) % 4 == 0, 0.0, 1.5)
    kept = np.flatnonzero(weights)

    weighted = clone(classifier).fit(X, y, sample_weight=weights)
    without = clone(classifier).fit(take(X, kept), y[kept], sample_weight=weights[kept])

    assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_weights_of_one_are_no_weights(classifier, X, y):
    weighted = clone(classifier).fit(X, y, sample_weight=np.ones(len(y)))
    unweighted = clone(classifier).fit(X, y)

    assert_array_equal(weighted.predict_proba(X), unweighted.predict_proba(X))


def test_only_the_ratios_of_weights_matter(classifier, X, y, rng):
    """Without the penalty, which is divided by the weights' sum: times a power of two is exact in all else."""
    weights = rng.uniform(0.5, 2, size=len(y))

    small_weights = clone(classifier).set_params(alpha=0).fit(X, y, sample_weight=weights)
    large_weights = clone(classifier).set_params(alpha=0).fit(X, y, sample_weight=1024 * weights)

    assert_array_equal(small_weights.predict_proba(X), large_weights.predict_proba(X))


@pytest.mark.parametrize("solver", ["adam", "sgd", "rmsprop"])
def test_weights_in_minibatches(X, y, solver):
    """Here repeating a sequence changes the batches, but zero is still absence and one still nothing."""
    classifier = RNNSequenceClassifier(hidden_size=4, max_iter=10, batch_size=4, solver=solver, random_state=0)
    weights = np.where(np.arange(len(y)) % 4 == 0, 0.0, 1.0)
    kept = np.flatnonzero(weights)

    weighted = clone(classifier).fit(X, y, sample_weight=weights)
    without = clone(classifier).fit(take(X, kept), y[kept])

    assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))
