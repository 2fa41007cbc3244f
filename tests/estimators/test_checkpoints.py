"""A fit that was cut off continues from its checkpoint to the same bits."""

import warnings
from itertools import product

import numpy as np
import pytest
from helpers import CELL_NAMES, interrupt_update, raises
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger
from skrnn.core.training.optimizers import Adam

pytest.importorskip("sklearn.callback")

from checkpointing import STEADY, CutOff, PowerFailureError, X, Y, assert_same, cut_off, make

from skrnn.callbacks import Checkpoint, load_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

WORDS = ["abc", "bca", "cab", "aab", "ccb", "ab", "b", "cba", "bb"] * 2
CASES = {
    "classifier": (RNNSequenceClassifier, (X, Y)),
    "token model": (RNNNextTokenModel, (WORDS,)),
    "regressor": (RNNSequenceRegressor, (X, [float(x.sum()) for x in X])),
    "tagger": (RNNSequenceTagger, (X, [np.where(x[:, 0] > 0, "+", "-") for x in X])),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pickle"


@pytest.mark.parametrize("name", ["classifier", "token model"])
@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize(
    ("solver", "learning_rate", "early_stopping"),
    list(product(["adam", "sgd", "rmsprop"], ["constant", "adaptive", "cosine"], [False, True])),
)
def test_a_fit_that_was_cut_off_continues_to_the_same_bits(name, cell, solver, learning_rate, early_stopping, path):
    cls, arguments = CASES[name]
    params = {"cell": cell, "solver": solver, "learning_rate": learning_rate, "early_stopping": early_stopping}
    model = make(cls, **params)
    whole = clone(model).fit(*arguments)
    after = whole.n_iter_ // 2

    resumed = cut_off(model, after, path, *arguments)
    assert resumed.n_iter_ == after
    resumed.fit(*arguments)

    assert_same(resumed, whole)
    assert_same(resumed.fit(*arguments), whole)  # anew


OPTIONS = {
    "plain": ({}, {}),
    "two layers in float32": ({"n_layers": 2, "dtype": "float32"}, {}),
    "full batch": ({"batch_size": 18, "dropout": 0}, {}),
    "weights": ({}, {"sample_weight": np.arange(18.0)}),
    "a warm start": ({"warm_start": True}, {}),
    "another seed at every fit": ({"random_state": "a generator"}, {}),
    "two threads": ({"n_jobs": 2}, {}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("params", "options"), OPTIONS.values(), ids=OPTIONS)
def test_every_epoch_of_every_estimator_is_one_to_continue_from(name, params, options, path):
    cls, arguments = CASES[name]
    whole = make(cls, tol=0, max_iter=4, **params).fit(*arguments, **options)
    for after in range(1, 5):
        resumed = cut_off(make(cls, tol=0, max_iter=4, **params), after, path, *arguments, **options)
        assert_same(resumed.fit(*arguments, **options), whole)


def accuracy(estimator, X, y):
    return estimator.score(X, y)


CLASSIFIERS = {
    "a scorer": ({"early_stopping": True, "scoring": "neg_log_loss"}, {}),
    "a function": ({"early_stopping": True, "scoring": accuracy}, {}),
    "class weights": ({"class_weight": "balanced"}, {"sample_weight": np.arange(18.0)}),
    "own validation": ({"early_stopping": True}, {"X_val": X[:7], "y_val": Y[:7]}),
    "both directions": ({"bidirectional": True, "pooling": "max"}, {}),
}


@pytest.mark.parametrize(("params", "options"), CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_a_classifier_continues_as_it_was_told(params, options, path):
    whole = make(**params).fit(X, Y, **options)

    resumed = cut_off(make(**params), 2, path, X, Y, **options)

    assert_same(resumed.fit(X, Y, **options), whole)


class Counting:
    """A scorer that is another one after every call."""

    calls = 0

    def __call__(self, estimator, X, y):
        self.calls += 1
        return 1 / self.calls


def test_a_scorer_continues_with_what_it_counted(path):
    params = {"early_stopping": True, "n_iter_no_change": 10, "tol": 0}
    whole = make(scoring=Counting(), **params).fit(X, Y)

    resumed = cut_off(make(scoring=Counting(), **params), 3, path, X, Y).fit(X, Y)

    assert resumed.validation_scores_ == whole.validation_scores_ == [1 / n for n in range(1, 9)]
    assert_array_equal(resumed._fitted.params, whole._fitted.params)


@pytest.mark.parametrize("first", [(X, Y), (X[::-1], Y[::-1])], ids=["the same data", "other data"])
def test_a_warm_start_continues_in_the_middle_of_its_second_fit(first, path):
    params = {"warm_start": True, "learning_rate": "cosine", "max_iter": 5, "n_iter_no_change": 20}
    whole = make(**params).fit(*first).fit(X, Y)
    model = make(**params).fit(*first).set_callbacks(Checkpoint(path), CutOff(2))
    with pytest.raises(PowerFailureError):
        model.fit(X, Y)

    resumed = load_checkpoint(path)
    assert resumed.n_iter_ == 7
    assert_same(resumed.fit(X, Y), whole)
    assert resumed.fit(X, Y).n_iter_ == 15


def test_layers_of_another_estimator_are_not_taken_again(path):
    source = make(RNNSequenceClassifier).fit(X, Y)
    whole = make().fit(X, Y, init_from=source)

    resumed = cut_off(make(), 3, path, X, Y, init_from=source)

    with raises(ValueError, "init_from begins a fit, but this one continues from a checkpoint. Leave it out."):
        resumed.fit(X, Y, init_from=source)
    assert_same(resumed.fit(X, Y), whole)


def test_a_fit_is_cut_off_again_and_again(path):
    whole = make(**STEADY, tol=0).fit(X, Y)
    resumed = cut_off(make(**STEADY, tol=0), 2, path, X, Y)
    for n_epochs in (3, 5):  # two epochs each, of which the file has all
        resumed.set_callbacks(Checkpoint(path), CutOff(2 if n_epochs == 5 else 1))
        with pytest.raises(PowerFailureError):
            resumed.fit(X, Y)
        resumed = load_checkpoint(path)
        assert resumed.n_iter_ == n_epochs

    assert_same(resumed.fit(X, Y), whole)


@pytest.mark.parametrize("params", [{**STEADY, "tol": 0}, STEADY, {"learning_rate": "cosine", "tol": 0}])
def test_the_file_of_a_fit_that_ended_has_no_epoch_left(params, path):
    """Whether it is the end of all epochs or of patience; with the warning that goes with it."""
    model = make(**params)
    found = []
    for fit in (lambda: model.set_callbacks(Checkpoint(path)).fit(X, Y), lambda: load_checkpoint(path).fit(X, Y)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found.append((fit(), [str(warning.message) for warning in caught]))

    (first, told), (second, told_again) = found
    assert told == told_again
    assert_same(second, first)


def test_a_fit_that_was_cut_off_after_its_last_epoch_has_none_left(path):
    whole = make(**STEADY).fit(X, Y)
    assert whole.n_iter_ < whole.max_iter  # by patience

    assert_same(cut_off(make(**STEADY), whole.n_iter_, path, X, Y).fit(X, Y), whole)


class Stop(CutOff):
    def on_fit_task_end(self, estimator, context):
        return context.task_name == "epoch" and context.task_id + 1 == self.after


@pytest.mark.parametrize("every", [1, 100])
def test_a_callback_that_ends_the_fit_ends_it_in_the_file(every, path):
    model = make().set_callbacks(Checkpoint(path, every_n_epochs=every), Stop(2)).fit(X, Y)

    assert model.n_iter_ == load_checkpoint(path).fit(X, Y).n_iter_ == 2
    assert_same(load_checkpoint(path).fit(X, Y), model)


def test_ctrl_c_leaves_the_file_to_continue_from(path, monkeypatch):
    whole = make(**STEADY).fit(X, Y)
    with monkeypatch.context() as patch:
        interrupt_update(patch, 4 * 3 + 2)
        with pytest.warns(ConvergenceWarning, match="Training was interrupted"):
            make(**STEADY).set_callbacks(Checkpoint(path)).fit(X, Y)

    resumed = load_checkpoint(path)
    assert resumed.n_iter_ == 3
    assert_same(resumed.fit(X, Y), whole)


def test_a_loss_that_is_not_finite_leaves_the_file_to_continue_from(path, monkeypatch):
    whole = make(**STEADY).fit(X, Y)
    update, calls = Adam.update, []

    def overflowing(self, params, *arguments):
        calls.append(1)
        update(self, params, *arguments)
        if len(calls) == 4 * 3 + 2:
            params[:] = np.inf

    with monkeypatch.context() as patch:
        patch.setattr(Adam, "update", overflowing)
        with pytest.warns(ConvergenceWarning, match="The best parameters so far"):
            make(**STEADY).set_callbacks(Checkpoint(path)).fit(X, Y)

    resumed = load_checkpoint(path)
    assert resumed.n_iter_ == 3
    assert_same(resumed.fit(X, Y), whole)


@pytest.mark.parametrize(("every", "last"), [(1, 5), (2, 4), (3, 3), (5, 5)])
def test_a_checkpoint_every_n_epochs(every, last, path):
    resumed = cut_off(make(**STEADY, tol=0), 5, path, X, Y, every=every)

    assert resumed.n_iter_ == last
    (callback,) = resumed._skl_callbacks
    assert (callback.every_n_epochs, callback.every_n_minutes) == (every, None)
    assert_same(resumed.fit(X, Y), make(**STEADY, tol=0).fit(X, Y))


def test_a_checkpoint_every_n_minutes(path, monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock, written = Clock(), []
    monkeypatch.setattr("skrnn._checkpoints.time", clock)

    class Minutes(CutOff):
        def on_fit_task_begin(self, estimator, context):
            clock.now += 60 * (context.task_name == "epoch")

        def on_fit_task_end(self, estimator, context):
            written.append(load_checkpoint(path).n_iter_ if path.exists() else 0)

    callbacks = Minutes(0), Checkpoint(path, every_n_minutes=2.5), Minutes(0)
    make(**STEADY, tol=0).set_callbacks(*callbacks).fit(X, Y)  # two minutes an epoch

    assert written[1::2] == [0, 2, 2, 4, 4, 6, 6, 8, 8]
