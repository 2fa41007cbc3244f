"""What holds for every estimator: how it is trained, continues, holds out, breaks off, and reads its parameters."""

import builtins
import functools
import pickle
import re
import threading
import warnings
from types import SimpleNamespace
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import interrupt_update
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer, make_scorer, zero_one_loss
from sklearn.model_selection import RandomizedSearchCV
from sklearn.utils import compute_class_weight

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn._hold_out import hold_out, scorer_digest
from skrnn._validation.values import shown

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LASTING = {"cell": "relu", "hidden_size": 5, "n_layers": 2}
"""Other values of what cannot change while training continues, for every estimator."""

TRAINING_SETTINGS = {"dropout": 0.5, "alpha": 0.1, "batch_size": 5, "learning_rate": "adaptive", "bptt_steps": 2}
"""Other values of what can."""


class ClassifierCase:
    """How the tests call a classifier."""

    def __repr__(self):
        return "classifier"

    def make(self, **params):
        defaults = {"hidden_size": 4, "max_iter": 3, "learning_rate_init": 0.01, "random_state": 0}
        return RNNSequenceClassifier(**{**defaults, **params})

    def data(self, n=24, seed=0):
        """X and y, as arguments of `fit`."""
        rng = np.random.default_rng(seed)
        X = [rng.normal(i % 2, 1, size=(length, 2)) for i, length in enumerate(rng.integers(1, 8, size=n))]
        return X, np.arange(n) % 2

    def other(self):
        """Of the same sequences, what contradicts `data`."""
        X, y = self.data()
        return X, 1 - y

    def validation(self, seed=1):
        X, y = self.data(8, seed)
        return {"X_val": X, "y_val": y}

    def predict(self, model):
        return model.predict_proba(self.data()[0])

    def partial_fit(self, model, X, y, **kwargs):
        return model.partial_fit(X, y, classes=[0, 1], **kwargs)

    streaming: ClassVar = {}
    """Parameters with which there is a stream."""

    def after_each_step(self, model, x):
        """What a stream tells after each step of a sequence."""
        return model.predict_proba_steps([x])[0]

    lasting: ClassVar = {
        **LASTING,
        "bidirectional": True,
        "pooling": "mean",
    }
    training_settings: ClassVar = {
        **TRAINING_SETTINGS,
        "recompute": True,
        "class_weight": {0: 2},
    }


class RegressorCase(ClassifierCase):
    def __repr__(self):
        return "regressor"

    def make(self, **params):
        defaults = {"hidden_size": 4, "max_iter": 3, "learning_rate_init": 0.01, "random_state": 0}
        return RNNSequenceRegressor(**{**defaults, **params})

    def target(self, x, sign):
        return 10 * sign * x.sum() + 100

    def data(self, n=24, seed=0):
        X, _ = super().data(n, seed)
        return X, [self.target(x, 1) for x in X]

    def other(self):
        X, _ = self.data()
        return X, [self.target(x, -1) for x in X]

    def predict(self, model):
        return np.hstack(model.predict(self.data()[0]))

    def partial_fit(self, model, X, y, **kwargs):
        return model.partial_fit(X, y, **kwargs)

    def after_each_step(self, model, x):
        return model.predict([x[: t + 1] for t in range(len(x))])

    lasting: ClassVar = {**ClassifierCase.lasting, "loss": "huber", "huber_delta": 2.0, "quantile": 0.5}
    training_settings: ClassVar = {**TRAINING_SETTINGS, "recompute": True}


class StepRegressorCase(RegressorCase):
    """Of which every step has a number."""

    def __repr__(self):
        return "regressor of steps"

    def target(self, x, sign):
        return 10 * sign * np.cumsum(x[:, 0]) + 100

    def after_each_step(self, model, x):
        return model.predict([x])[0]


class TaggerCase(ClassifierCase):
    """Of which every step has a label."""

    def __repr__(self):
        return "tagger"

    def make(self, **params):
        defaults = {"hidden_size": 4, "max_iter": 3, "learning_rate_init": 0.01, "random_state": 0}
        return RNNSequenceTagger(**{**defaults, **params})

    def data(self, n=24, seed=0):
        X, _ = super().data(n, seed)
        return X, [(x[:, 0] > 0.5).astype(int) for x in X]

    def other(self):
        X, y = self.data()
        return X, [1 - labels for labels in y]

    def predict(self, model):
        return np.vstack(model.predict_proba(self.data()[0]))

    streaming: ClassVar = {"loss": "log_loss", "bidirectional": False}

    def after_each_step(self, model, x):
        return model.predict_proba([x])[0]

    lasting: ClassVar = {**LASTING, "bidirectional": False, "loss": "log_loss", "ignore_label": 7}
    training_settings: ClassVar = {
        name: value for name, value in {**TRAINING_SETTINGS, "recompute": True}.items() if name != "bptt_steps"
    }


