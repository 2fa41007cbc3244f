"""Search with optuna, which ends trials early that are worse than others at the same epoch.

Two ways to report a score after each epoch: a loop of ``partial_fit``, or a scorer of early stopping. Needs
``pip install optuna``.
"""

import sys
from itertools import count

import numpy as np
import optuna
from sklearn.metrics import log_loss

from skrnn import RNNSequenceClassifier

MAX_EPOCHS = 30


def suggest(trial):
    return RNNSequenceClassifier(
        cell=trial.suggest_categorical("cell", ["tanh", "gru"]),
        hidden_size=trial.suggest_int("hidden_size", 2, 16, log=True),
        learning_rate_init=trial.suggest_float("learning_rate_init", 1e-4, 1e-1, log=True),
        max_iter=MAX_EPOCHS,
        random_state=0,
    )


def train_epoch_by_epoch(trial, X, y, X_val, y_val):
    model = suggest(trial)
    for epoch in range(MAX_EPOCHS):
        model.partial_fit(X, y, classes=[False, True])
        score = -log_loss(y_val, model.predict_proba(X_val))
        trial.report(score, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned
    return score


def train_with_early_stopping(trial, X, y, X_val, y_val):
    epochs = count()

    def watched(model, X, y):
        score = -log_loss(y, model.predict_proba(X))
        trial.report(score, next(epochs))
        if trial.should_prune():
            raise optuna.TrialPruned  # ends the fit, too
        return score

    model = suggest(trial).set_params(early_stopping=True, scoring=watched, learning_rate="cosine")
    model.fit(X, y, X_val=X_val, y_val=y_val)
    return model.best_validation_score_


def make_data(n_sequences):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n_steps, 2)) for n_steps in rng.integers(5, 12, size=n_sequences)]
    return X, np.array([x[-3:, 0].sum() > 0 for x in X])


def search(train, n_sequences, n_trials):
    X, y = make_data(n_sequences)
    n_train = 2 * n_sequences // 3
    parts = X[:n_train], y[:n_train], X[n_train:], y[n_train:]
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=3)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0), pruner=pruner)
    study.optimize(lambda trial: train(trial, *parts), n_trials)
    return study


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for train in (train_epoch_by_epoch, train_with_early_stopping):
        study = search(train, *map(int, sys.argv[1:] or [600, 40]))
        n_epochs = sum(len(trial.intermediate_values) for trial in study.trials)
        n_pruned = sum(trial.state == optuna.trial.TrialState.PRUNED for trial in study.trials)
        print(f"{train.__name__}: {len(study.trials)} trials, {n_pruned} of them pruned; {n_epochs} epochs")
        print(f"    log loss {-study.best_value:.3f} with {study.best_params}")
