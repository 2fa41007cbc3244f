"""How long does it take? Seconds of one core for a million steps, by cell, units, dtype and kernels.

Measured: the CPU time of one thread for an epoch of training, with the reading of X in it, and for predict_proba. All
combinations take their turn in each round, so that a machine that is busy for a while slows none of them alone, and the
best round of each counts. Compiling is not measured. X has sequences of 20 to 60 steps.

    python benchmarks/how_long.py

Needs `pip install -e '.[fast]'`. Writes benchmarks/results/how_long.md.
"""

import argparse
import itertools
import os
import platform
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import sklearn

from skrnn import RNNSequenceClassifier, __version__

CELLS = ["tanh", "gru", "lstm"]
HIDDEN_SIZES = [16, 32, 64, 128, 256]
DTYPES = ["float32", "float64"]
KERNELS = {"numba": "compiled", "numpy": "NumPy"}
MEASURED = {"training": "An epoch of training", "prediction": "`predict_proba`"}
N_FEATURES, N_SEQUENCES, BATCH_SIZE = 8, 400, 200
HEADER = """# How long does it take?

`python benchmarks/how_long.py`: {versions}. {cpu}, one core.

Seconds of CPU time for a million steps, which are 10,000 sequences of 100 steps: multiply by the millions of steps, and
for training by the epochs. One layer in one direction, {n_features} features, batches of {batch_size} sequences.
{example}
"""


def make_data(dtype):
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((n, N_FEATURES)).astype(dtype) for n in rng.integers(20, 61, size=N_SEQUENCES)]
    return X, np.arange(N_SEQUENCES) % 2


def seconds(call, n_steps):
    """CPU seconds of this process for a million steps of a call."""
    start = time.process_time()
    call()
    return (time.process_time() - start) / n_steps * 1e6


def measure(kernels, cell, hidden_size, dtype):
    """Seconds for a million steps of training, and of prediction."""
    os.environ["SKRNN_KERNELS"] = kernels  # read at every fit and prediction
    X, y = make_data(dtype)
    n_steps = sum(map(len, X))
    model = RNNSequenceClassifier(cell=cell, hidden_size=hidden_size, batch_size=BATCH_SIZE, random_state=0, n_jobs=1)
    model.partial_fit(X, y, classes=[0, 1])  # and compile
    model.predict_proba(X[:2])
    return {
        "training": seconds(lambda: model.partial_fit(X, y), n_steps),
        "prediction": seconds(lambda: model.predict_proba(X), n_steps),
    }


def measure_round(best):
    """Measure each combination once more, and keep the best seconds by what, dtype, cell, kernels and units."""
    for kernels, cell, hidden_size, dtype in itertools.product(KERNELS, CELLS, HIDDEN_SIZES, DTYPES):
        for what, value in measure(kernels, cell, hidden_size, dtype).items():
            key = what, dtype, cell, kernels, hidden_size
            best[key] = min(best[key], value)


def table(best, what, dtype):
    lines = [
        f"| cell | kernels | {' | '.join(f'{n} units' for n in HIDDEN_SIZES)} |",
        "|---|---|" + "---:|" * len(HIDDEN_SIZES),
    ]
    for cell, kernels in itertools.product(CELLS, KERNELS):
        values = (f"{float(f'{best[what, dtype, cell, kernels, n]:.2g}'):g}" for n in HIDDEN_SIZES)  # two digits
        lines.append(f"| {cell} | {KERNELS[kernels]} | {' | '.join(values)} |")
    return "\n".join(lines)


def cpu_name():
    """Return what the system calls its CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def example(best):
    """A sentence that says how the tables are read."""
    epochs = {kernels: 50 * best["training", "float32", "gru", kernels, 64] for kernels in KERNELS}
    return (
        f"So 50 epochs of a GRU with 64 units in float32 take {epochs['numba']:.0f} seconds, or {epochs['numpy']:.0f} "
        "without compiled kernels."
    )


def write(best, path):
    numbers = {
        "skrnn": __version__,
        "NumPy": np.__version__,
        "numba": version("numba"),
        "scikit-learn": sklearn.__version__,
    }
    about = ", ".join(f"{name} {number}" for name, number in {**numbers, "Python": platform.python_version()}.items())
    sizes = {"n_features": N_FEATURES, "batch_size": BATCH_SIZE}
    parts = [HEADER.format(versions=about, cpu=cpu_name(), example=example(best), **sizes)]
    for (what, title), dtype in itertools.product(MEASURED.items(), DTYPES):
        parts.append(f"{title}, {dtype}:\n\n{table(best, what, dtype)}\n")
    path.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "how_long.md")
    arguments = parser.parse_args()
    best = defaultdict(lambda: np.inf)
    for number in range(arguments.rounds):
        measure_round(best)
        write(best, arguments.output)
        print(f"round {number + 1} of {arguments.rounds}", flush=True)
