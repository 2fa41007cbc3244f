"""Helpdesk: what happens next in a ticket? Log-loss and accuracy on the test part, mean over three seeds.

Measured: 3,804 cases of a ticketing process (Verenich 2016, 4TU; the file of Tax, Verenich, La Rosa and Dumas 2017,
"Predictive business process monitoring with LSTM neural networks"). In the order of the file the first two thirds of
the cases train, the rest test; a sequence is the activities of a case and its end. Log-loss: mean nats over all
positions, the end included. Accuracy: at the events from the third on, the end not scored, as Tax et al. measure it.
Settings were chosen by three-fold cross-validation on the training part.

    python benchmarks/helpdesk.py DIR      (a folder with helpdesk/helpdesk.csv: CaseID, ActivityID, CompleteTimestamp)
"""

import csv
import platform
import sys
import time
import warnings
from itertools import groupby
from pathlib import Path

import numpy as np
import sklearn
from ngram import NGram
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNNextTokenModel, __version__

SEEDS = range(3)


def read_cases(folder):
    """Activities of each case: those to learn from, those to test on."""
    with (Path(folder) / "helpdesk" / "helpdesk.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cases = [[row["ActivityID"] for row in case] for _, case in groupby(rows, key=lambda row: row["CaseID"])]
    n_train = 2 * round(len(cases) / 3)
    return cases[:n_train], cases[n_train:]


def accuracy(cases, predict):
    """Share of right guesses at the third and later events; `predict(prefixes)` gives the likeliest token of each."""
    prefixes = [case[:t] for case in cases for t in range(2, len(case))]
    return np.mean(np.array([case[t] for case in cases for t in range(2, len(case))]) == predict(prefixes))


def counted(order, train, test):
    """Log-loss and accuracy of an n-gram."""
    model = NGram(order).fit(train)
    guesses, n_positions = model.predict(test), np.cumsum([0, *(len(case) + 1 for case in test)])
    names = np.append(model.tokens, "end")
    after = iter(names[guesses[first + t]] for case, first in zip(test, n_positions) for t in range(2, len(case)))
    return -model.log_proba(test).mean(), accuracy(test, lambda prefixes: np.array(list(after)))


def learned(settings, seed, train, test):
    """Log-loss and accuracy of a network."""
    model = RNNNextTokenModel(**settings, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train)
    return -model.score(test), accuracy(test, model.predict)


def main():
    train, test = read_cases(sys.argv[1])
    lines = [
        "# Helpdesk",
        "",
        f"`python benchmarks/helpdesk.py DIR`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. {len(train)} cases for training, {len(test)} for "
        "the test; the mean of three seeds, minimum and maximum behind it.",
        "",
        "| model | test log-loss | | accuracy | | seconds a fit |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for order in range(2, 6):
        loss, share = counted(order, train, test)
        lines.append(f"| {'Markov chain' if order == 2 else f'{order}-gram'} | {loss:.4f} | | {share:.4f} | | |")
        print(lines[-1], flush=True)
    for settings in ({}, {"cell": "tanh"}, {"cell": "lstm"}):
        start = time.perf_counter()
        figures = np.array([learned(settings, seed, train, test) for seed in SEEDS])
        seconds = (time.perf_counter() - start) / len(SEEDS)
        name = "RNNNextTokenModel, " + (f'`cell="{settings["cell"]}"`' if settings else "all defaults")
        columns = " | ".join(f"{x.mean():.4f} | {x.min():.4f} to {x.max():.4f}" for x in figures.T)
        lines.append(f"| {name} | {columns} | {seconds:.1f} |")
        print(lines[-1], flush=True)
    path = Path(__file__).parent / "results" / "helpdesk.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
