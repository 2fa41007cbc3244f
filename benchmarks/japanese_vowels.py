"""Test accuracy on JapaneseVowels and on the rows of digits, mean over five seeds.

Measured: accuracy on parts that no choice has seen. JapaneseVowels has a test part of its own (270 utterances to learn
from, 370 to be judged on; Kudo, Toyama and Shimbo 1999, CC BY 4.0); of scikit-learn's digits, whose 8 rows of 8 pixels
are 8 steps, a stratified quarter is held out. Defaults, and the documented setting, were chosen by cross-validation on
training parts alone: benchmarks/defaults.py. Inputs are float64 and go through SequenceScaler.

    python benchmarks/japanese_vowels.py
"""

import platform
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNSequenceClassifier, __version__
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceScaler, SequenceSummarizer

SEEDS = range(5)
STATISTICS = ("mean", "std", "min", "max", "first", "last")
DOCUMENTED = {"cell": "gru", "hidden_size": 128, "bidirectional": True, "dropout": 0.5}
"""The setting for JapaneseVowels that the documentation recommends."""


def japanese_vowels():
    """X_train, X_test, y_train, y_test."""
    train, test = (load_japanese_vowels(subset=subset, return_X_y=True) for subset in ("train", "test"))
    return train[0], test[0], train[1], test[1]


def digits_rows():
    """X_train, X_test, y_train, y_test."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.reshape(-1, 8, 8), y, test_size=0.25, stratify=y, random_state=0)


def network(**settings):
    """A function of the seed that makes a scaled classifier."""
    return lambda seed: make_pipeline(SequenceScaler(), RNNSequenceClassifier(**settings, random_state=seed))


def logistic_regression(seed):
    """The baseline, which has no use for a seed."""
    return make_pipeline(SequenceSummarizer(STATISTICS), StandardScaler(), LogisticRegression(max_iter=1000))


def spell(settings):
    """Settings as they are written in a call."""
    return ", ".join(f"{key}={value!r}" for key, value in settings.items())


ROWS = [
    ("JapaneseVowels", "all defaults", japanese_vowels, network()),
    *[("JapaneseVowels", f'`cell="{c}"`', japanese_vowels, network(cell=c)) for c in ("tanh", "relu", "gru", "lstm")],
    ("JapaneseVowels", f"documented setting: `{spell(DOCUMENTED)}`", japanese_vowels, network(**DOCUMENTED)),
    ("JapaneseVowels", "logistic regression on six summary statistics", japanese_vowels, logistic_regression),
    *[("digits rows", f'`cell="{c}"`', digits_rows, network(cell=c)) for c in ("tanh", "gru", "lstm")],
    ("digits rows", "logistic regression on six summary statistics", digits_rows, logistic_regression),
]


def measure(load, make):
    """Accuracy of each seed, and the mean seconds of a fit."""
    X_train, X_test, y_train, y_test = load()
    accuracy, seconds, n_warnings = [], [], 0
    for seed in SEEDS:
        model = make(seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            start = time.perf_counter()
            model.fit(X_train, y_train)
            seconds.append(time.perf_counter() - start)
        n_warnings += any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
        accuracy.append(model.score(X_test, y_test))
    return np.array(accuracy), np.mean(seconds), n_warnings


def main():
    lines = [
        "# Test accuracy",
        "",
        f"`python benchmarks/japanese_vowels.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. Five seeds; the last column counts the fits that "
        "max_iter ended before the loss reached a plateau.",
        "",
        "| data | model | mean | minimum | maximum | seconds a fit | max_iter |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for data, name, load, make in ROWS:
        accuracy, seconds, n_warnings = measure(load, make)
        figures = f"{accuracy.mean():.4f} | {accuracy.min():.4f} | {accuracy.max():.4f} | {seconds:.1f} | {n_warnings}"
        lines.append(f"| {data} | {name} | {figures} |")
        print(lines[-1], flush=True)
    path = Path(__file__).parent / "results" / "accuracy.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