class NextTokenCase:
    def __repr__(self):
        return "next token"

    def make(self, **params):
        defaults = {"hidden_size": 4, "max_iter": 3, "random_state": 0, "learning_rate": "constant"}
        return RNNNextTokenModel(**{**defaults, **params})

    def data(self, n=24, seed=0):
        rng = np.random.default_rng(seed)
        return ["".join("abc"[(first + k) % 3] for k in range(n)) for first, n in rng.integers(1, 8, size=(n, 2))], None

    def other(self):
        X, _ = self.data()
        return [text[::-1] for text in X], None

    def validation(self, seed=1):
        return {"X_val": self.data(8, seed)[0]}

    def predict(self, model):
        return model.predict_proba(self.data()[0])

    def partial_fit(self, model, X, y, **kwargs):
        return model.partial_fit(X, **kwargs)

    streaming: ClassVar = {}

    def after_each_step(self, model, x):
        return -model.token_log_proba([x])[0][: len(x)]

    lasting: ClassVar = {
        **LASTING,
        "embedding_size": 3,
        "min_frequency": 2,
        "max_tokens": 2,
        "add_end_token": False,
        "dtype": "float32",
    }
    training_settings: ClassVar = {
        **TRAINING_SETTINGS,
        "handle_unknown": "error",
    }


class OfTokens:
    """Of which X holds tokens, which are read as embeddings: a third of a feature's range each."""

    def __repr__(self):
        return f"{super().__repr__()} of tokens"

    def make(self, **params):
        return super().make(**{"embedding_size": 3, **params})

    def data(self, n=24, seed=0):
        X, y = super().data(n, seed)
        return [["abc"[min(int(abs(step) * 3), 2)] for step in x[:, 0]] for x in X], y

    @property
    def lasting(self):
        return {**super().lasting, "vocabulary": ["a", "b", "c"], "embedding_size": None, "min_frequency": 2}


class TokenClassifierCase(OfTokens, ClassifierCase):
    pass


class TokenRegressorCase(OfTokens, StepRegressorCase):
    def target(self, x, sign):
        return 10 * sign * np.arange(len(x)) + 100


class TokenTaggerCase(OfTokens, TaggerCase):
    pass


CLASSIFIER, TOKENS = ClassifierCase(), NextTokenCase()
CASES = [
    CLASSIFIER,
    RegressorCase(),
    StepRegressorCase(),
    TaggerCase(),
    TokenClassifierCase(),
    TokenRegressorCase(),
    TokenTaggerCase(),
    TOKENS,
]


@pytest.fixture(params=CASES, ids=repr)
def case(request):
    return request.param


def id_of(value):
    """The same in every process: without addresses."""
    return re.sub(r"<function (\S+) .*?>|<\S*?(\w+) object at .*?>", r"\1\2", str(value))


def params_of(model):
    return np.concatenate([array.ravel() for array in model.weights_.values()])


def assert_same_model(model, wanted):
    assert model.loss_curve_ == wanted.loss_curve_
    assert model.validation_scores_ == wanted.validation_scores_
    assert_array_equal(params_of(model), params_of(wanted))


def fits(case):
    """Every way to train, as functions of a model."""
    return {"fit": lambda model: model.fit(*case.data()), "partial_fit": lambda m: case.partial_fit(m, *case.data())}


# Warm starts


def module_scorer(model, X, y=None, sign=1):
    return -sign * float(np.abs(params_of(model)).sum())


def scorer_of(factor):
    return lambda model, X, y=None: factor * module_scorer(model, X)


class CountingScorer:
    def __init__(self):
        self.n_calls = 0

    def __call__(self, model, X, y=None):
        self.n_calls += 1
        return module_scorer(model, X)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"batch_size": 5, "dropout": 0.2},
        {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 1},
        {"early_stopping": True},
        {"early_stopping": True, "scoring": module_scorer},
        {"early_stopping": True, "scoring": scorer_of(2.0)},
        {"early_stopping": True, "scoring": functools.partial(module_scorer, sign=2)},
        {"early_stopping": True, "scoring": CountingScorer()},
    ],
    ids=id_of,
)
@pytest.mark.parametrize("as_lists", [False, True], ids=["same objects", "copies"])
def test_two_and_three_epochs_are_five(case, params, as_lists):
    X, y = case.data()
    in_parts = case.make(warm_start=True, **params).set_params(max_iter=2).fit(X, y)
    if as_lists:
        X, y = [list(x) for x in X], None if y is None else [np.asarray(value).tolist() for value in y]
        in_parts.set_params(scoring=clone(in_parts).scoring)
    in_parts.set_params(max_iter=3).fit(X, y)

    assert_same_model(in_parts, case.make(max_iter=5, **params).fit(*case.data()))


@pytest.mark.parametrize("through", [clone, lambda model: pickle.loads(pickle.dumps(model))], ids=["clone", "pickle"])
def test_equal_scorers_continue(through):
    case = CLASSIFIER
    X, y = case.data()
    params = {"early_stopping": True, "scoring": make_scorer(zero_one_loss, greater_is_better=False, normalize=False)}
    in_parts = case.make(warm_start=True, **params).set_params(max_iter=2).fit(X, y)

    in_parts.set_params(scoring=through(in_parts).scoring, max_iter=3).fit(X, y)

    assert_same_model(in_parts, case.make(max_iter=5, **params).fit(X, y))


