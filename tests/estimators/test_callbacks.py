"""Callbacks of scikit-learn: what they are told of a fit and its epochs, and how they end it."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import warnings
import weakref

import numpy as np
import pytest
from helpers import assert_sequences_equal, interrupt_update, raises
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import (
    EarlyClassifier,
    RNNNextTokenModel,
    RNNSequenceAnomalyDetector,
    RNNSequenceClassifier,
    RNNSequenceRegressor,
    RNNSequenceTagger,
)
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceSummarizer, StepTransformer

ScoringMonitor = pytest.importorskip("sklearn.callback").ScoringMonitor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = [np.sin(np.arange(n * 2.0)).reshape(n, 2) * (-1) ** n for n in (3, 5, 2, 4, 1, 6, 3, 5)] * 2
Y = ["even" if len(x) % 2 == 0 else "odd" for x in X]
CASES = {
    "classifier": (RNNSequenceClassifier, (X, Y)),
    "regressor": (RNNSequenceRegressor, (X, [float(x.sum()) for x in X])),
    "tagger": (RNNSequenceTagger, (X, [np.where(x[:, 0] > 0, "+", "-") for x in X])),
    "token model": (RNNNextTokenModel, (["abc", "bca", "cab", "aab", "ccb", "ab", "b", "cba"] * 2,)),
}
SETTINGS = {
    "adam": {},
    "lbfgs": {"solver": "lbfgs"},
    "early stopping": {"early_stopping": True},
    "warm start": {"warm_start": True},
    "float32": {"dtype": "float32", "solver": "lbfgs"},
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def make(cls, **params):
    return cls(**{"hidden_size": 4, "max_iter": 4, "learning_rate": "constant", "random_state": 0, **params})


def predicted(model, arguments):
    """What a model predicts, as a list of arrays."""
    predict = getattr(model, "predict_proba", model.predict)
    return [np.asarray(row) for row in predict(arguments[0])]


def assert_predict_the_same(model, other, arguments):
    for got, wanted in zip(predicted(model, arguments), predicted(other, arguments), strict=True):
        assert_array_equal(got, wanted)


class Recorder:
    """Keeps what it is told; ends the fit after an epoch of this number, counted from 1."""

    def __init__(self, stop_after=None, interrupt_after=None):
        self.told, self.stop_after, self.interrupt_after = [], stop_after, interrupt_after
        self.estimators, self.arguments = [], []

    def setup(self, estimator, context):
        self.told.append(("setup", context.task_name, context.max_subtasks))

    def teardown(self, estimator, context):
        self.told.append(("teardown", context.task_name, context.max_subtasks))

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("begin", context.task_name, context.task_id))
        self.arguments.append((X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        self.told.append(("end", context.task_name, context.task_id))
        self.arguments.append((X, y, metadata))
        self.estimators.append(fitted_estimator)
        if context.task_name != "fit" and self.interrupt_after == context.task_id + 1:
            raise KeyboardInterrupt
        return context.task_name != "fit" and self.stop_after == context.task_id + 1


def story(n_epochs, n_subtasks, name="epoch"):
    """What a callback is told of a fit of so many epochs."""
    told = [("setup", "fit", n_subtasks), ("begin", "fit", 0)]
    for epoch in range(n_epochs):
        told += [("begin", name, epoch), ("end", name, epoch)]
    return [*told, ("end", "fit", 0), ("teardown", "fit", n_subtasks)]


def leftovers(model):
    return [name for name in vars(model) if ("callback" in name and name != "_skl_callbacks") or name == "_resumable"]


@pytest.mark.parametrize("params", SETTINGS.values(), ids=SETTINGS)
def test_epochs_are_subtasks_whose_estimators_predict_as_a_fit_that_ended_there(case, params):
    cls, arguments = case
    recorder = Recorder()
    model = make(cls, tol=0, **params).set_callbacks(recorder).fit(*arguments)

    assert recorder.told == story(4, 4, "lbfgs-iter" if model.solver == "lbfgs" else "epoch")
    for epoch, told in enumerate(recorder.estimators[:-1], start=1):
        assert told.n_iter_ == epoch
        if not model.early_stopping:  # then it predicts with the best
            shorter = make(cls, tol=0, **params, max_iter=epoch).fit(*arguments)
            assert_predict_the_same(told, shorter, arguments)
            assert told.loss_curve_ == shorter.loss_curve_
    assert_predict_the_same(recorder.estimators[-1], model, arguments)
    assert not leftovers(model)


def test_nothing_changes_with_callbacks(case):
    cls, arguments = case
    plain, told = make(cls).fit(*arguments), make(cls).set_callbacks(Recorder()).fit(*arguments)

    assert told.loss_curve_ == plain.loss_curve_
    assert vars(told).keys() - {"_skl_callbacks"} == vars(plain).keys()


@pytest.mark.parametrize("params", SETTINGS.values(), ids=SETTINGS)
def test_a_callback_ends_the_fit_without_a_warning(case, params):
    cls, arguments = case
    recorder = Recorder(stop_after=2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = make(cls, **params).set_callbacks(recorder).fit(*arguments)

    assert model.n_iter_ == 2
    assert recorder.told == story(2, 4, "lbfgs-iter" if model.solver == "lbfgs" else "epoch")


def test_every_epoch_of_a_warm_start_is_told_once(case):
    cls, arguments = case
    recorder = Recorder()
    model = make(cls, warm_start=True).set_callbacks(recorder).fit(*arguments).fit(*arguments)

    assert recorder.told == story(4, 4) * 2
    assert [told.n_iter_ for told in recorder.estimators] == [1, 2, 3, 4, 4, 5, 6, 7, 8, 8]
    assert model.n_iter_ == 8


@pytest.mark.parametrize("begin", [1e-9, 1e9], ids=["begun", "not begun"])
def test_lbfgs_that_converges_at_once_ends_what_it_began(begin):
    """The line search asks for a loss before there is anything to iterate; once more after a warm start."""
    recorder = Recorder()
    model = make(RNNSequenceClassifier, solver="lbfgs", warm_start=True, tol=begin, max_iter=200)
    model.set_callbacks(recorder).fit(X, Y).fit(X, Y)

    for hook in ("begin", "end"):
        assert len([name for name, *_ in recorder.told if name == hook]) == len(recorder.told) / 2 - 2
    assert recorder.told.count(("teardown", "fit", 200)) == 2


def test_what_is_passed_is_told_as_it_is(case):
    cls, arguments = case
    weights = np.arange(1.0, 17.0)
    recorder = Recorder()
    make(cls).set_callbacks(recorder).fit(*arguments, sample_weight=weights)

    for told_X, told_y, metadata in recorder.arguments:
        assert told_X is arguments[0]
        assert told_y is (arguments[1] if len(arguments) > 1 else None)
        assert metadata == {"sample_weight": weights}
    make(cls).set_callbacks(recorder).fit(*arguments)
    assert recorder.arguments[-1][2] is None


def test_an_interrupted_fit_ends_the_epoch_that_it_broke_off(monkeypatch):
    recorder = Recorder()
    model = make(RNNSequenceClassifier).set_callbacks(recorder)
    interrupt_update(monkeypatch, 3)

    with pytest.warns(ConvergenceWarning, match="Training was interrupted"):
        model.fit(X, Y)

    assert recorder.told == story(3, 4)
    assert [told and told.n_iter_ for told in recorder.estimators] == [1, 2, None, 2]
    assert not leftovers(model)


def test_a_callback_that_is_interrupted_interrupts_the_fit():
    recorder = Recorder(interrupt_after=2)
    model = make(RNNSequenceClassifier).set_callbacks(recorder)

    with pytest.warns(ConvergenceWarning, match="Training was interrupted"):
        model.fit(X, Y)

    assert recorder.told == story(2, 4)
    assert model.n_iter_ == 2


class Raising(Recorder):
    def on_fit_task_end(self, estimator, context):
        raise OSError("the disk is full")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_fit_that_fails_leaves_the_estimator_as_it_was(solver):
    recorder = Recorder()
    model = make(RNNSequenceClassifier, solver=solver).fit(X, Y)
    before = dict(vars(model))

    with raises(OSError, "the disk is full"):
        model.set_callbacks(recorder, Raising()).fit(X, Y)
    with raises(ValueError, "n_jobs is 0"):
        model.set_params(n_jobs=0).fit(X, Y)
    with raises(ValueError, "inconsistent numbers of samples"):
        model.set_params(n_jobs=1).fit(X, Y[:-1])

    assert [hook for hook, *_ in recorder.told].count("setup") == 3
    assert [hook for hook, *_ in recorder.told].count("teardown") == 3
    model.set_params(n_jobs=before["n_jobs"]).set_callbacks()
    assert {name: vars(model)[name] for name in before} == before
    assert not leftovers(model)


def test_partial_fit_has_no_callbacks():
    recorder = Recorder()
    make(RNNSequenceClassifier).set_callbacks(recorder).partial_fit(X, Y, classes=["even", "odd"])

    assert not recorder.told


class Data(list):
    """Sequences that tell when they are gone."""


def test_a_fit_keeps_nothing_of_the_data_alive():
    gc.collect()
    gc.disable()
    try:
        data = Data(X)
        is_gone = weakref.ref(data)
        make(RNNSequenceClassifier).fit(data, Y)
        del data
        assert is_gone() is None
    finally:
        gc.enable()


def test_copies_keep_the_callbacks():
    recorder = Recorder()
    model = make(RNNSequenceClassifier).set_callbacks(recorder).fit(X, Y)

    assert clone(model)._skl_callbacks == [recorder]
    assert copy.copy(model)._skl_callbacks == [recorder]
    recorder.estimators.clear()
    recorder.arguments.clear()
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        (other,) = copied._skl_callbacks
        copied.fit(X, Y)
        assert len(other.told) == 2 * len(recorder.told)
    assert not hasattr(model.set_callbacks(), "_skl_callbacks")


class Pickling(Recorder):
    """Puts the estimator that is fitted into a file while it is."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.estimators = []
        self.files = [
            pickle.loads(pickle.dumps(model)) for model in (estimator, copy.copy(estimator), fitted_estimator)
        ]


