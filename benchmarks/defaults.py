"""Choose the defaults of RNNSequenceClassifier by cross-validation on the training parts of eight data sets.

Measured, for each candidate: accuracy in stratified 3-fold cross-validation (mean over data sets, mean rank), CPU
seconds of a fit on one thread, and the share of fits that reached a plateau of the training loss before max_iter ended
them. Test parts are never read. Inputs are float32, standardised by SequenceScaler on each fold's training part;
batch_size stays "auto", that is min(200, n).

    python benchmarks/defaults.py

Needs `pip install aeon`, whose package carries five of the data sets. With `--fits FILE.csv` every fit is noted in that
file and none is repeated: the benchmark takes about half an hour, and can continue where it was stopped.

Data: JapaneseVowels (Kudo, Toyama and Shimbo 1999, CC BY 4.0), scikit-learn's digits with the 8 rows of an image as 8
steps, five data sets of the UCR and UEA archives (Dau et al. 2019, doi 10.1109/JAS.2019.1911747; Bagnall et al. 2018,
arXiv 1811.00075), and a synthetic one, `order`: which of two pulses came first in noise of 10 to 40 steps.
"""

import argparse
import csv
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from scipy.stats import rankdata
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedStratifiedKFold, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNSequenceClassifier, __version__
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler

AEON = ("BasicMotions", "GunPoint", "ItalyPowerDemand", "ArrowHead", "PickupGestureWiimoteZ")

CENTRE = {
    "hidden_size": 64, "cell": "gru", "learning_rate_init": 3e-3, "max_iter": 200, "n_iter_no_change": 10, "tol": 1e-4,
    "max_grad_norm": 1.0, "pooling": "last", "alpha": 1e-4, "initial_timescale": None,
}  # fmt: skip
"""The candidate around which the others lie."""

GRID = [
    {"cell": cell, "hidden_size": hidden_size, "learning_rate_init": rate}
    for cell in ("gru", "lstm", "tanh")
    for hidden_size in (32, 64, 128)
    for rate in (1e-3, 3e-3, 1e-2, 3e-2)
    if hidden_size == 64 or (cell == "gru" and rate in (3e-3, 1e-2))
]
"""First part: the size of the network and of the steps."""

CHANGES = [
    {},
    {"n_iter_no_change": 20},
    {"pooling": "mean"},
    {"max_grad_norm": 5.0},
    {"max_grad_norm": None},
    {"alpha": 1e-3},
    {"alpha": 1e-2},
    {"tol": 1e-3},
    {"max_iter": 500},
    {"max_iter": 500, "n_iter_no_change": 20},
]
"""Second part: everything else, changed one at a time from the centre."""

JAPANESE_VOWELS = [
    {},
    {"pooling": "mean"},
    {"dropout": 0.5},
    {"bidirectional": True},
    {"bidirectional": True, "pooling": "mean"},
    {"bidirectional": True, "pooling": "mean", "dropout": 0.5},
    {"bidirectional": True, "dropout": 0.2},
    {"bidirectional": True, "dropout": 0.5},
    {"bidirectional": True, "dropout": 0.5, "learning_rate_init": 1e-2},
    {"bidirectional": True, "dropout": 0.5, "n_layers": 2},
    {"bidirectional": True, "dropout": 0.5, "hidden_size": 128},
]
"""Third part: candidates for the documented setting, by what differs from the centre."""