def test_digests_tell_scorers_apart():
    scorers = [
        "accuracy",
        "loss",
        None,
        get_scorer("accuracy"),
        get_scorer("f1"),
        make_scorer(zero_one_loss, greater_is_better=False),
        make_scorer(zero_one_loss, greater_is_better=False, normalize=False),
        make_scorer(lambda y, p: 1.0),
        make_scorer(lambda y, p: 2.0),
        module_scorer,
        scorer_of(1.0),
        scorer_of(2.0),
        functools.partial(module_scorer, sign=2),
        functools.partial(module_scorer, sign=3),
        CountingScorer(),
        CountingScorer().__call__,
    ]
    digests = [scorer_digest(scorer) for scorer in scorers]

    assert len(set(digests)) == len(scorers)
    assert digests == [scorer_digest(scorer) for scorer in scorers]
    assert scorer_digest(scorer_of(2.0)) == digests[11]


def self_reference(value):
    def scorer(model, X):
        return scorer, value, np_here

    import numpy as np_here  # a cell that holds a module

    return scorer


def empty_cell(value):
    def scorer(model, X):
        return value, later

    if value is None:
        later = 1
    return scorer


def graph(value):
    nodes = [CountingScorer() for _ in range(50)]
    for node in nodes:
        node.others, node.value = nodes, value
    return nodes[0]


@pytest.mark.parametrize("make", [self_reference, empty_cell, graph, lambda value: lambda: (value, (x for x in ()))])
def test_any_scorer_has_a_digest(make):
    assert scorer_digest(make(1)) == scorer_digest(make(1)) != scorer_digest(make(2))
    assert scorer_digest(make(threading.Lock())) == scorer_digest(make(threading.Lock()))


def test_a_digest_ends_where_a_scorer_holds_on_to_a_whole_program():
    program = None
    for _ in range(10_000):  # deeper than Python calls itself
        program = SimpleNamespace(next=program)

    assert scorer_digest(self_reference((program, 1))) == scorer_digest(self_reference((program, 1)))
    assert scorer_digest(self_reference((program, 1))) != scorer_digest(self_reference((program, 2)))


@pytest.mark.parametrize("params", [{}, {"early_stopping": True}], ids=["loss", "early stopping"])
def test_other_data_are_learned(case, params):
    """Best parameters, scores and patience are those of the data at hand."""
    model = case.make(warm_start=True, learning_rate_init=0.1, max_iter=60, n_iter_no_change=60, **params)
    model.fit(*case.data())
    before = model.score(*case.other())

    model.fit(*case.other())

    assert model.score(*case.other()) > before
    assert model.score(*case.other()) > model.score(*case.data())
    assert model.n_iter_ == len(model.loss_curve_) == 120
    if params:
        assert len(model.validation_scores_) == 60
        assert model.best_validation_score_ == max(model.validation_scores_)
    else:
        assert model.best_loss_ == min(model.loss_curve_[60:])


