"""Bad input gets one clear error, and a fitted model stays exactly as it was."""

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrnn import RNNSequenceClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FITTED_ON = "RNNSequenceClassifier was fitted on sequences of 2. Pass arrays of shape (n_steps, 2)."
SHAPES = "Pass arrays of shape (n_steps,) or (n_steps, n_features)."


def sequences(n=6):
    """Ragged, 2 features."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=(2 + i % 3, 2)) for i in range(n)]


def labels(n=6):
    return np.arange(n) % 2


def make(**params):
    return RNNSequenceClassifier(**{"hidden_size": 3, "max_iter": 2, "random_state": 0, **params})


def with_item(item):
    X = sequences()
    X[4] = item
    return X


def with_value(value):
    item = np.zeros((3, 2))
    item[1, 0] = value
    return with_item(item)


@pytest.fixture(params=[False, True], ids=["cold", "warm"])
def fitted(request):
    return make(warm_start=request.param).fit(sequences(), labels())


def assert_raises_and_changes_nothing(model, error, message, method, *args, **kwargs):
    """`message` is how the text of the error begins, whole sentences."""
    before = joblib.hash(vars(model))
    proba = model.predict_proba(sequences())

    with pytest.raises(error) as caught:
        getattr(model, method)(*args, **kwargs)

    assert str(caught.value).startswith(message)
    assert joblib.hash(vars(model)) == before
    assert_array_equal(model.predict_proba(sequences()), proba)


# X

BAD_X = {
    "empty list": ([], ValueError, "X is empty: at least one sequence is needed."),
    "empty array": (np.empty((0, 3, 2)), ValueError, "X is empty (shape (0, 3, 2)): at least one sequence is needed."),
    "empty sequence": (
        with_item(np.empty((0, 2))),
        ValueError,
        "X[4] is empty: every sequence needs at least one step.",
    ),
    "no steps": (
        np.empty((6, 0, 2)),
        ValueError,
        "X has no steps (shape (6, 0, 2)): every sequence needs at least one step.",
    ),
    "no features": (
        np.empty((6, 3, 0)),
        ValueError,
        "X has no features (shape (6, 3, 0)): every step needs at least one feature.",
    ),
    "NaN": (with_value(np.nan), ValueError, "Input X[4] contains NaN. It is at step 1, feature 0."),
    "infinity": (
        with_value(np.inf),
        ValueError,
        "Input X[4] contains infinity or a value too large for dtype('float64'). It is at step 1, feature 0.",
    ),
    "strings": (
        with_item(np.array([["a", "b"]])),
        ValueError,
        "X[4] has dtype <U1, but numbers are needed. One-hot encode categories.",
    ),
    "dates": (
        with_item(np.zeros((3, 2), "M8[s]")),
        ValueError,
        "X[4] has dtype datetime64[s], but numbers are needed.",
    ),
    "complex": (
        [*sequences(), np.ones((2, 2)) * 1j],
        ValueError,
        "Complex data not supported: X[6] has dtype complex128.",
    ),
    "sparse": (sparse.csr_matrix(np.eye(6)), TypeError, "Sparse data was passed for X, but dense data is required."),
    "sparse item": (
        with_item(sparse.csr_matrix(np.eye(2))),
        TypeError,
        "X[4] is sparse, but dense data is required. Use '.toarray()' to convert it.",
    ),
    "one dimension": (np.arange(6.0), ValueError, "Expected 2D array, got 1D array instead"),
    "four dimensions": (
        np.ones((6, 3, 2, 2)),
        ValueError,
        "X has 4 dimensions (shape (6, 3, 2, 2)), but skrnn expects (n_sequences, n_steps, n_features). "
        "Flatten the features of each step with X.reshape(6, 3, -1).",
    ),
    "three-dimensional item": (
        with_item(np.ones((1, 3, 2))),
        ValueError,
        "X[4] has 3 dimensions (shape (1, 3, 2)), but a sequence has shape (n_steps, n_features).",
    ),
    "number among sequences": (
        with_item(3.5),
        TypeError,
        f"X[4] is a number (3.5), but every item of X must be a sequence. {SHAPES}",
    ),
    "None among sequences": (
        with_item(None),
        TypeError,
        f"X[4] is None, but a sequence of numbers is needed. {SHAPES}",
    ),
    "None": (None, TypeError, "X is None. Pass an array or a list of sequences."),
    "generator": ((x for x in sequences()), TypeError, "X is a generator. Pass an array or a list of sequences."),
    "dict": ({0: [1.0]}, TypeError, "X is a dict. Pass an array or a list of sequences."),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("X", "error", "message"), BAD_X.values(), ids=BAD_X)
def test_training_on_bad_X(fitted, X, error, message, method):
    assert_raises_and_changes_nothing(fitted, error, message, method, X, labels())


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "score"])
@pytest.mark.parametrize(("X", "error", "message"), BAD_X.values(), ids=BAD_X)
def test_predicting_for_bad_X(fitted, X, error, message, method):
    args = (X, labels()) if method == "score" else (X,)
    assert_raises_and_changes_nothing(fitted, error, message, method, *args)


@pytest.mark.parametrize(("X", "error", "message"), BAD_X.values(), ids=BAD_X)
def test_first_fit_on_bad_X_leaves_nothing_behind(X, error, message):
    model = make()
    before = dict(vars(model))

    with pytest.raises(error) as caught:
        model.fit(X, labels())

    assert str(caught.value).startswith(message)
    assert vars(model) == before


def test_another_number_of_features_in_one_sequence():
    message = "X[4] has 5 features per step, X[0] has 2. All sequences need the same features."
    fitted = make().fit(sequences(), labels())
    assert_raises_and_changes_nothing(fitted, ValueError, message, "fit", with_item(np.ones((3, 5))), labels())


@pytest.mark.parametrize("method", ["predict", "fit", "partial_fit"])
def test_another_number_of_features_than_before(method):
    fitted = make(warm_start=True).fit(sequences(), labels())
    args = (with_item(np.ones((3, 5))), labels())[: 1 if method == "predict" else 2]
    assert_raises_and_changes_nothing(
        fitted, ValueError, f"X[4] has 5 features per step, but {FITTED_ON}", method, *args
    )


def test_another_number_of_steps_in_a_table():
    fitted = make().fit(np.zeros((4, 3)), [0, 1, 0, 1])
    message = (
        "X has 2 features, but RNNSequenceClassifier is expecting 3 features as input. "
        "To use other lengths, pass a list of arrays: [np.asarray(x) for x in X]."
    )
    with pytest.raises(ValueError, match="X has 2 features") as caught:
        fitted.predict(np.zeros((4, 2)))
    assert str(caught.value) == message


def test_a_table_where_sequences_have_several_features(fitted):
    message = (
        "X has 2 dimensions (shape (5, 2)), but RNNSequenceClassifier was fitted on sequences of 2 features per step. "
        "Pass shape (n_sequences, n_steps, 2), or a list of arrays of shape (n_steps, 2); [X] if X is one sequence."
    )
    assert_raises_and_changes_nothing(fitted, ValueError, message, "predict", np.zeros((5, 2)))


# y

BAD_Y = {
    "None": (
        None,
        ValueError,
        "RNNSequenceClassifier requires y to be passed, but the target y is None. Pass one label for each sequence.",
    ),
    "too short": (labels(5), ValueError, "Found input variables with inconsistent numbers of samples: [6, 5]"),
    "empty": ([], ValueError, "Found array with 0 sample(s)"),
    "continuous": (
        labels() + 0.5,
        ValueError,
        "Unknown label type: continuous. y must hold class labels, one for each sequence: ",
    ),
    "two columns": (np.full((6, 2), 2), ValueError, "y should be a 1d array, got an array of shape (6, 2) instead."),
    "NaN": ([np.nan, 1, 0, 1, 0, 1], ValueError, "Input y contains NaN."),
    "infinity": ([np.inf, 1, 0, 1, 0, 1], ValueError, "Input y contains infinity"),
    "None inside": (
        [None, 1, 0, 1, 0, 1],
        TypeError,
        "y[0]: argument must be a string or a number, got None (NoneType). Fill missing values, or leave them out.",
    ),
    "complex": (labels() * 1j, ValueError, "Complex data not supported"),
    "text": ("ababab", TypeError, "y is 'ababab' (str). Pass a list of one label per sequence."),
    "mixed types": (
        np.array(["a", 1] * 3, dtype=object),
        ValueError,
        "y mixes labels that cannot be sorted, of the types int, str.",
    ),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("y", "error", "message"), BAD_Y.values(), ids=BAD_Y)
def test_bad_y(fitted, y, error, message, method):
    assert_raises_and_changes_nothing(fitted, error, message, method, sequences(), y)


@pytest.mark.parametrize("y", [[0, 1, 2, 0, 1, 2], ["a", "b", "a", "b", "a", "b"]], ids=["2", "text"])
def test_an_unknown_label_while_training_goes_on(y):
    fitted = make(warm_start=True).fit(sequences(), labels())
    where, label = (2, "2") if y[2] == 2 else (0, "'a'")
    message = f"y[{where}] is {label}, which is not one of the classes [0, 1]"
    for method in ("fit", "partial_fit"):
        assert_raises_and_changes_nothing(fitted, ValueError, message, method, sequences(), y)
        assert_raises_and_changes_nothing(fitted, ValueError, message, method, sequences(), np.array(y))


# Weights


def weights_with(value):
    return np.array([1.0, 1, 1, value, 1, 1])


BAD_WEIGHTS = {
    "too short": (np.ones(5), "{0} has 5 entries, but "),
    "two columns": (np.ones((6, 2)), "{0} has 2 dimensions. Pass one weight for each sequence, shape (6,)."),
    "zeros": (np.zeros(6), "All weights in {0} are zero. {0} must contain at least one non-zero number."),
    "negative": (weights_with(-1), "Negative values in {0}: {0}[3] is -1. Weights must be >= 0."),
    "NaN": (weights_with(np.nan), "Input {0} contains NaN."),
    "infinity": (weights_with(np.inf), "Input {0} contains infinity or a value too large for dtype('float64')."),
    "complex": (np.ones(6) * 1j, "Complex data not supported"),
}


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights(fitted, weights, message, method):
    message = message.format("sample_weight")
    assert_raises_and_changes_nothing(fitted, ValueError, message, method, sequences(), labels(), weights)


@pytest.mark.parametrize(("weights", "message"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_validation_weights(fitted, weights, message):
    fitted.set_params(early_stopping=True)
    validation = {"X_val": sequences(), "y_val": labels(), "sample_weight_val": weights}
    message = message.format("sample_weight_val")
    assert_raises_and_changes_nothing(fitted, ValueError, message, "fit", sequences(), labels(), **validation)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 0, 1: 0}, "All weights are zero: class_weight and sample_weight leave no sequence to learn from."),
        ({5: 1}, "class_weight has a weight for 5, which is not one of the classes [0, 1]. Leave it out."),
        ({0: -1.0, 1: 1.0}, "class_weight"),
        ({0: np.nan, 1: 1.0}, "class_weight"),
        ({0: np.inf, 1: 1.0}, "class_weight"),
    ],
    ids=str,
)
def test_bad_class_weights(fitted, class_weight, message):
    fitted.set_params(class_weight=class_weight)
    assert_raises_and_changes_nothing(fitted, ValueError, message, "fit", sequences(), labels())


# X_val and y_val


@pytest.mark.parametrize(
    ("X_val", "y_val", "message"),
    [
        ([], [], "X_val is empty"),
        (with_value(np.nan), labels(), r"X_val\[4\] contains NaN. It is at step 1, feature 0."),
        (with_item(np.empty((0, 2))), labels(), r"X_val\[4\] is empty: every sequence needs at least one step."),
        (with_item(np.ones((3, 5))), labels(), r"X_val\[4\] has 5 features per step, but RNNSequenceClassifier"),
        (sequences(), labels(5), "X_val.*6.*y_val.*5"),
        (sequences(), [0, 1, 0, 7, 0, 1], r"^y_val\[3\] is 7, which is not one of the classes \[0, 1\]"),
        (sequences(), labels() + 0.5, "Unknown label type: continuous. y_val must hold class labels"),
        (sequences(), [np.nan, 1, 0, 1, 0, 1], "y_val contains NaN"),
    ],
    ids=["empty", "NaN", "empty sequence", "width", "length of y", "unknown label", "continuous", "NaN in y"],
)
def test_bad_validation_data_is_called_by_its_name(fitted, X_val, y_val, message):
    fitted.set_params(early_stopping=True)
    before = joblib.hash(vars(fitted))

    with pytest.raises(ValueError, match=message):
        fitted.fit(sequences(), labels(), X_val=X_val, y_val=y_val)

    assert joblib.hash(vars(fitted)) == before


@pytest.mark.parametrize(
    ("n", "n_classes"),
    [(1, 1), (6, 6)],
    ids=["one sequence", "classes of one sequence"],
)
def test_too_few_sequences_to_hold_out(n, n_classes):
    """What to do about it is in the message."""
    with pytest.raises(ValueError, match="validation_fraction"):
        make(early_stopping=True).fit(sequences(n), np.arange(n) % n_classes)


def test_a_validation_part_of_weight_zero():
    weights = np.r_[1.0, np.zeros(5)]
    with pytest.raises(ValueError, match="validation_fraction"):
        make(early_stopping=True, validation_fraction=0.5).fit(sequences(), labels(), weights)


def test_an_unknown_scorer(fitted):
    fitted.set_params(early_stopping=True, scoring="acuracy")
    assert_raises_and_changes_nothing(
        fitted,
        ValueError,
        "scoring is 'acuracy', which names no scorer of scikit-learn.",
        "fit",
        sequences(),
        labels(),
        X_val=sequences(),
        y_val=labels(),
    )


def raise_error(estimator, X, y):
    raise RuntimeError("no score today")


def test_a_scorer_that_raises(fitted):
    fitted.set_params(early_stopping=True, scoring=raise_error)
    assert_raises_and_changes_nothing(
        fitted, RuntimeError, "no score today", "fit", sequences(), labels(), X_val=sequences(), y_val=labels()
    )


# Parameters

BAD_PARAMETERS = [
    ("input_type", "text", "a str among"),
    ("categorical_features", "amount", "a str among"),
    ("vocabulary", "abc", "an array-like or None"),
    ("min_frequency", 1.5, "an int in the range [1, inf)"),
    ("max_tokens", 0, "an int in the range [1, inf)"),
    ("handle_unknown", "ignore", "a str among"),
    ("embedding_size", 0, "an int in the range [1, inf)"),
    ("initial_timescale", 0.5, "a float in the range [1"),
    ("dtype", "float16", "a str among"),
    ("hidden_size", 0, "an int in the range [1, inf)"),
    ("hidden_size", 2.5, "an int in the range [1, inf)"),
    ("cell", "rnn", "a str among"),
    ("cell", None, "a str among"),
    ("n_layers", 0, "an int in the range [1, inf)"),
    ("bidirectional", "yes", "an instance of 'bool'"),
    ("recompute", "yes", "an instance of 'bool'"),
    ("bptt_steps", 0, "an int in the range [1, inf)"),
    ("pooling", "sum", "a str among"),
    ("dropout", 1.0, "a float in the range [0.0, 1.0)"),
    ("dropout", -0.1, "a float in the range [0.0, 1.0)"),
    ("solver", "newton", "a str among"),
    ("alpha", -1, "a float in the range [0.0, inf)"),
    ("alpha", np.nan, "a float in the range [0.0, inf)"),
    ("batch_size", 0, "a str among {'auto'} or an int in the range [1, inf)"),
    ("batch_size", "all", "a str among {'auto'} or an int in the range [1, inf)"),
    ("learning_rate", "invscaling", "a str among"),
    ("learning_rate_init", 0, "a float in the range (0.0, inf)"),
    ("max_iter", 0, "an int in the range [1, inf)"),
    ("shuffle", 1, "an instance of 'bool'"),
    ("random_state", -1, "an int in the range [0, 4294967295]"),
    ("tol", -1, "a float in the range [0.0, inf)"),
    ("verbose", -1, "an int in the range [0, inf)"),
    ("warm_start", None, "an instance of 'bool'"),
    ("momentum", 1, "a float in the range [0.0, 1.0)"),
    ("nesterovs_momentum", 1, "an instance of 'bool'"),
    ("beta_1", 1.0, "a float in the range [0.0, 1.0)"),
    ("beta_2", 1.0, "a float in the range [0.0, 1.0)"),
    ("epsilon", 0, "a float in the range (0.0, inf)"),
    ("max_grad_norm", 0, "a float in the range (0.0, inf) or None"),
    ("early_stopping", "yes", "an instance of 'bool'"),
    ("validation_fraction", 1, "a float in the range (0.0, 1.0)"),
    ("n_iter_no_change", 0, "an int in the range [1, inf)"),
    ("scoring", 3, "an instance of 'str', a callable or None"),
    ("class_weight", "equal", "an instance of 'dict', a str among {'balanced'} or None"),
    ("n_jobs", 1.5, "an instance of 'int' or None"),
]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("name", "value", "needed"), BAD_PARAMETERS, ids=lambda value: repr(value)[:20])
def test_bad_parameters(fitted, name, value, needed, method):
    fitted.set_params(**{name: value})
    before = joblib.hash(vars(fitted))

    with pytest.raises(ValueError, match=f"'{name}' parameter") as caught:
        getattr(fitted, method)(sequences(), labels())

    message = str(caught.value)
    assert message.startswith(f"The '{name}' parameter of RNNSequenceClassifier must be {needed}")
    assert message.endswith(f"Got {value!r} instead.")
    assert joblib.hash(vars(fitted)) == before


def test_every_parameter_is_constrained():
    unconstrained = set(make().get_params()) - {name for name, _, _ in BAD_PARAMETERS}
    assert not unconstrained


def test_no_threads_at_all(fitted):
    fitted.set_params(n_jobs=0)
    assert_raises_and_changes_nothing(fitted, ValueError, "n_jobs", "fit", sequences(), labels())


def test_a_table_of_sequences_asks_for_a_list(fitted):
    frame = pd.DataFrame({"signal": sequences(), "noise": sequences()})
    with pytest.raises((TypeError, ValueError), match="pass a list of them, or one column"):
        fitted.fit(frame, labels())