def load_order(n=180, seed=0):
    """Sequences (10 to 40, 2): noise, and a pulse in each of two channels or twice in one; the class is their order."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    X = [rng.normal(scale=0.3, size=(rng.integers(10, 41), 2)) for _ in range(n)]
    for x, label in zip(X, y):
        first, second = np.sort(rng.choice(len(x) - 2, size=2, replace=False))
        x[first, label // 2] += 3
        x[second + 1, label % 2] += 3
    return X, y


def load(name):
    """Training part of a data set: list of arrays (n_steps, n_features), float32, and labels."""
    if name == "JapaneseVowels":
        X, y = load_japanese_vowels(subset="train", return_X_y=True)
    elif name == "digits":
        X, y = load_digits(return_X_y=True)
        X, _, y, _ = train_test_split(X.reshape(-1, 8, 8), y, test_size=0.25, stratify=y, random_state=0)
    elif name == "order":
        X, y = load_order()
    else:
        try:
            from aeon.datasets import load_classification
        except ImportError as error:
            raise SystemExit("This benchmark reads data that the package aeon carries: pip install aeon") from error
        X, y = load_classification(name, split="train")
        X = [x.T for x in X]  # aeon: channels first
    return [np.asarray(x, dtype=np.float32) for x in X], np.asarray(y)


DATASETS = ("JapaneseVowels", "digits", "order", *AEON)


class Fits:
    """Fits that have been measured, in memory and, if a path is given, in a CSV file."""

    FIELDS = ("data", "settings", "fold", "accuracy", "seconds", "converged", "epochs")

    def __init__(self, path=None):
        self._path, self._known, self._data = path, {}, {}
        if path and path.exists():
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    key = row["data"], row["settings"], int(row["fold"])
                    self._known[key] = [float(row[field]) for field in self.FIELDS[3:]]

    def __call__(self, name, settings, folds):
        """Measure `settings` on the folds of a data set: array (n_folds, 4) of FIELDS[3:]."""
        if name not in self._data:
            X, y = load(name)
            splits = list(RepeatedStratifiedKFold(n_splits=3, n_repeats=10, random_state=0).split(y, y))
            self._data[name] = X, y, splits
        text = ", ".join(f"{key}={value}" for key, value in sorted(settings.items()))
        for fold in range(folds):
            if (name, text, fold) not in self._known:
                self._known[name, text, fold] = row = self._measure(name, settings, fold)
                if self._path:
                    with self._path.open("a", newline="") as file:
                        writer = csv.writer(file)
                        if not file.tell():
                            writer.writerow(self.FIELDS)
                        writer.writerow([name, text, fold, *row])
        return np.array([self._known[name, text, fold] for fold in range(folds)])

    def _measure(self, name, settings, fold):
        X, y, splits = self._data[name]
        train, test = splits[fold]
        model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(**settings, random_state=fold, n_jobs=1))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = time.process_time()
            model.fit([X[i] for i in train], y[train])
            seconds = time.process_time() - start
        converged = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        return [model.score([X[i] for i in test], y[test]), seconds, float(converged), float(model[-1].n_iter_)]


def table(fits, candidates, datasets=DATASETS, folds=3, base=CENTRE):
    """Lines of a Markdown table: a candidate a row, the best mean accuracy first."""
    results = np.array([[fits(name, base | change, folds) for name in datasets] for change in candidates])
    accuracy, seconds, converged, epochs = np.moveaxis(results.mean(axis=2), -1, 0)  # (candidates, data sets) each
    ranks = rankdata(-accuracy.round(6), axis=0).mean(axis=1)
    lines = [
        "| candidate | " + " | ".join(datasets) + " | mean | mean rank | seconds | epochs | converged |",
        "|---|" + "---:|" * (len(datasets) + 5),
    ]
    for i in np.argsort(-accuracy.mean(axis=1), kind="stable"):
        name = spell(candidates[i])
        figures = [f"{value:.3f}" for value in (*accuracy[i], accuracy[i].mean())]
        figures += [
            f"{ranks[i]:.1f}",
            f"{seconds[i].mean():.1f}",
            f"{epochs[i].mean():.0f}",
            f"{converged[i].mean():.0%}",
        ]
        lines.append(f"| {name} | " + " | ".join(figures) + " |")
    return lines


def vowels_table(n_repeats=3):
    """Lines of a Markdown table: candidates for the documented setting, on the training part of JapaneseVowels."""
    X, y = load("JapaneseVowels")
    folds = RepeatedStratifiedKFold(n_splits=3, n_repeats=n_repeats, random_state=0)
    rows = []
    for change in JAPANESE_VOWELS:
        model = make_pipeline(SequenceScaler(), RNNSequenceClassifier(**CENTRE | change, random_state=0, n_jobs=1))
        scores = cross_validate(model, X, y, cv=folds, scoring=("accuracy", "neg_log_loss"))
        loss = -scores["test_neg_log_loss"].mean()
        rows.append((loss, f"| {spell(change)} | {scores['test_accuracy'].mean():.4f} | {loss:.4f} |"))
        print(rows[-1][1], flush=True)
    return ["| candidate | accuracy | log loss, nats |", "|---|---:|---:|", *(line for _, line in sorted(rows))]


def spell(change):
    """What differs from the centre."""
    return ", ".join(f"`{key}={value!r}`" for key, value in change.items()) or "centre"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=Path, help="CSV file in which every fit is noted; those in it are not repeated")
    parser.add_argument("--part", choices=("grid", "changes", "vowels"), help="only this part, and only print it")
    arguments = parser.parse_args()
    fits = Fits(arguments.fits)
    parts = {
        "grid": lambda: table(fits, GRID),
        "changes": lambda: table(fits, CHANGES),
        "vowels": vowels_table,
    }
    if arguments.part:
        print("\n".join(parts[arguments.part]()))
        return
    lines = [
        "# Which defaults",
        "",
        f"`python benchmarks/defaults.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}.",
        "Accuracy in stratified 3-fold cross-validation on training parts; CPU seconds a fit on one thread; converged: "
        "the share of fits that the plateau of the training loss ended, not max_iter.",
        "",
        "## Cell, size and learning rate",
        "",
        f"The rest: {spell(CENTRE)}.",
        "",
        *parts["grid"](),
        "",
        "## The rest, one change at a time",
        "",
        f"Centre: {spell(CENTRE)}.",
        "",
        *parts["changes"](),
        "",
        "## A setting for JapaneseVowels",
        "",
        "Three repeats of the cross-validation on its 270 training utterances, by log loss. Changes from the centre.",
        "",
        *parts["vowels"](),
    ]
    path = Path(__file__).parent / "results" / "defaults.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