def test_other_data_begin_a_schedule_anew(case):
    rates = []
    model = case.make(warm_start=True, learning_rate="cosine", solver="sgd", batch_size=100, max_iter=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "skrnn.core.training.loop.learning_rate_at", lambda name, initial, epoch, *_: rates.append(epoch) or 0.01
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(*case.data()).fit(*case.data()).fit(*case.other()).fit(*case.other())
    assert rates == [0, 1, 2, 3, 4, 5, 6, 7] * 2


def test_an_interrupt_does_not_give_back_a_model_of_other_data(case, monkeypatch):
    model = case.make(warm_start=True, learning_rate_init=0.1, max_iter=60, batch_size=24).fit(*case.data())
    n_iter = model.n_iter_
    interrupt_update(monkeypatch, 50)

    with pytest.warns(ConvergenceWarning, match=r"Training was interrupted\. The best parameters so far \(epoch \d+\)"):
        model.fit(*case.other())

    assert n_iter < model._fitted.training.monitor.best_epoch
    assert model.best_loss_ == min(model.loss_curve_[n_iter:])
    assert model.score(*case.other()) > model.score(*case.data())


def changes(case):
    """What makes the data others, as keyword arguments of `fit`, or parameters."""
    weights = np.r_[2.0, np.ones(23)]
    yield "sample_weight", {"sample_weight": weights}, {}
    yield "X_val", case.validation(2), {}
    if "class_weight" in case.training_settings:
        yield "class_weight", {}, {"class_weight": {0: 2}}


@pytest.mark.parametrize(
    ("case", "kwargs", "params"),
    [pytest.param(case, *rest, id=f"{case}, {name}") for case in CASES for name, *rest in changes(case)],
)
def test_what_makes_data_others(case, kwargs, params):
    early_stopping = "X_val" in kwargs
    model = case.make(warm_start=True, early_stopping=early_stopping, max_iter=3)
    validation = case.validation() if early_stopping else {}
    model.fit(*case.data(), **validation)
    best_epoch = model._fitted.training.monitor.best_epoch

    model.fit(*case.data(), **validation)
    assert len(model.validation_scores_ or model.loss_curve_) == 6

    model.set_params(**params).fit(*case.data(), **{**validation, **kwargs})
    assert best_epoch <= 6 < model._fitted.training.monitor.best_epoch
    assert model._fitted.training.monitor.first_epoch == (0 if early_stopping else 6)


def test_partial_fit_between_fits(case):
    """Its data are others, and its own; moments and random numbers continue."""
    model = case.make(warm_start=True).fit(*case.data())
    n_updates = model._fitted.training.optimizer_state.n_updates

    case.partial_fit(model, *case.other())
    assert model.best_loss_ == model.loss_
    model.fit(*case.data())

    assert model.n_iter_ == 7
    assert model._fitted.training.optimizer_state.n_updates > n_updates + 1
    assert model._fitted.training.monitor.best_epoch > 4
    assert model.best_loss_ == min(model.loss_curve_[4:])


@pytest.mark.parametrize(
    ("case", "name"), [pytest.param(case, name, id=f"{case}, {name}") for case in CASES for name in case.lasting]
)
def test_what_the_weights_mean_cannot_change(case, name):
    model = case.make(warm_start=True).fit(*case.data())
    was = model.get_params()[name]
    model.set_params(**{name: case.lasting[name]})
    before = joblib.hash(vars(model))
    message = f"^{name} cannot change while training continues: it is {re.escape(repr(case.lasting[name]))}, but was "

    for fit in fits(case).values():
        with pytest.raises(ValueError, match=message):
            fit(model)
        assert joblib.hash(vars(model)) == before

    model.set_params(**{name: was}).fit(*case.data())
    model.set_params(warm_start=False, **{name: case.lasting[name]}).fit(*case.data())


def test_weights_are_tied_or_not():
    case = TOKENS
    model = case.make(warm_start=True, embedding_size=4).fit(*case.data()).set_params(tie_weights=True)
    with pytest.raises(
        ValueError, match=r"^tie_weights cannot change while training continues: it is True, but was False"
    ):
        model.fit(*case.data())


@pytest.mark.parametrize(("add_end_token", "same"), [("auto", True), (True, "auto")])
def test_another_word_for_the_same_is_no_change(add_end_token, same):
    case = TOKENS
    model = case.make(warm_start=True, add_end_token=add_end_token).fit(*case.data())
    assert model.set_params(add_end_token=same).fit(*case.data()).n_iter_ == 6


@pytest.mark.parametrize(
    ("case", "name"),
    [pytest.param(case, name, id=f"{case}, {name}") for case in CASES for name in case.training_settings],
)
def test_settings_of_training_can_change(case, name):
    model = case.make(warm_start=True).fit(*case.data())
    model.set_params(**{name: case.training_settings[name]}).fit(*case.data())
    assert model.n_iter_ == 6


@pytest.mark.parametrize(
    ("case", "name"),
    [
        pytest.param(case, name, id=f"{case}, {name}")
        for case in CASES
        for name in ("alpha", "dropout", "bptt_steps")
        if name in case.training_settings
    ],
)
def test_another_training_loss_has_its_own_best(case, name):
    model = case.make(warm_start=True).fit(*case.data())
    model._fitted.training.monitor.best_score = np.inf

    model.set_params(**{name: case.training_settings[name]}).fit(*case.data())

    assert model.best_loss_ == min(model.loss_curve_[3:])


def test_another_scorer_has_its_own_scores(case):
    model = case.make(warm_start=True, early_stopping=True).fit(*case.data())
    model.set_params(scoring=module_scorer).fit(*case.data())
    assert len(model.validation_scores_) == 3
    assert model.best_validation_score_ == max(model.validation_scores_)


def test_a_fitted_model_does_not_hold_the_scorer(case):
    model = case.make(early_stopping=True, scoring=lambda *_: 1.0).fit(*case.data())
    assert_array_equal(params_of(pickle.loads(pickle.dumps(model.set_params(scoring="loss")))), params_of(model))


# Holding out


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=30),
    fraction=st.floats(0.001, 0.999),
    seed=st.integers(0, 2**31 - 1),
)
@settings(deadline=None, max_examples=300)
def test_held_out_are_classes_in_proportion(counts, fraction, seed):
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    if max(counts) == 1:
        with pytest.raises(ValueError, match=r"no class may be held out whole\. Pass more, X_val and y_val, or use"):
            hold_out(targets, fraction, seed)
        return

    train, held = hold_out(targets, fraction, seed)

    assert_array_equal(np.sort(np.r_[train, held]), np.arange(len(targets)))
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(held) > 0)
    counts, n_held = np.array(counts), np.bincount(targets[held], minlength=len(counts))
    assert np.all(n_held < counts)  # so every class is learned, and a single row stays
    assert len(held) == min(np.ceil(fraction * len(targets)), np.sum(counts - 1))
    ideal = np.ceil(fraction * len(targets)) * counts / len(targets)
    assert np.all(n_held >= np.minimum(np.floor(ideal), counts - 1))  # what a class lacks goes to others
    if np.all(counts > ideal + 1):
        assert np.all(np.abs(n_held - ideal) < 1)


def test_classes_of_equal_size_are_held_out_in_turn():
    """Which of them give a row, where not all can, is drawn."""
    targets = np.repeat(np.arange(10), 5)
    chosen = {tuple(np.unique(targets[hold_out(targets, 0.1, seed)[1]])) for seed in range(20)}
    assert len(chosen) > 10


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_class_does_not_switch_strata_off(seed):
    case = CLASSIFIER
    X, _ = case.data(30)
    y = np.array(["common"] * 19 + ["some"] * 10 + ["rare"])
    seen = []

    def scorer(model, X, y):
        seen.append(sorted(y.tolist()))
        return 0.0

    case.make(early_stopping=True, scoring=scorer, random_state=seed, max_iter=1).fit(X, y)

    assert seen == [["common", "common", "some"]]


