"""Trials that optuna prunes, as examples/scaling/pruned_trials.py searches: what they report, and what they leave."""

import gc
import os
import runpy
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from integration.libraries import need
from threadpoolctl import threadpool_info

from skrnn import RNNNextTokenModel, RNNSequenceClassifier, RNNSequenceRegressor, RNNSequenceTagger

optuna = need("optuna")
SCRIPT = Path(__file__).parents[2] / "examples" / "scaling" / "pruned_trials.py"
script = runpy.run_path(str(SCRIPT))
TRAININGS = ["train_epoch_by_epoch", "train_with_early_stopping"]
COMPLETE, PRUNED = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED


@pytest.fixture(scope="module", params=TRAININGS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def study(name):
    return script["search"](script[name], n_sequences=90, n_trials=12)


def test_some_trials_are_pruned(study):
    states = [trial.state for trial in study.trials]

    assert set(states) == {COMPLETE, PRUNED}
    for trial in study.trials:
        assert list(trial.intermediate_values) == list(range(trial.last_step + 1))
        assert trial.state == COMPLETE or trial.last_step < script["MAX_EPOCHS"] - 1


def test_pruning_changes_nothing_for_the_others(name, study):
    X, y = script["make_data"](90)
    alone = script[name](optuna.trial.FixedTrial(study.best_params), X[:60], y[:60], X[60:], y[60:])

    assert alone == study.best_value
    if name == "train_with_early_stopping":
        assert alone == max(study.best_trial.intermediate_values.values())


def test_a_database_of_trials_is_not_searched_for_what_a_scorer_is(tmp_path):
    """A scorer that reports to a trial holds its study and storage; a fit needs no more than to tell it from others."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study.db'}")
    study = optuna.create_study(storage=storage)
    X, y = script["make_data"](30)
    n_calls = 0

    def trace(frame, event, argument):
        nonlocal n_calls
        n_calls += event == "call" and frame.f_code.co_name == "_plain"

    sys.setprofile(trace)
    try:
        script["train_with_early_stopping"](study.ask(), X[:20], y[:20], X[20:], y[20:])
    finally:
        sys.setprofile(None)
        storage.engine.dispose()

    assert 0 < n_calls < 5000


class Pruned:
    """A scorer that prunes in the third epoch."""

    def __init__(self):
        self.models = []

    def __call__(self, model, X, y=None):
        self.models.append(weakref.ref(model))
        if len(self.models) == 3:
            raise optuna.TrialPruned
        return 0.0


X = [np.linspace(0, k % 3, 5 + k % 2)[:, np.newaxis] for k in range(20)]
FITS = {
    "labels": (RNNSequenceClassifier, X, [k % 2 for k in range(20)]),
    "numbers": (RNNSequenceRegressor, X, [k / 2 for k in range(20)]),
    "labels of steps": (RNNSequenceTagger, X, [np.arange(len(x)) % 2 for x in X]),
    "tokens": (RNNNextTokenModel, ["abc", "abab", "ba", "cab"] * 5, None),
}


@pytest.mark.parametrize(("estimator", "X", "y"), FITS.values(), ids=FITS)
def test_a_pruned_fit_leaves_nothing_behind(estimator, X, y):
    scorer, n_threads, limits = Pruned(), threading.active_count(), threadpool_info()
    rng = np.random.RandomState(0)
    state = rng.get_state()[1].copy()
    model = estimator(hidden_size=4, early_stopping=True, scoring=scorer, random_state=rng, n_jobs=2)
    before = dict(vars(model))
    with pytest.raises(optuna.TrialPruned):
        model.fit(X, y)

    assert len(scorer.models) == 3
    assert vars(model) == before
    assert (rng.get_state()[1] == state).all()
    assert threading.active_count() == n_threads
    assert threadpool_info() == limits
    gc.collect()
    assert not any(reference() for reference in scorer.models)


def test_the_script_runs():
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
    command = [sys.executable, "-W", "error", SCRIPT, "60", "8"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    assert run.returncode == 0, run.stderr
    assert run.stdout.count("8 trials") == len(TRAININGS)
