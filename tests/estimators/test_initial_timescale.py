"""How long gates keep a state at first."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrnn import RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
rng = np.random.default_rng(0)
LENGTHS = rng.integers(150, 190, size=12)
X = [rng.normal(size=(n, 2)) for n in LENGTHS]
Y = np.arange(12) % 2
H = 4
LONGEST = 16
BIAS = np.log(LONGEST - 1) * (np.arange(H) + 0.5) / H
AT_THE_START = {"hidden_size": H, "max_iter": 1, "learning_rate_init": 1e-12, "random_state": 0}


def fit(X=X, y=Y, kind=RNNSequenceClassifier, sample_weight=None, **params):
    return kind(**{**AT_THE_START, **params}).fit(X, y, sample_weight=sample_weight)


@pytest.mark.parametrize("params", [{}, {"initial_timescale": 16}, {"initial_timescale": 16.0, "early_stopping": True}])
def test_the_update_gate_keeps_over_a_tenth_of_the_length(params):
    model = fit(bidirectional=True, n_layers=2, **params)

    assert model.initial_timescale_ == LONGEST
    for part in ("rnn.0", "rnn.0.reverse", "rnn.1", "rnn.1.reverse"):
        bias = model.weights_[f"{part}.b"]
        assert_allclose(bias[H : 2 * H], BIAS, atol=1e-9)
        assert_allclose(np.delete(bias, slice(H, 2 * H)), 0, atol=1e-9)


def test_the_gates_of_the_lstm_begin_opposite():
    bias = fit(cell="lstm").weights_["rnn.0.b"]

    assert_allclose(bias, np.concatenate([np.zeros(H), BIAS, -BIAS, np.zeros(H)]), atol=1e-9)


def test_none_leaves_the_biases():
    assert fit(initial_timescale=None).initial_timescale_ is None
    assert_allclose(fit(initial_timescale=None).weights_["rnn.0.b"], 0, atol=1e-9)
    assert_allclose(fit(initial_timescale=2).weights_["rnn.0.b"], 0, atol=1e-9)
    assert_allclose(fit(cell="lstm", initial_timescale=None).weights_["rnn.0.b"][H : 2 * H], 1, atol=1e-9)


def test_short_sequences_begin_as_ever():
    short = [x[:24] for x in X]

    assert fit(short).initial_timescale_ == 2
    assert_array_equal(fit(short).predict_proba(short), fit(short, initial_timescale=None).predict_proba(short))


@pytest.mark.parametrize("cell", ["tanh", "relu"])
def test_cells_without_gates_have_none(cell):
    assert_array_equal(fit(cell=cell).predict_proba(X), fit(cell=cell, initial_timescale=None).predict_proba(X))


@pytest.mark.parametrize(
    ("kind", "y"),
    [(RNNSequenceTagger, [x[:, 0] > 0 for x in X]), (RNNSequenceRegressor, [x[:, 0] for x in X])],
)
def test_a_target_for_each_step_asks_for_nothing(kind, y):
    assert fit(y=y, kind=kind).initial_timescale_ is None
    assert fit(y=y, kind=kind, initial_timescale=8).initial_timescale_ == 8


def test_weights_and_repetition_are_the_same():
    weights = np.arange(12) % 4
    repeated = np.repeat(np.arange(12), weights)
    weighted = fit(sample_weight=weights, max_iter=3, learning_rate_init=0.01)
    of_copies = fit([X[i] for i in repeated], Y[repeated], max_iter=3, learning_rate_init=0.01)

    assert weighted.initial_timescale_ == of_copies.initial_timescale_
    assert_array_equal(weighted.predict_proba(X), of_copies.predict_proba(X))


def test_it_follows_the_weights_and_the_training_part():
    lengths = [400] * 6 + [20] * 6
    sequences = [np.zeros((n, 1)) for n in lengths]

    assert fit(sequences).initial_timescale_ == 16  # 210 steps
    assert fit(sequences, sample_weight=[1] * 6 + [0] * 6).initial_timescale_ == 32
    assert fit(sequences[6:], y=Y[6:], early_stopping=True).initial_timescale_ == 2
    validated = RNNSequenceClassifier(**AT_THE_START, early_stopping=True)
    assert validated.fit(sequences[6:], Y[6:], X_val=sequences[:6], y_val=Y[:6]).initial_timescale_ == 2


def test_it_is_fixed_at_the_first_call():
    model = RNNSequenceClassifier(**AT_THE_START).partial_fit(X, Y, classes=[0, 1])
    model.partial_fit([x[:20] for x in X], Y)

    assert model.initial_timescale_ == LONGEST
    model.set_params(warm_start=True).fit([x[:20] for x in X], Y)
    assert model.initial_timescale_ == LONGEST
    model.set_params(warm_start=False).fit([x[:20] for x in X], Y)
    assert model.initial_timescale_ == 2


@pytest.mark.parametrize("value", [0.5, 0, -1, "long", np.inf * -1])
def test_what_is_no_timescale(value):
    with pytest.raises(ValueError, match="The 'initial_timescale' parameter of RNNSequenceClassifier must be"):
        fit(initial_timescale=value)