@pytest.mark.parametrize(("n", "y"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2])])
def test_nothing_sensible_to_hold_out(n, y):
    case = CLASSIFIER
    with pytest.raises(
        ValueError, match=f"X has {n} sequences of {n} classes: too few to hold out validation_fraction"
    ):
        case.make(early_stopping=True).fit(case.data(n)[0], y)


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.999])
@pytest.mark.parametrize("n", [2, 3])
def test_tiny_sets_are_split(case, n, fraction):
    X, y = case.data(n)
    y = None if y is None else [np.ones_like(value) if np.ndim(value) else 1 for value in y]
    model = case.make(early_stopping=True, validation_fraction=fraction).fit(X, y)
    assert len(model.validation_scores_) == 3


def test_sequences_of_no_weight_are_not_held_out(case):
    X, y = case.data()
    seen = []

    def scorer(model, X, y=None, sample_weight=None):
        seen.extend(map(len, X))
        return 0.0

    weights = np.ones(24)
    X[3] = [X[3][0]] * 50
    weights[3] = 0
    if y is not None and np.ndim(y[3]):
        y[3] = np.zeros(50)
    case.make(early_stopping=True, scoring=scorer, validation_fraction=0.9).fit(X, y, weights)

    assert seen
    assert 50 not in seen


# Scorers


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        np.nan,
        np.float32("nan"),
        np.inf,
        -np.inf,
        1j,
        np.array([0.5]),
        [0.5],
        {"a": 1},
        "x" * 10**6,
        10**400,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_scorer_returns_one_finite_number(case, value):
    model = case.make(warm_start=True).fit(*case.data())
    model.set_params(early_stopping=True, scoring=ScorerOf([0.5, value]))
    before, proba = joblib.hash(vars(model)), case.predict(model)

    with pytest.raises(
        ValueError, match=r"^scoring=ScorerOf\(.* in epoch 5\. A scorer must return one finite"
    ) as error:
        model.fit(*case.data())

    assert f"returned {shown(value)} in epoch 5" in str(error.value)
    assert len(str(error.value)) < 400
    assert model.scoring.n_calls == 2
    model.scoring.n_calls = 0
    assert joblib.hash(vars(model)) == before
    assert_array_equal(case.predict(model), proba)


def test_names_of_scorers_are_not_all_listed():
    case = ClassifierCase()
    with pytest.raises(
        ValueError, match=r"^scoring is 'accuracies', which names no scorer of scikit-learn\."
    ) as caught:
        case.make(early_stopping=True, scoring="accuracies").fit(*case.data())
    assert len(str(caught.value)) < 200


class ScorerOf:
    """Return one value after the other."""

    def __init__(self, values):
        self.values, self.n_calls = values, 0

    def __repr__(self):
        return "ScorerOf()"

    def __call__(self, model, X, y=None):
        self.n_calls += 1
        return self.values[self.n_calls - 1]


@pytest.mark.parametrize("value", [1, True, np.float32(0.5), np.int8(3), np.array(0.5)], ids=repr)
def test_numbers_of_any_kind_are_scores(case, value):
    model = case.make(early_stopping=True, scoring=lambda *_: value).fit(*case.data())
    assert model.validation_scores_ == [float(value)] * 3
    assert {type(score) for score in model.validation_scores_} == {float}


def test_what_a_scorer_keeps_stays_as_it_was(case):
    seen, kept = [], []

    def scorer(model, X, y=None):
        seen.append(params_of(model))
        kept.append(model.weights_["rnn.0.W_h"])
        return 0.0

    case.make(early_stopping=True, scoring=scorer).fit(*case.data())
    assert not np.array_equal(kept[0], kept[-1])


# Failed calls


class Boom(Exception):
    pass