def test_no_file_holds_what_is_there_only_during_a_fit():
    callback = Pickling()
    make_pipeline(SequenceScaler(), make(RNNSequenceClassifier).set_callbacks(callback)).fit(X, Y)

    assert not any(leftovers(model) for model in callback.files)
    assert callback.files[2].n_iter_ == 4


class Keeping(Recorder):
    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.estimators.append(fitted_estimator)


def test_what_a_callback_keeps_is_an_estimator_that_is_fitted_anew():
    callback = Keeping()
    make(RNNSequenceClassifier, warm_start=True).set_callbacks(callback).fit(X, Y)
    second = callback.estimators[1].set_callbacks()

    assert second.set_params(warm_start=False, max_iter=1).fit(X[:4], Y[:4]).n_iter_ == 1


def test_what_an_earlier_fit_found_out_is_no_attribute_of_a_later_epoch():
    pd = pytest.importorskip("pandas")
    callback = Keeping()
    model = make(RNNSequenceClassifier).fit([pd.DataFrame(x, columns=["a", "b"]) for x in X], Y)
    assert hasattr(model, "feature_names_in_")

    model.set_callbacks(callback).fit(X, Y)

    assert not any(hasattr(told, "feature_names_in_") for told in callback.estimators)


def test_scores_of_every_epoch_and_fold_of_a_search_on_processes():
    monitor = ScoringMonitor(scoring="accuracy")
    network = make(RNNSequenceClassifier, max_iter=3).set_callbacks(monitor)
    search = GridSearchCV(
        make_pipeline(SequenceScaler(), network), {"rnnsequenceclassifier__cell": ["tanh", "gru"]}, cv=2, n_jobs=2
    )
    search.fit(X, Y)

    epochs = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert len(epochs) == 3 * (2 * 2 + 1)
    last = [row["accuracy"] for row in epochs if row["task_id"] == 2]
    assert search.score(X, Y) in last
    assert_array_equal([row["task_id"] for row in epochs], [0, 1, 2] * 5)


