"""The file of a checkpoint: whole at every moment, for every reader, and refused where it cannot be."""

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from helpers import raises
from numpy.testing import assert_array_equal, assert_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from skrnn import RNNSequenceClassifier
from skrnn.preprocessing import SequenceScaler

pytest.importorskip("sklearn.callback")

from checkpointing import SLOW, STEADY, CutOff, PowerFailureError, X, Y, assert_same, cut_off, make, state_of

from skrnn.callbacks import Checkpoint, load_checkpoint

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.pickle"


def test_the_file_is_an_estimator_for_every_reader(path):
    whole = make().fit(X, Y)
    predicts = cut_off(make(), 3, path, X, Y).predict_proba(X)
    for read in (
        lambda: pickle.loads(path.read_bytes()),
        lambda: joblib.load(path),
        lambda: skops.io.loads(skops.io.dumps(joblib.load(path)), trusted=["skrnn.RNNSequenceClassifier"]),
        lambda: pickle.loads(pickle.dumps(pickle.loads(path.read_bytes()))),
    ):
        model = read()
        assert not hasattr(model, "_skl_callbacks")
        assert_array_equal(model.predict_proba(X), predicts)
        assert_same(model.fit(X, Y), whole)


class Narrow(pickle.Unpickler):
    def find_class(self, module, name):
        assert module in ("skrnn", "_codecs") or module.startswith("numpy"), f"{module}.{name}"
        return super().find_class(module, name)


def test_the_file_names_no_class_but_the_estimator(path):
    cut_off(make(), 3, path, X, Y)

    assert isinstance(Narrow(BytesIO(path.read_bytes())).load(), RNNSequenceClassifier)


def test_early_stopping_predicts_with_the_best_of_the_epochs_so_far(path):
    params = {"early_stopping": True, "learning_rate": "constant", "tol": 0, "n_iter_no_change": 20, "max_iter": 12}
    resumed = cut_off(make(**params, learning_rate_init=0.3), 11, path, X, Y)
    shorter = make(**{**params, "max_iter": 11}, learning_rate_init=0.3).fit(X, Y)

    assert np.argmax(shorter.validation_scores_) < 10
    assert_array_equal(resumed.predict_proba(X), shorter.predict_proba(X))


def test_another_folder_of_the_process_and_links_are_no_matter(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "link.pickle").symlink_to(tmp_path / "data" / "model.pickle")
    monkeypatch.chdir(tmp_path)

    class Away(CutOff):
        def on_fit_task_begin(self, estimator, context):
            os.chdir("/")

    make(max_iter=2).set_callbacks(Checkpoint("link.pickle"), Away(0)).fit(X, Y)

    assert (tmp_path / "link.pickle").is_symlink()
    assert load_checkpoint(tmp_path / "data" / "model.pickle").n_iter_ == 2


def test_what_a_killed_process_left_is_taken_away(path):
    for name in (".model.pickle.0a1b2c3d.tmp", ".other.pickle.0a1b2c3d.tmp", "model.pickle.tmp"):
        (path.parent / name).touch()

    make(max_iter=2).set_callbacks(Checkpoint(path)).fit(X, Y)

    assert {found.name for found in path.parent.iterdir()} == {
        "model.pickle",
        ".other.pickle.0a1b2c3d.tmp",
        "model.pickle.tmp",
    }


def test_a_file_that_cannot_be_written_leaves_the_one_before(path, monkeypatch):
    sync, calls = os.fsync, []

    def failing(descriptor):
        calls.append(descriptor)
        if len(calls) == 5:  # two a checkpoint: the file, its folder
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr("os.fsync", failing)
    model = make(**STEADY, tol=0).set_callbacks(Checkpoint(path))
    with raises(OSError, "No space left on device"):
        model.fit(X, Y)

    monkeypatch.undo()
    assert not hasattr(model, "_fitted")
    assert [found.name for found in path.parent.iterdir()] == ["model.pickle"]
    assert load_checkpoint(path).n_iter_ == 2


def test_a_file_has_the_permissions_of_any_other(path):
    make(max_iter=1).set_callbacks(Checkpoint(path)).fit(X, Y)
    other = path.parent / "other"
    other.touch()

    assert path.stat().st_mode == other.stat().st_mode


# Killed processes

SCRIPT = """
import sys, warnings
import numpy as np
from checkpointing import SLOW, CutOff, X, Y
from skrnn.callbacks import Checkpoint, load_checkpoint
warnings.simplefilter("ignore")

class Tell(CutOff):
    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        print(fitted_estimator.n_iter_, flush=True)

path, begins = sys.argv[1:]
model = SLOW if begins == "begins" else load_checkpoint(path)
model.set_callbacks(Checkpoint(path), Tell(0)).fit(X, Y)
"""