def with_warnings_as_errors(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(*args)


def boom(*args, **kwargs):
    raise Boom


def interrupt(*args):
    raise KeyboardInterrupt


@pytest.mark.parametrize("is_fitted", [False, True], ids=["first", "warm"])
@pytest.mark.parametrize(
    ("params", "method"),
    [
        ({"early_stopping": True, "scoring": boom}, "fit"),
        ({"early_stopping": True, "scoring": interrupt}, "fit"),
        ({"verbose": 2}, "fit"),
        ({"verbose": 2}, "partial_fit"),
        ({"solver": "lbfgs", "verbose": 2}, "fit"),
        ({"batch_size": 1000}, "fit"),
        ({"batch_size": 1000}, "partial_fit"),
        ({"max_iter": 1}, "fit"),
        ({"max_iter": 1, "solver": "lbfgs"}, "fit"),
    ],
    ids=id_of,
)
def test_a_failed_call_changes_nothing(case, is_fitted, params, method, monkeypatch):
    """Errors of the user's functions, of printing, and warnings that are errors, before and after the last epoch."""
    if params.get("batch_size") and case is TOKENS:
        pytest.skip("a limit only")
    rng = np.random.RandomState(0)
    model = case.make(warm_start=True, random_state=rng)
    if is_fitted:
        model.fit(*case.data())
    model.set_params(**params)
    before = joblib.hash(vars(model))
    if "verbose" in params:
        monkeypatch.setattr(builtins, "print", boom)

    with pytest.raises((Boom, KeyboardInterrupt, Warning)):
        with_warnings_as_errors(fits(case)[method], model)

    assert joblib.hash(vars(model)) == before


def test_an_interrupted_training_whose_warning_is_an_error(case, monkeypatch):
    model = case.make(warm_start=True, batch_size=24).fit(*case.data())
    before = joblib.hash(vars(model))
    interrupt_update(monkeypatch, 2)

    with pytest.raises(ConvergenceWarning, match="Training was interrupted"):
        with_warnings_as_errors(model.fit, *case.data())

    assert joblib.hash(vars(model)) == before


# Weights


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("scale", [1e-150, 1e150, 1e300, 1e307, 1.7e308])
def test_the_scale_of_weights_does_not_matter(case, solver, scale):
    """Without the penalty, of which they say how much it counts."""
    X, y = case.data()
    params = {"solver": solver, "alpha": 0, "early_stopping": solver == "adam"}
    relative = np.r_[np.full(12, 1.0), np.full(12, 0.5)]
    wanted, model = (case.make(**params).fit(X, y, weights) for weights in (relative, relative * scale))

    assert_allclose(model.loss_curve_, wanted.loss_curve_, rtol=1e-6)
    assert model.loss_ < model.loss_curve_[0]
    assert_allclose(params_of(model), params_of(wanted), rtol=1e-4, atol=1e-6)
    for k in (1.0, scale, 5e-324):
        assert model.score(X, y, sample_weight=np.full(24, k)) == pytest.approx(model.score(X, y))
    assert model.score(X, y, relative * scale) == pytest.approx(model.score(X, y, relative))


ARE_NO_WEIGHTS = {
    "masked": (np.ma.masked_equal(np.arange(24.0), 3), r" has masked entries.* Fill the gaps, 0 leaves a sequence out"),
    "mask in a list": ([np.ma.masked, *range(1, 24)], " has masked entries"),
    "dates": (np.arange(24).astype("M8[D]"), r" has dtype datetime64\[D\], but numbers are needed\. Convert dates"),
    "durations": (np.arange(24).astype("m8[s]"), " has dtype timedelta64"),
    "fields": (np.ones(24, dtype=[("w", float)]), " has dtype .*, but numbers are needed"),
    "text": (["1"] * 24, r" has dtype <U1, but numbers are needed\. Pass one weight for each sequence"),
    "complex": ([1j] * 24, "Complex data not supported: "),
    "beyond floats": ([10**400] * 24, " cannot be read as an array of numbers"),
    "ragged": ([[1], [1, 2]] * 12, " cannot be read as an array of numbers"),
    "set": ({1.0}, r" is a set, but a sequence of numbers is needed\. Pass one weight for each sequence"),
    "dict": (dict.fromkeys(range(24), 1), " is a dict, but a sequence"),
    "iterator": (iter([1.0] * 24), " is a list_iterator, but a sequence"),
    "number": (1.0, r" has 0 dimensions\. Pass one weight for each sequence"),
}


@pytest.mark.parametrize(("weights", "message"), ARE_NO_WEIGHTS.values(), ids=ARE_NO_WEIGHTS)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_what_is_no_weight(case, weights, message, method):
    X, y = case.data()
    model = case.make(max_iter=1).fit(X, y)
    before = joblib.hash(vars(model))
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        getattr(model, method)(X, y, sample_weight=weights)
    assert "sample_weight" in str(caught.value)
    assert joblib.hash(vars(model)) == before


AS_COLUMNS = {
    "list": list,
    "pandas array": pd.array,
    "pandas Series": lambda values: pd.Series(values, dtype="Int64"),
    "polars": lambda values: pytest.importorskip("polars").Series(values),
    "pyarrow": lambda values: pytest.importorskip("pyarrow").array(values),
}


@pytest.mark.parametrize("as_column", AS_COLUMNS.values(), ids=AS_COLUMNS)
def test_weights_in_any_container(case, as_column):
    X, y = case.data()
    weights = [1, 3] * 12
    wanted = case.make(max_iter=1).fit(X, y, sample_weight=np.array(weights, dtype=float))
    assert_same_model(case.make(max_iter=1).fit(X, y, sample_weight=as_column(weights)), wanted)


@pytest.mark.parametrize("weight", [5e-324, 1e-320, 1e-200, 1e-25])
def test_weights_beside_which_the_penalty_is_all(case, weight):
    with pytest.raises(
        ValueError, match=r"^alpha=0.0001 is too much beside the sum of the weights: .* Lower alpha, or"
    ):
        case.make().fit(*case.data(), np.full(24, weight))
    case.make(alpha=0).fit(*case.data(), np.full(24, weight))


@pytest.mark.parametrize("exponents", [(300, 300), (-300, -300), (300, -300), (308, 1)])
def test_weights_of_classes_times_weights(exponents):
    case = CLASSIFIER
    X, y = case.data()
    of_class, of_row = (10.0**exponent for exponent in exponents)
    wanted = case.make(class_weight={0: 2.0}, alpha=0).fit(X, y)

    model = case.make(class_weight={0: of_class / 10 * 2, 1: of_class / 10}, alpha=0).fit(X, y, np.full(24, of_row))

    assert_allclose(model.loss_curve_, wanted.loss_curve_)


# Partial fits


@pytest.mark.parametrize("is_first", [True, False])
def test_balanced_weights_need_all_labels(is_first):
    case = CLASSIFIER
    X, y = case.data()
    model = case.make()
    if not is_first:
        case.partial_fit(model, X, y)
    model.set_params(class_weight="balanced")
    before = joblib.hash(vars(model))

    with pytest.raises(
        ValueError, match=r"^partial_fit does not support class_weight='balanced', .*compute_class_weight"
    ):
        case.partial_fit(model, X, y)
    assert joblib.hash(vars(model)) == before

    weights = dict(zip([0, 1], compute_class_weight("balanced", classes=np.array([0, 1]), y=y)))
    model.set_params(class_weight=weights)
    for part in (slice(0, 9), slice(9, None)):
        case.partial_fit(model, X[part], y[part])


# Streams


def streamed(case, stream, sequences):
    """What a stream tells after each step of some sequences, of which a new one begins at every update."""
    told = [[] for _ in sequences]
    for time in range(len(sequences) + max(map(len, sequences))):
        steps = {i: x[time - i] for i, x in enumerate(sequences) if 0 <= time - i < len(x)}
        for i, value in stream.update(steps).items():
            told[i].append(value)
        stream = pickle.loads(pickle.dumps(stream))
        stream.close([i for i in stream if len(told[i]) == len(sequences[i])])
    assert len(stream) == 0
    return told


@pytest.mark.parametrize("params", [{}, {"cell": "lstm", "n_layers": 2, "dtype": "float32"}], ids=["default", "lstm"])
def test_a_stream_tells_what_the_model_says_of_the_steps_so_far(case, params):
    model = case.make(**{**case.streaming, **params}).fit(*case.data())
    X = case.data(10, seed=1)[0]

    for x, told in zip(X, streamed(case, model.start(), X), strict=True):
        wanted = case.after_each_step(model, x)
        assert np.array(told).dtype == wanted.dtype
        assert_allclose(told, wanted, rtol=100 * np.finfo(wanted.dtype).eps, atol=100 * np.finfo(wanted.dtype).eps)


def test_a_stream_is_not_changed_by_training_or_by_a_call_that_fails(case):
    X, y = case.data()
    model = case.make(**case.streaming).fit(X, y)
    stream, other = model.start(max_streams=3), pickle.loads(pickle.dumps(model)).start()
    case.partial_fit(model, X, y)
    model.set_params(hidden_size=7)
    for steps in ({0: X[0][0], 1: X[1][0]}, {1: X[2][0], 2: X[3][0]}):
        for failing in ({**steps, 3: None}, {**steps, 3: X[0][0], 4: X[0][0]}, list(steps), {3: [[X[0][0]]]}):
            with pytest.raises((TypeError, ValueError), match=r"^steps|^Input steps"):
                stream.update(failing)
        assert_array_equal(list(stream.update(steps).values()), list(other.update(steps).values()))
    assert stream.keys() == other.keys() == [0, 1, 2]


# Parameters that are scalars of NumPy

INTEGERS = {
    "hidden_size": 8,
    "n_layers": 2,
    "batch_size": 20,
    "max_iter": 4,
    "n_iter_no_change": 2,
    "bptt_steps": 3,
    "verbose": 0,
    "n_jobs": 1,
    "random_state": 3,
    "embedding_size": 3,
    "min_frequency": 2,
    "max_tokens": 2,
}
FLOATS = {
    "dropout": 0.25,
    "alpha": 0.5,
    "learning_rate_init": 0.01,
    "tol": 0.1,
    "momentum": 0.3,
    "beta_1": 0.3,
    "beta_2": 0.3,
    "epsilon": 1e-3,
    "max_grad_norm": 0.1,
    "validation_fraction": 0.3,
    "min_frequency": 0.2,
}
BOOLEANS = {"shuffle", "warm_start", "nesterovs_momentum", "early_stopping", "bidirectional", "recompute", "verbose"}


def scalars(case):
    names = case.make().get_params()
    for dtype in (np.int8, np.uint8, np.int16, np.uint64, np.int64):
        yield from ((name, value, dtype(value)) for name, value in INTEGERS.items() if name in names)
    for dtype in (np.float16, np.float32, np.float64, np.longdouble):
        yield from ((name, float(dtype(value)), dtype(value)) for name, value in FLOATS.items() if name in names)
    yield from ((name, flag, np.bool_(flag)) for name in sorted(BOOLEANS & set(names)) for flag in (False, True))


@pytest.mark.parametrize(
    ("case", "name", "python", "numpy"),
    [
        pytest.param(case, *scalar, id=f"{case}, {scalar[0]}={scalar[2]!r}")
        for case in CASES
        for scalar in scalars(case)
    ],
)
def test_scalars_of_numpy_are_numbers_of_python(case, name, python, numpy, capsys):
    params = {"solver": "sgd"} if "momentum" in name else {}
    if name == "validation_fraction":
        params["early_stopping"] = True
    wanted, model = (case.make(**{**params, name: value}).fit(*case.data()) for value in (python, numpy))

    assert_same_model(model, wanted)
    assert_array_equal(case.predict(model), case.predict(wanted))


@pytest.mark.parametrize("dtype", [np.dtype(">f4"), np.dtype("<f4"), np.float32, "float32"], ids=str)
def test_byte_order_is_no_precision(dtype):
    case = TOKENS
    model, wanted = (case.make(dtype=kind).fit(*case.data()) for kind in (dtype, "float32"))
    assert_same_model(model, wanted)
    assert model.predict_proba(["ab"]).dtype == np.float32


@pytest.mark.parametrize(("name", "value"), [("hidden_size", 130), ("batch_size", 200), ("max_iter", 127)])
def test_small_integers_do_not_overflow(case, name, value):
    params = {"max_iter": 1, "n_iter_no_change": 1000, name: value}
    n = 210 if name == "batch_size" else 24
    dtype = np.int8 if value < 128 else np.uint8
    wanted, model = (case.make(**{**params, name: number}).fit(*case.data(n)) for number in (value, dtype(value)))
    assert_same_model(model, wanted)


def test_a_search_over_small_integers():
    case = CLASSIFIER
    search = RandomizedSearchCV(
        case.make(max_iter=1), {"hidden_size": np.array([100, 130], np.uint8)}, n_iter=2, cv=2, random_state=0
    )
    assert search.fit(*case.data()).best_params_["hidden_size"] in (100, 130)


@pytest.mark.parametrize("value", [np.inf, np.float32("inf")], ids=repr)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_patience_without_end(case, value, early_stopping):
    model = case.make(n_iter_no_change=value, tol=10, max_iter=30, early_stopping=early_stopping).fit(*case.data())
    assert model.n_iter_ == 30


@pytest.mark.parametrize(
    "name", ["alpha", "learning_rate_init", "hidden_size", "batch_size", "bptt_steps", "random_state"]
)
@pytest.mark.parametrize("value", [10**400, -(10**5000)], ids=["large", "small"])
def test_integers_beyond_floats_are_no_parameters(case, name, value):
    if name not in case.make().get_params():
        pytest.skip("no parameter of this estimator")
    with pytest.raises(ValueError, match=rf"^{name} is an integer of \d+ bits, beyond all floats\."):
        case.make(**{name: value}).fit(*case.data())


@pytest.mark.parametrize("name", ["alpha", "learning_rate_init", "epsilon"])
def test_infinite_parameters(case, name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of .* must be a float in the range"):
        case.make(**{name: np.inf}).fit(*case.data())


@pytest.mark.parametrize(
    "params",
    [
        {"beta_1": np.nextafter(1, 0)},
        {"beta_2": np.nextafter(1, 0)},
        {"beta_1": 5e-324, "beta_2": 5e-324},
        {"epsilon": 5e-324},
        {"solver": "rmsprop", "epsilon": 5e-324},
        {"solver": "sgd", "momentum": np.nextafter(1, 0)},
        {"learning_rate_init": 5e-324},
        {"alpha": 5e-324},
        {"tol": 5e-324},
        {"max_grad_norm": 5e-324},
        {"max_grad_norm": 1e308},
    ],
    ids=str,
)
def test_parameters_at_the_ends_of_their_ranges(case, params):
    model = case.make(**params).fit(*case.data())
    assert np.isfinite(params_of(model)).all()
    assert np.isfinite(model.loss_curve_).all()


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_last_update_that_overflows_is_not_kept(case, method):
    model = case.make(solver="sgd", max_iter=1, warm_start=True).fit(*case.data())
    model.set_params(learning_rate_init=1e308, max_grad_norm=None, alpha=1e6, batch_size=24)
    before = joblib.hash(vars(model))
    with pytest.raises(ValueError, match=r"^The loss became nan in epoch 2, batch \d .* Lower learning_rate_init"):
        fits(case)[method](model)
    assert joblib.hash(vars(model)) == before


def test_verbose_without_stdout(case, monkeypatch):
    monkeypatch.setattr("sys.stdout", None)
    assert case.make(verbose=1).fit(*case.data()).n_iter_ == 3


# Holding out, by itself


def test_every_sequence_is_held_out_for_some_seed():
    held = [tuple(hold_out(np.zeros(10, np.intp), 0.2, seed)[1]) for seed in range(40)]

    assert all(len(rows) == 2 for rows in held)
    assert set(np.concatenate(held)) == set(range(10))
    assert len(set(held)) > 15


@pytest.mark.parametrize("case", [CLASSIFIER, *CASES[1:3]], ids=repr)
def test_a_scorer_gets_the_weights_of_what_is_held_out(case):
    X, y = case.data()
    seen = []

    def scorer(model, X, y, sample_weight=None):
        seen.append(sample_weight)
        return 0.0

    case.make(early_stopping=True, scoring=scorer, max_iter=1).fit(X, y, sample_weight=np.arange(1.0, 25))
    case.make(early_stopping=True, scoring=scorer, max_iter=1).fit(X, y)

    assert len(seen[0]) == 3
    assert set(seen[0]) <= set(range(1, 25))
    assert seen[1] is None


def test_patience_is_as_it_is_set_now(case):
    model = case.make(warm_start=True, max_iter=20, tol=100.0, n_iter_no_change=2).fit(*case.data())
    assert model.n_iter_ < 6

    model.set_params(tol=0.0, n_iter_no_change=np.inf).fit(*case.data())

    assert model.n_iter_ > 20