def test_early_stopping_tells_the_parameters_of_the_epoch_and_then_the_best():
    monitor = ScoringMonitor(scoring="neg_log_loss")
    model = make(RNNSequenceClassifier, early_stopping=True, max_iter=40, n_iter_no_change=3, scoring="accuracy")
    model.set_callbacks(monitor).fit(X, Y)
    scores = {(row["task_name"], row["task_id"]): row["neg_log_loss"] for row in monitor.get_logs().data}

    best = int(np.argmax(model.validation_scores_))
    assert best < model.n_iter_ - 1  # or it would tell nothing
    assert scores["fit", 0] == scores["epoch", best] != scores["epoch", model.n_iter_ - 1]


class Propagated(Recorder):
    max_propagation_depth = None


@pytest.mark.parametrize(
    "transformer", [SequenceScaler(), SequenceImputer(), StepTransformer(StandardScaler())], ids=repr
)
def test_transformers_in_a_pipeline_have_callbacks(transformer):
    recorder = Propagated()
    pipeline = make_pipeline(transformer, make(RNNSequenceClassifier)).set_callbacks(recorder)
    pipeline.fit(X, Y)

    assert [name for hook, name, _ in recorder.told if hook == "begin"] == ["fit", "fit", "fit"] + ["epoch"] * 4
    assert_sequences_equal(recorder.estimators[0].transform(X), pipeline[0].transform(X))
    assert not leftovers(pipeline[0])


