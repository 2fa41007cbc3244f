"""First names, letter by letter: mean nats per character, the end of the name included, mean over three seeds.

Measured: 30,032 names to learn from, 1,000 to choose by, 1,000 to judge by (the names.txt of karpathy/makemore, MIT, as
split in EurekaLabsAI/mlp; names of the US Social Security Administration, public domain; about 15 % of the names in the
last two parts occur in the first as well). Every choice, that of the defaults included, was made on the second part;
the third is scored here only. Arithmetic is in float32.

    python benchmarks/names.py DIR      (a folder with names/eurekalabs_{train,val,test}.txt)
"""

import platform
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from ngram import NGram
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNNextTokenModel, __version__

SEEDS = range(3)
SHORT = {"max_iter": 6, "batch_size": 64, "learning_rate_init": 1e-2}
"""One hidden layer of 128, six epochs."""
BEST = {"max_iter": 10, "batch_size": 64, "learning_rate_init": 1e-2, "alpha": 3.0}
"""The best setting found on the validation part."""
ROWS = [*({"cell": cell, **SHORT} for cell in ("tanh", "gru", "lstm")), {}, BEST]


def read_names(folder):
    """Names to learn from, to choose by, to judge by."""
    files = (Path(folder) / "names" / f"eurekalabs_{part}.txt" for part in ("train", "val", "test"))
    return [file.read_text().split() for file in files]


def measure(settings, train, val, test):
    """Validation and test loss of each seed, and the mean seconds of a fit."""
    losses, start, seconds = [], 0.0, []
    for seed in SEEDS:
        model = RNNNextTokenModel(**settings, dtype="float32", random_state=seed)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(train)
        seconds.append(time.perf_counter() - start)
        losses.append((-model.score(val), -model.score(test)))
    return np.array(losses).T, np.mean(seconds)


def main():
    train, val, test = read_names(sys.argv[1])
    lines = [
        "# First names",
        "",
        f"`python benchmarks/names.py DIR`: skrnn {__version__}, NumPy {np.__version__}, scikit-learn "
        f"{sklearn.__version__}, Python {platform.python_version()}. Mean nats per character, the end included; three "
        "seeds, with minimum and maximum.",
        "",
        "| model | validation | | test | | seconds a fit |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for order in (2, 3, 4, 5, 6):
        model = NGram(order).fit(train)
        losses = " | | ".join(f"{-model.log_proba(part).mean():.3f}" for part in (val, test))
        lines.append(f"| interpolated {order}-gram | {losses} | | |")
    for settings in ROWS:
        losses, seconds = measure(settings, train, val, test)
        name = f"`{', '.join(f'{key}={value!r}' for key, value in settings.items())}`" if settings else "all defaults"
        columns = " | ".join(f"{x.mean():.4f} | {x.min():.4f} to {x.max():.4f}" for x in losses)
        lines.append(f"| {name} | {columns} | {seconds:.0f} |")
        print(lines[-1], flush=True)
    path = Path(__file__).parent / "results" / "names.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