def kill_while_it_trains(path, rng, begins=True):
    """Let a process train, kill it at random; return the last epoch that it told of, None if it came to the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT, str(path), "begins" if begins else "continues"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline()]
        time.sleep(rng.random() * 0.3)
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().splitlines()
    return None if process.returncode == 0 else int(told[-1])


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("seed", range(4))
def test_a_killed_process_leaves_a_file_of_its_last_epoch_at_most_to_continue_from(seed, path):
    rng = random.Random(seed)
    last = kill_while_it_trains(path, rng)

    resumed = load_checkpoint(path)
    assert resumed.n_iter_ >= (last or SLOW.max_iter)
    assert_same(resumed.fit(X, Y), clone(SLOW).fit(X, Y))


# Where there are none


def other_data():
    yield "one sequence more", ((X + X[:1], [*Y, Y[0]]), {}), f"got 19 of {sum(map(len, X + X[:1]))} steps"
    yield "another order", ((X[::-1], Y[::-1]), {}), "got others"
    yield "another label", ((X, np.roll(Y, 1)), {}), "got others"
    yield "other weights", ((X, Y), {"sample_weight": np.arange(1.0, 19)}), "got others"
    yield "shorter sequences", (([x[:1] for x in X], Y), {}), "got 18 of 18 steps"


@pytest.mark.parametrize(("arguments", "got"), [case[1:] for case in other_data()], ids=[c[0] for c in other_data()])
def test_other_data_raise(arguments, got, path):
    resumed = cut_off(make(), 3, path, X, Y)
    before = state_of(resumed)
    (args, options), n_steps = arguments, sum(map(len, X))

    message = f"with the X, y and weights that it began with: 18 training sequences of {n_steps} steps in all, {got}. "
    with raises(ValueError, message):
        resumed.fit(*args, **options)

    assert_equal(state_of(resumed), before)
    assert_same(resumed.fit(X, Y), make().fit(X, Y))


def test_other_validation_sequences_raise(path):
    model = make(early_stopping=True)
    resumed = cut_off(model, 3, path, X, Y, X_val=X[:6], y_val=Y[:6])
    message = "with the validation sequences and the objective that it began with"
    with raises(ValueError, message):
        resumed.fit(X, Y, X_val=X[1:7], y_val=Y[1:7])
    with raises(ValueError, message):
        resumed.set_params(scoring="accuracy").fit(X, Y, X_val=X[:6], y_val=Y[:6])
    with raises(ValueError, message):
        cut_off(make(), 3, path, X, Y).set_params(alpha=0.5).fit(X, Y)
    with raises(ValueError, "Set it back, or fit anew a clone."):
        cut_off(make(), 3, path, X, Y).set_params(hidden_size=5).fit(X, Y)


def test_a_larger_max_iter_continues_for_longer_and_a_smaller_one_ends(path):
    resumed = cut_off(make(**STEADY, tol=0), 3, path, X, Y)
    longer = make(**STEADY, tol=0, max_iter=11).fit(X, Y)

    assert_same(resumed.set_params(max_iter=11).fit(X, Y), longer)
    resumed = cut_off(make(**STEADY, tol=0), 3, path, X, Y)
    assert resumed.set_params(max_iter=2).fit(X, Y).n_iter_ == 3


def test_partial_fit_continues_what_was_loaded_and_ends_its_fit(path):
    resumed = cut_off(make(), 3, path, X, Y).set_callbacks()

    resumed.partial_fit(X[:5], Y[:5])

    assert resumed.n_iter_ == 4
    assert resumed.fit(X, Y).loss_curve_ == make().fit(X, Y).loss_curve_


def test_without_training_state_nothing_continues(path):
    resumed = cut_off(make(), 3, path, X, Y).without_training_state()

    assert resumed.set_callbacks().fit(X, Y).loss_curve_ == make().fit(X, Y).loss_curve_


def test_lbfgs_has_no_checkpoint(path):
    with raises(ValueError, "solver='lbfgs' cannot continue from a checkpoint: the curvature"):
        make(solver="lbfgs", dropout=0).set_callbacks(Checkpoint(path)).fit(X, Y)
    with raises(ValueError, "solver='lbfgs' cannot continue from a checkpoint. Set the solver back"):
        cut_off(make(dropout=0), 3, path, X, Y).set_callbacks().set_params(solver="lbfgs").fit(X, Y)


def test_partial_fit_has_no_checkpoint(path):
    with raises(ValueError, "partial_fit calls no callbacks, so it would write no checkpoint."):
        make().set_callbacks(Checkpoint(path)).partial_fit(X, Y, classes=["down", "up"])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.filterwarnings("ignore:Estimator fit failed", "ignore:Scoring failed", "ignore:.*fits failed")
def test_a_search_raises_since_its_fits_would_write_the_same_file(n_jobs, path):
    model = make(max_iter=1).set_callbacks(Checkpoint(path))
    message = "was set on another RNNSequenceClassifier, of which this one is a copy"
    for estimator, name in ((model, "cell"), (make_pipeline(SequenceScaler(), model), "rnnsequenceclassifier__cell")):
        with raises(ValueError, message):
            GridSearchCV(estimator, {name: ["tanh", "gru"]}, cv=2, n_jobs=n_jobs).fit(X, Y)
        with raises(ValueError, message):
            cross_val_score(estimator, X, Y, cv=2, n_jobs=n_jobs)
    assert not path.exists()


def test_a_search_with_a_progress_bar_of_its_own_does_not_take_the_checkpoint_over(path):
    class Propagated(CutOff):
        max_propagation_depth = None

    search = GridSearchCV(
        make(max_iter=1).set_callbacks(Checkpoint(path)), {"cell": ["tanh"]}, cv=2, error_score="raise"
    )
    with raises(ValueError, "was set on another RNNSequenceClassifier"):
        search.set_callbacks(Propagated(0)).fit(X, Y)


@pytest.mark.parametrize("copied", [clone, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_needs_a_checkpoint_of_its_own(copied, path):
    model = make(max_iter=1).set_callbacks(Checkpoint(path))
    other = copied(model)

    with raises(ValueError, f"Checkpoint({str(path)!r}) was set on another RNNSequenceClassifier"):
        other.fit(X, Y)
    with raises(ValueError, "was set on another RNNSequenceClassifier"):
        make().set_callbacks(*model._skl_callbacks).fit(X, Y)
    assert other.set_callbacks(Checkpoint(path)).fit(X, Y).n_iter_ == load_checkpoint(path).n_iter_ == 1


def test_a_pipeline_writes_the_checkpoint_of_its_step_and_continues_with_it(path):
    pipeline = make_pipeline(SequenceScaler(), make().set_callbacks(Checkpoint(path), CutOff(3)))
    with pytest.raises(PowerFailureError):
        pipeline.fit(X, Y)
    whole = make_pipeline(SequenceScaler(), make()).fit(X, Y)

    resumed = make_pipeline(SequenceScaler(), load_checkpoint(path)).fit(X, Y)

    assert_same(resumed[1], whole[1])


@pytest.mark.parametrize("estimator", [LogisticRegression(), make_pipeline(SequenceScaler(), make())])
def test_an_estimator_of_another_library_has_no_checkpoint(estimator, path):
    with raises(
        TypeError,
        f"but was set on a {type(estimator).__name__}. Set it on such a network;",
    ):
        estimator.set_callbacks(Checkpoint(path)).fit(np.zeros((4, 2)), [0, 1, 0, 1])


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("none/model.pickle", FileNotFoundError, "No file can be written into"),
        ("file/model.pickle", NotADirectoryError, "No file can be written into"),
        ("", IsADirectoryError, "The path is that of a folder. Pass one of a file"),
        ("n" * 300, OSError, "File name too long"),
    ],
)
def test_a_path_that_cannot_be_written_raises_before_the_training(name, error, message, tmp_path):
    (tmp_path / "file").touch()
    with raises(error, message):
        make().set_callbacks(Checkpoint(tmp_path / name)).fit(None, None)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_raises_before_the_training(tmp_path):
    tmp_path.chmod(0o500)
    with raises(PermissionError, "No file can be written into"):
        make().set_callbacks(Checkpoint(tmp_path / "model.pickle")).fit(None, None)


def test_an_estimator_that_cannot_be_pickled_raises_before_the_training(path):
    model = make(early_stopping=True, scoring=lambda *arguments: 1.0).set_callbacks(Checkpoint(path))
    with raises(ValueError, "Checkpoint cannot write this RNNSequenceClassifier, since pickle cannot: "):
        model.fit(None, None)


@pytest.mark.parametrize("params", [{"every_n_epochs": 0}, {"every_n_epochs": 1.5}, {"every_n_minutes": 0}])
def test_intervals_are_positive(params):
    with raises(InvalidParameterError, f"The {next(iter(params))!r} parameter of Checkpoint must be"):
        Checkpoint("model.pickle", **params)
    with pytest.raises(TypeError):
        Checkpoint(None)


def test_what_is_no_checkpoint_is_not_loaded(path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(path)
    model = make(max_iter=1).set_callbacks(Checkpoint(path)).fit(X, Y)
    whole = path.read_bytes()
    for data in (b"", b"abc", whole[:1000]):
        path.write_bytes(data)
        with raises(ValueError, "cannot be read as a checkpoint: "):
            load_checkpoint(path)
    for value, kind in (
        (model.set_callbacks(), "a model of type RNN"),
        (make(), "an object of type RNN"),
        (1, "an ob"),
    ):
        path.write_bytes(pickle.dumps(value))
        with raises(ValueError, f"holds {kind}"):
            load_checkpoint(str(path))


def test_a_damaged_resume_point_raises_one_error(path):
    state = cut_off(make(), 3, path, X, Y).set_callbacks().__getstate__()
    state["fitted"]["resume"].pop("n_steps")
    with raises(ValueError, "its values do not fit together: TypeError"):
        make().__setstate__(state)


def test_paths_may_be_of_any_kind(tmp_path):
    for path in (tmp_path / "a", str(tmp_path / "b")):
        make(max_iter=1).set_callbacks(Checkpoint(path)).fit(X, Y)
        assert load_checkpoint(path)._skl_callbacks[0].path == Path(path)