def test_a_summary_of_sequences_has_callbacks():
    recorder = Recorder()
    summarizer = SequenceSummarizer().set_callbacks(recorder).fit(X)

    assert recorder.told == story(0, 0)
    assert_array_equal(recorder.estimators[0].transform(X), summarizer.transform(X))
    assert summarizer.set_callbacks().fit(X) is summarizer


def test_an_early_classifier_hands_callbacks_on_to_its_estimator():
    recorder, (X, y) = Propagated(), CASES["classifier"][1]
    model = EarlyClassifier(make(RNNSequenceClassifier, tol=0)).set_callbacks(recorder).fit(X, y)

    begun = [("fit", 0), ("fit", 0), *(("epoch", epoch) for epoch in range(4))]
    assert [told for hook, *told in recorder.told if hook == "begin"] == list(map(list, begun))
    assert_array_equal(recorder.estimators[-1].predict_proba(X), model.predict_proba(X))
    assert not leftovers(model)
    assert not leftovers(model.estimator_)


def test_an_anomaly_detector_hands_callbacks_on_to_its_estimator():
    recorder, (words,) = Propagated(), CASES["token model"][1]
    detector = RNNSequenceAnomalyDetector(make(RNNNextTokenModel, tol=0), random_state=0).set_callbacks(recorder)
    detector.fit(words)

    begun = [("fit", 0), ("fit", 0), *(("epoch", epoch) for epoch in range(4))]
    assert [told for hook, *told in recorder.told if hook == "begin"] == list(map(list, begun))
    assert [hook for hook, *_ in recorder.told if hook in ("setup", "teardown")] == ["setup", "teardown"]
    assert isinstance(recorder.estimators[0], RNNNextTokenModel)
    assert_array_equal(recorder.estimators[-1].score_samples(words), detector.score_samples(words))
    assert not leftovers(detector)
    assert not leftovers(detector.estimator_)
    with raises(ValueError, "n_samples=1"):
        detector.fit(words[:1])
    assert recorder.told[-1][0] == "teardown"


OLD = """
import sys
import sklearn.model_selection, sklearn.pipeline, sklearn.preprocessing
sys.modules["sklearn.callback"] = None  # as in scikit-learn before 1.9
from skrnn import RNNSequenceClassifier
from skrnn.callbacks import Checkpoint, load_checkpoint
from skrnn.preprocessing import SequenceScaler
model = RNNSequenceClassifier(4, max_iter=3, learning_rate="cosine", random_state=0)
X, y = [[0.0, 1.0], [1.0, 0.0]] * 4, [0, 1] * 4
assert model.set_callbacks() is model and model.fit(SequenceScaler().fit_transform(X), y).n_iter_ == 3
for make in (lambda: Checkpoint("a"), lambda: load_checkpoint("a"), lambda: model.set_callbacks(print)):
    try:
        make()
    except ImportError as error:
        print(error)
"""


def test_an_older_scikit_learn_has_none_and_says_so():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", OLD], env=environment, capture_output=True, text=True)

    message = "needs the callbacks of scikit-learn 1.9, but scikit-learn "
    lines = done.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "Checkpoint",
        "load_checkpoint",
        "RNNSequenceClassifier.set_callbacks",
    ]
    assert all(message in line and line.endswith("pip install 'scikit-learn>=1.9'.") for line in lines)
    assert not done.returncode, done.stderr
